"""Resolvers, loops and proxies of other libraries, which Python's own audit events do not show."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pytest_optum_auth import FakeOptum

HOST = "sandbox-apigw.optum.com"
URL = f"https://{HOST}/apip/auth/sntl/v1/token"


def stopped() -> Any:
    """What a connection ends with; made anew, since it keeps what it has seen."""
    return pytest.raises(Exception, match=f"^a connection to {HOST} was stopped")


@pytest.fixture(autouse=True)
def fake() -> Any:
    """A fake that intercepts nothing: every connection comes to the guard."""
    with FakeOptum(transports=[], strict=False) as fake:
        yield fake


@pytest.mark.parametrize("scheme", ["socks5h", "socks4a"])
def test_pysocks(scheme: str) -> None:
    requests = pytest.importorskip("requests")
    pytest.importorskip("socks")

    with warnings.catch_warnings():
        # It closes its socket after errors of its own alone.
        warnings.simplefilter("ignore", ResourceWarning)
        with stopped():
            requests.get(URL, proxies={"https": f"{scheme}://127.0.0.1:9"}, timeout=2)
        gc.collect()


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_socksio(library: str) -> None:
    pytest.importorskip("socksio")
    httpx: Any = importlib.import_module(library)

    async def go() -> None:
        async with httpx.AsyncClient(proxy="socks5://127.0.0.1:9") as client:
            await client.get(URL)

    with stopped(), httpx.Client(proxy="socks5://127.0.0.1:9") as client:
        client.get(URL)
    with stopped():
        asyncio.run(go())


@pytest.mark.parametrize(
    "look_up",
    [
        lambda resolver: resolver.getaddrinfo(HOST),
        lambda resolver: resolver.gethostbyname(HOST, socket.AF_INET),
        lambda resolver: resolver.query(HOST, "A"),
    ],
)
# The two older ways, which aiodns wants to be rid of.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_aiodns(look_up: Callable[[Any], Awaitable[object]]) -> None:
    aiodns = pytest.importorskip("aiodns")

    async def go() -> None:
        await look_up(aiodns.DNSResolver())

    with stopped():
        asyncio.run(go())


def test_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def look_up() -> None:
        await asyncio.get_running_loop().getaddrinfo(HOST, 443)

    for going in (asyncio.open_connection(HOST, 443, ssl=True), look_up()):
        with stopped():
            uvloop.run(going)


def test_tornado_does_not_wait_for_ever() -> None:
    client = pytest.importorskip("tornado.httpclient")

    async def go() -> None:
        await client.AsyncHTTPClient().fetch(URL, request_timeout=5)

    with stopped():
        asyncio.run(go())


GEVENT = f"""
from gevent import monkey; monkey.patch_all()
import socket, gevent, gevent.socket
from pytest_optum_auth import FakeOptum

with FakeOptum(transports=[], strict=False):
    for way in (
        lambda: socket.getaddrinfo({HOST!r}, 443),
        lambda: gevent.socket.gethostbyname({HOST!r}),
        lambda: gevent.socket.create_connection(({HOST!r}, 443)),
    ):
        try:
            gevent.spawn(way).get(timeout=10)
        except Exception as error:
            assert "was stopped" in str(error), repr(error)
        else:
            raise SystemExit("it was not stopped")
"""


@pytest.mark.parametrize("resolver", ["thread", "ares", "block"])
def test_gevent(resolver: str) -> None:
    pytest.importorskip("gevent")

    run = subprocess.run(
        [sys.executable, "-c", GEVENT],
        env={**os.environ, "GEVENT_RESOLVER": resolver},
        capture_output=True,
        text=True,
        timeout=60,
    )

    # gevent prints the error of a greenlet as well.
    assert run.returncode == 0, run.stderr
