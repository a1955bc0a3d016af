"""The client libraries that the suite runs with, and one way to send for all of them.

Another library joins the suite with one more row in ``TRANSPORTS``.
"""

from __future__ import annotations

import asyncio
import functools
import json as json_
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3

from pytest_optum_auth.server.served import Server

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
    # Whether it is caught inside this process; the other way is real HTTPS to ``optum_server``.
    in_process: bool = True

    def served_by(self, server: Server) -> Transport:
        """The same over real HTTPS: requests to a gateway host go to ``server``."""
        return replace(self, send=functools.partial(send_over_https, server))

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


def send_with_aiohttp(
    method: str,
    url: str,
    *,
    content: bytes | None = None,
    data: Mapping[str, str] | None = None,
    timeout: float = 5.0,
    **parts: Any,
) -> Answer:
    """aiohttp: each request in a session and an event loop of its own, as public code has it."""

    async def go() -> Answer:
        limits = aiohttp.ClientTimeout(sock_read=timeout)
        skipped = ["Content-Type"] if content is not None else None
        async with (
            aiohttp.ClientSession(timeout=limits) as session,
            # Not the media type that it gives bytes by default.
            session.request(
                method, url, data=data or content, skip_auto_headers=skipped, **parts
            ) as got,
        ):
            return Answer(got.status, got.headers, await got.read())

    return asyncio.run(go())


def send_over_https(
    server: Server,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    timeout: float = 5.0,
) -> Answer:
    """urllib3 alone, which nothing intercepts."""
    parts = urllib3.util.parse_url(url)
    fields = {"Host": parts.netloc or "", **(headers or {})}
    if data is not None:
        content = urlencode(data).encode()
        fields.setdefault("Content-Type", "application/x-www-form-urlencoded")
    with urllib3.PoolManager(ssl_context=server.ssl_context, retries=False) as pool:
        got = pool.request(
            method,
            f"{server.base_url}{parts.request_uri}",
            body=content,
            json=json,
            headers=fields,
            timeout=timeout,
            redirect=False,
        )
    return Answer(got.status, got.headers, got.data)


def _without_server(*_: Any, **__: Any) -> Answer:
    raise AssertionError("the https transport sends when it is served_by() a server")


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
    Transport(
        "aiohttp",
        "aiohttp",
        send_with_aiohttp,
        aiohttp.ClientConnectorError,
        aiohttp.SocketTimeoutError,
        aiohttp.ServerDisconnectedError,
    ),
    Transport(
        "https",
        "https",
        _without_server,
        # Refused by a reset.
        urllib3.exceptions.ProtocolError,
        urllib3.exceptions.ReadTimeoutError,
        urllib3.exceptions.ProtocolError,
        in_process=False,
    ),
]

# For what makes sense of a request only that never leaves the process.
IN_PROCESS = pytest.mark.parametrize(
    "transport",
    [transport for transport in TRANSPORTS if transport.in_process],
    ids=lambda transport: transport.id,
    indirect=True,
)
