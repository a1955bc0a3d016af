"""httpx2, sync and async."""

from __future__ import annotations

import httpx2

from .httpx_family import HttpxTransport

_transport = HttpxTransport(httpx2)
install = _transport.install
remove = _transport.remove
