"""Each way to a host that is guarded: nothing of it leaves, under a fake and in a live run.

The judges are a hook on the audit events of Python, which stops and notes what would be asked of
the network, and a proxy on loopback that writes down what it is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import ftplib
import functools
import gc
import http.client
import logging
import logging.handlers
import multiprocessing.connection
import smtplib
import socket
import ssl
import sys
import threading
import urllib.error
import urllib.request
import warnings
import xmlrpc.client
from collections.abc import Callable, Coroutine, Iterator
from types import ModuleType
from typing import Any

import aiohttp
import anyio
import httpx
import httpx2
import pytest
import requests
import trio
import urllib3
from transports_under_test import TLS

from pytest_optum_auth import FakeOptum, network_watch
from pytest_optum_auth.live.run.production_guard import ProductionCall, ProductionGuard
from pytest_optum_auth.transports.egress_guard import EscapedRequest

Way = Callable[[str, str], object]
# Under each guard the host that must not be reached. The control is one that nobody guards, an
# address of documentation (RFC 5737): a socket looks a name up before Python tells of it.
GUARDED = {"fake": "sandbox-apigw.optum.com", "production": "apigw.optum.com"}
OTHER = "203.0.113.7"
# What Python tells of the network, and which argument is a host, or begins with it.
EVENTS = {
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
}


class Asked(Exception):
    """The network would have been asked."""


class Judge:
    """Stops what asks a resolver, or connects to anything but loopback."""

    def __init__(self) -> None:
        self.watches = False
        # Before this one, or it would stop what the guard is to stop.
        network_watch.watch(print)
        network_watch.unwatch(print)
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if self.watches and event in EVENTS:
            named = args[EVENTS[event]]
            host = named[0] if isinstance(named, tuple) else named
            if host not in ("127.0.0.1", b"127.0.0.1"):
                raise Asked(host)


# Or coverage would not see it.
vars(Judge._heard)["__cantrace__"] = True


@functools.cache
def judge() -> Judge:
    """The only one: a hook stays."""
    return Judge()


@contextlib.contextmanager
def logging_proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that refuses everything; its address, and what it was sent."""
    sent: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        sent.append(connection.recv(4096))
                        connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", sent
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def by_socket(connect: Callable[[socket.socket, str], object], kind: int) -> Way:
    def go(host: str, _: str) -> None:
        with socket.socket(type=kind) as client:
            connect(client, host)

    return go


def by_loop(ask: Callable[[asyncio.AbstractEventLoop, str], Coroutine[Any, Any, object]]) -> Way:
    async def go(host: str) -> None:
        await ask(asyncio.get_running_loop(), host)

    return lambda host, _: asyncio.run(go(host))


async def connect_by_loop(loop: asyncio.AbstractEventLoop, host: str) -> None:
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, (host, 443))


class LoudHandler(logging.handlers.HTTPHandler):
    """One that does not swallow what goes wrong."""

    def handleError(self, record: logging.LogRecord) -> None:
        raise


def by_handler(host: str, _: str) -> None:
    LoudHandler(host, "/", method="POST").emit(logging.makeLogRecord({"msg": "text"}))


def by_client(library: ModuleType, scheme: str, *, proxied: bool) -> Way:
    def go(host: str, proxy: str) -> None:
        way = {"proxy": proxy} if proxied else {"trust_env": False}
        with library.Client(verify=TLS, **way) as client:
            client.get(f"{scheme}://{host}/")

    return go


def by_async_client(
    library: ModuleType, scheme: str, *, proxied: bool, run: Callable[[Any], object] = asyncio.run
) -> Way:
    async def go(host: str, proxy: str) -> None:
        way = {"proxy": proxy} if proxied else {"trust_env": False}
        async with library.AsyncClient(verify=TLS, **way) as client:
            await client.get(f"{scheme}://{host}/")

    return lambda host, proxy: run(functools.partial(go, host, proxy))


def in_asyncio(go: Callable[[], Coroutine[Any, Any, object]]) -> None:
    asyncio.run(go())


def by_aiohttp(scheme: str, *, proxied: bool) -> Way:
    async def go(host: str, proxy: str | None) -> None:
        async with aiohttp.ClientSession() as session:
            await session.get(f"{scheme}://{host}/", proxy=proxy)

    return lambda host, proxy: asyncio.run(go(host, proxy if proxied else None))


def by_requests(scheme: str, *, proxied: bool) -> Way:
    def go(host: str, proxy: str) -> None:
        with requests.Session() as session:
            session.trust_env = False
            proxies = {scheme: proxy} if proxied else None
            session.get(f"{scheme}://{host}/", proxies=proxies, timeout=2)

    return go


def by_urllib3(scheme: str, *, proxied: bool) -> Way:
    def go(host: str, proxy: str) -> None:
        with urllib3.ProxyManager(proxy) if proxied else urllib3.PoolManager() as pool:
            pool.request("GET", f"{scheme}://{host}/", retries=False)

    return go


def by_urllib(scheme: str, *, proxied: bool) -> Way:
    def go(host: str, proxy: str) -> None:
        handler = urllib.request.ProxyHandler({scheme: proxy} if proxied else {})
        try:
            urllib.request.build_opener(handler).open(f"{scheme}://{host}/", timeout=2)
        except urllib.error.HTTPError as refused:
            refused.close()

    return go


def by_tunnel(name: Callable[[str], str]) -> Way:
    def go(host: str, proxy: str) -> None:
        connection = http.client.HTTPSConnection(proxy.partition("//")[2])
        with contextlib.closing(connection):
            connection.set_tunnel(name(host))
            connection.request("GET", "/")

    return go


def by_absolute_url(host: str, proxy: str) -> None:
    connection = http.client.HTTPConnection(proxy.partition("//")[2])
    with contextlib.closing(connection):
        connection.request("GET", f"http://{host}/")
        connection.getresponse().read()


async def by_anyio(host: str) -> None:
    await anyio.connect_tcp(host, 443)


LOOK_UPS: dict[str, Way] = {
    "getaddrinfo": lambda host, _: socket.getaddrinfo(host, 443),
    "getaddrinfo, bytes": lambda host, _: socket.getaddrinfo(host.encode("idna"), 443),
    "gethostbyname": lambda host, _: socket.gethostbyname(host),
    "gethostbyname_ex": lambda host, _: socket.gethostbyname_ex(host),
    "gethostbyaddr": lambda host, _: socket.gethostbyaddr(host),
    "getfqdn": lambda host, _: socket.getfqdn(host),
    "getnameinfo": lambda host, _: socket.getnameinfo((host, 443), 0),
    "loop.getaddrinfo": by_loop(lambda loop, host: loop.getaddrinfo(host, 443)),
}
CONNECTIONS: dict[str, Way] = {
    "create_connection": lambda host, _: socket.create_connection((host, 443)),
    "connect": by_socket(lambda client, host: client.connect((host, 443)), socket.SOCK_STREAM),
    "connect_ex": by_socket(
        lambda client, host: client.connect_ex((host, 443)), socket.SOCK_STREAM
    ),
    "sendto": by_socket(lambda client, host: client.sendto(b"x", (host, 443)), socket.SOCK_DGRAM),
    "sendmsg": by_socket(
        lambda client, host: client.sendmsg([b"x"], [], 0, (host, 443)), socket.SOCK_DGRAM
    ),
    "loop.create_connection": by_loop(
        lambda loop, host: loop.create_connection(asyncio.Protocol, host, 443)
    ),
    "loop.create_datagram_endpoint": by_loop(
        lambda loop, host: loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(host, 443)
        )
    ),
    "loop.sock_connect": by_loop(connect_by_loop),
    "open_connection": by_loop(lambda _, host: asyncio.open_connection(host, 443, ssl=True)),
    "anyio": lambda host, _: anyio.run(by_anyio, host),
    "anyio on trio": lambda host, _: anyio.run(by_anyio, host, backend="trio"),
    "trio": lambda host, _: trio.run(trio.open_tcp_stream, host, 443),
    "ssl": lambda host, _: ssl.get_server_certificate((host, 443)),
    "multiprocessing": lambda host, _: multiprocessing.connection.Client((host, 443)),
    "smtplib": lambda host, _: smtplib.SMTP(host),
    "ftplib": lambda host, _: ftplib.FTP(host),
    "xmlrpc": lambda host, _: xmlrpc.client.ServerProxy(f"https://{host}/").call(),
    "HTTPHandler": by_handler,
}
CLIENTS: dict[str, Way] = {
    "http.client": lambda host, _: http.client.HTTPConnection(host).request("GET", "/"),
    "http.client over TLS": lambda host, _: http.client.HTTPSConnection(host).request("GET", "/"),
}
PROXIES: dict[str, Way] = {
    "http.client, a tunnel": by_tunnel(str),
    "http.client, a tunnel with a port": by_tunnel(lambda host: f"{host}:443"),
    "http.client, an absolute URL": by_absolute_url,
}
for _scheme in ("https", "http"):
    for _proxied, _table in ((False, CLIENTS), (True, PROXIES)):
        _by = {
            "requests": by_requests(_scheme, proxied=_proxied),
            "urllib": by_urllib(_scheme, proxied=_proxied),
            "urllib3": by_urllib3(_scheme, proxied=_proxied),
            "aiohttp": by_aiohttp(_scheme, proxied=_proxied),
        }
        for _library in (httpx, httpx2):
            _name = _library.__name__
            _by[_name] = by_client(_library, _scheme, proxied=_proxied)
            _by[f"{_name}, asyncio"] = by_async_client(
                _library, _scheme, proxied=_proxied, run=in_asyncio
            )
            _by[f"{_name}, trio"] = by_async_client(
                _library, _scheme, proxied=_proxied, run=trio.run
            )
        _how = f"{_scheme} through a proxy" if _proxied else _scheme
        _table.update({f"{name}, {_how}": way for name, way in _by.items()})
WAYS = {**LOOK_UPS, **CONNECTIONS, **CLIENTS, **PROXIES}
SPELLINGS: dict[str, tuple[Callable[[str], str], dict[str, Way]]] = {
    "plain": (str, WAYS),
    "in upper case with a dot": (lambda host: f"{host.upper()}.", WAYS),
    # Most HTTP clients take no such URL.
    "with ideographic dots": (
        lambda host: host.replace(".", "\u3002"),
        {**LOOK_UPS, **CONNECTIONS},
    ),
}


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing but loopback is reached in this test."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    judge().watches = True
    yield
    judge().watches = False


@pytest.fixture(params=GUARDED)
def guarded(request: pytest.FixtureRequest, judged: None) -> Iterator[str]:
    """The host that must not be reached, under each guard."""
    if request.param == "fake":
        # One that intercepts nothing: every connection comes to the guard.
        with FakeOptum(transports=[], strict=False):
            yield GUARDED["fake"]
    else:
        remove = ProductionGuard().install()
        yield GUARDED["production"]
        remove()


def stopped_by(way: Way, host: str, proxy: str) -> set[type[BaseException]]:
    """What stopped it, which a library may have wrapped in errors of its own."""
    found: list[BaseException] = []
    try:
        way(host, proxy)
    except Exception as error:
        found.append(error)
    for error in found:
        parts = [error.__cause__, error.__context__, *error.args, *getattr(error, "exceptions", ())]
        found += [part for part in parts if isinstance(part, BaseException) and part not in found]
    return {type(error) for error in found} & {EscapedRequest, ProductionCall, Asked}


@pytest.mark.parametrize(
    ("spelling", "way"), [(name, way) for name, (_, ways) in SPELLINGS.items() for way in ways]
)
def test_nothing_leaves(way: str, spelling: str, guarded: str) -> None:
    host = SPELLINGS[spelling][0](guarded)

    with logging_proxy() as (proxy, sent):
        stop = stopped_by(WAYS[way], host, proxy)

    assert len(stop) == 1
    assert stop < {EscapedRequest, ProductionCall}
    assert sent == []


@pytest.mark.parametrize("way", WAYS)
def test_to_another_host_it_would_leave(way: str, judged: None) -> None:
    ignored = warnings.catch_warnings()
    with FakeOptum(transports=[], strict=False), logging_proxy() as (proxy, sent), ignored:
        # Before Python 3.12, http.client leaves the answer open that refuses a tunnel.
        warnings.simplefilter("ignore", ResourceWarning)
        stop = stopped_by(WAYS[way], OTHER, proxy)
        gc.collect(1)

    assert stop == (set() if way in PROXIES else {Asked})
    assert [OTHER.encode() in request for request in sent] == [True] * (way in PROXIES)
