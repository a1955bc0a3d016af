"""httpx, sync and async."""

from __future__ import annotations

import httpx

from .httpx_family import HttpxTransport

_transport = HttpxTransport(httpx)
install = _transport.install
remove = _transport.remove
