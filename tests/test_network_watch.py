"""The eyes: every way to a host is seen before anything is asked or sent there."""

from __future__ import annotations

import asyncio
import http.client
import socket
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from transports_under_test import TLS

from pytest_optum_auth import network_watch
from pytest_optum_auth.network_watch import normal_host

HOST = "gateway.example.com"
# Nobody listens there: what goes on ends as a refused connection.
PROXY = "http://127.0.0.1:9"


class Seen(Exception):
    """A look has stopped a connection."""


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    def look(host: str) -> None:
        if host == HOST:
            raise Seen

    network_watch.watch(look)
    yield
    network_watch.unwatch(look)


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        ("Gateway.Example.COM.", HOST),
        (b"gateway.example.com", HOST),
        (bytearray(b"gateway.example.com"), HOST),
        ("\uff47\uff41\uff54\uff45\uff57\uff41\uff59.example.com", HOST),
        ("gateway\u3002example\uff0ecom\uff61", HOST),
        ("gate\u200bway.example.com", HOST),
        ("gate\u00adway.example.com", HOST),
        ("\u212aelvin.example.com", "kelvin.example.com"),
        ("münchen.example.com", "xn--mnchen-3ya.example.com"),
        ("..\uff47", "..g"),
        (None, ""),
        (443, ""),
    ],
)
def test_a_host_is_compared_as_a_resolver_sees_it(host: object, normal: str) -> None:
    assert normal_host(host) == normal


def through_requests(host: str, proxy: str) -> None:
    requests.get(f"https://{host}/", proxies={"https": proxy}, timeout=2)


def through_urllib3(host: str, proxy: str) -> None:
    with urllib3.ProxyManager(proxy, retries=False) as pool:
        pool.request("GET", f"https://{host}/")


def through_http_client(host: str, proxy: str) -> None:
    connection = http.client.HTTPSConnection(proxy.partition("//")[2])
    connection.set_tunnel(f"{host}:443")
    connection.connect()


def through(library: ModuleType) -> Callable[[str, str], None]:
    def send(host: str, proxy: str) -> None:
        with library.Client(proxy=proxy, verify=TLS) as client:
            client.get(f"https://{host}/")

    return send


def through_async(library: ModuleType) -> Callable[[str, str], None]:
    def send(host: str, proxy: str) -> None:
        async def go() -> None:
            async with library.AsyncClient(proxy=proxy, verify=TLS) as client:
                await client.get(f"https://{host}/")

        asyncio.run(go())

    return send


def through_aiohttp(host: str, proxy: str) -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as session:
            await session.get(f"https://{host}/", proxy=proxy)

    asyncio.run(go())


TUNNELS: dict[str, Callable[[str, str], None]] = {
    "requests": through_requests,
    "urllib3": through_urllib3,
    "http.client": through_http_client,
    "httpx": through(httpx),
    "httpx-async": through_async(httpx),
    "httpx2": through(httpx2),
    "httpx2-async": through_async(httpx2),
    "aiohttp": through_aiohttp,
}


@pytest.mark.parametrize("client", TUNNELS)
def test_a_tunnel_is_seen_before_the_proxy_is_asked(client: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0.01)
        with pytest.raises(Seen):
            TUNNELS[client](HOST, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        with pytest.raises(TimeoutError):
            proxy.accept()


@pytest.mark.parametrize("client", TUNNELS)
def test_a_tunnel_elsewhere_is_asked_for(client: str) -> None:
    refused = (OSError, httpx.ConnectError, httpx2.ConnectError, urllib3.exceptions.HTTPError)

    with pytest.raises(refused):
        TUNNELS[client]("other.example.com", PROXY)


# Libraries that the suite has not got: how they are called. tests/libraries has the genuine ones.
@pytest.mark.parametrize(
    ("module", "owner", "method", "arguments"),
    [
        ("socks", "socksocket", "connect", ((HOST, 443),)),
        ("pycares", "Channel", "getaddrinfo", (HOST, 443)),
        ("gevent.resolver", "AbstractResolver", "gethostbyname", (HOST,)),
        ("uvloop", "Loop", "getaddrinfo", (HOST, 443)),
        ("uvloop", "Loop", "create_connection", (object, HOST, 443)),
    ],
)
@pytest.mark.parametrize("late", [False, True], ids=["imported", "imported-late"])
def test_what_asks_elsewhere_than_in_python_is_covered(
    module: str,
    owner: str,
    method: str,
    arguments: tuple[Any, ...],
    late: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = type(owner, (), {method: lambda self, *args: args})
    genuine = vars(client)[method]
    stand_in = ModuleType(module)
    setattr(stand_in, owner, client)
    monkeypatch.setattr(network_watch, "_covers", {})
    monkeypatch.setitem(sys.modules, module, stand_in)
    look: network_watch.Look = [].append

    if late:
        network_watch._LATE[module]()
    else:
        network_watch.watch(look)
    with pytest.raises(Seen):
        getattr(client(), method)(*arguments)
    other = tuple("other.example.com" if name == HOST else name for name in arguments)
    other = (("other.example.com", 443),) if other == arguments else other
    assert getattr(client(), method)(*other) == other
    network_watch.unwatch(look)
    for cover in network_watch._covers[module]:
        cover.remove()

    assert vars(client)[method] is genuine


def test_a_module_that_is_imported_again_is_not_covered_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in = ModuleType("socks")
    vars(stand_in)["socksocket"] = type("socksocket", (), {"connect": lambda self, *args: args})
    monkeypatch.setattr(network_watch, "_covers", {})
    monkeypatch.setitem(sys.modules, "socks", stand_in)

    network_watch._LATE["socks"]()
    covers = list(network_watch._covers["socks"])
    network_watch._LATE["socks"]()

    assert network_watch._covers["socks"] == covers
    for cover in covers:
        cover.remove()


def test_a_resolver_of_somebody_else_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: asked.append(args))
    look: network_watch.Look = [].append

    network_watch.watch(look)
    socket.getaddrinfo("other.example.com", 443)
    with pytest.raises(Seen):
        socket.getaddrinfo(HOST, 443)
    network_watch.unwatch(look)
    network_watch.unwatch(look)

    assert asked == [("other.example.com", 443)]


def test_nothing_is_seen_when_nobody_looks() -> None:
    seen: list[str] = []
    network_watch.watch(seen.append)
    socket.gethostbyname("127.0.0.71")
    network_watch.unwatch(seen.append)
    socket.gethostbyname("127.0.0.72")

    # Other threads may connect to something meanwhile.
    assert {"127.0.0.71", "127.0.0.72"} & set(seen) == {"127.0.0.71"}
