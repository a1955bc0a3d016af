"""The client libraries that the suite runs with, and one way to send for all of them.

Another library joins the suite with one more row in ``TRANSPORTS``.
"""

from __future__ import annotations

import asyncio
import json as json_
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx
import httpx2
import requests

# One for all clients: reading the certificates anew costs more than a whole test.
TLS = ssl.create_default_context()


@dataclass(frozen=True)
class Answer:
    """What came back; ``headers`` in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json_.loads(self.content)


Send = Callable[..., Answer]


@dataclass(frozen=True)
class Transport:
    """A client library.

    ``name`` is what ``Exchange.transport`` calls it; ``send`` takes ``method``, ``url`` and
    ``headers``, ``data`` (a form), ``json``, ``content`` (bytes), ``timeout`` (seconds). Then the
    exceptions it raises when nobody listens, when nobody answers, and when the answer is cut.
    """

    id: str
    name: str
    send: Send
    connect_error: type[Exception]
    timeout_error: type[Exception]
    disconnect_error: type[Exception]

    def raises(self, failure: str) -> type[Exception]:
        """The exception for ``"connect"``, ``"timeout"`` or ``"disconnect"``."""
        error: type[Exception] = getattr(self, f"{failure}_error")
        return error


def send_with_requests(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    timeout: float = 5.0,
) -> Answer:
    with requests.Session() as session:
        session.trust_env = False
        got = session.request(
            method, url, headers=headers, data=data or content, json=json, timeout=timeout
        )
    return Answer(got.status_code, got.headers, got.content)


def send_with(library: ModuleType) -> Send:
    """httpx or httpx2, sync."""

    def send(method: str, url: str, *, timeout: float = 5.0, **parts: Any) -> Answer:
        with library.Client(verify=TLS, trust_env=False, timeout=timeout) as client:
            got = client.request(method, url, **parts)
        return Answer(got.status_code, got.headers, got.content)

    return send


def send_async_with(library: ModuleType) -> Send:
    """httpx or httpx2, async: each request in an event loop of its own."""

    def send(method: str, url: str, *, timeout: float = 5.0, **parts: Any) -> Answer:
        async def go() -> Answer:
            async with library.AsyncClient(verify=TLS, trust_env=False, timeout=timeout) as client:
                got = await client.request(method, url, **parts)
            return Answer(got.status_code, got.headers, got.content)

        return asyncio.run(go())

    return send


def _httpx_family(library: ModuleType) -> list[Transport]:
    name = library.__name__
    errors = (library.ConnectError, library.ReadTimeout, library.RemoteProtocolError)
    return [
        Transport(f"{name}-sync", name, send_with(library), *errors),
        Transport(f"{name}-async", name, send_async_with(library), *errors),
    ]


TRANSPORTS = [
    Transport(
        "requests",
        "requests",
        send_with_requests,
        requests.ConnectionError,
        requests.ReadTimeout,
        requests.ConnectionError,
    ),
    *_httpx_family(httpx),
    *_httpx_family(httpx2),
]
