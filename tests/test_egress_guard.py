"""Requests that come past every transport: stopped before anything leaves the machine."""

from __future__ import annotations

import asyncio
import gc
import http.client
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

import inner_runs
import pytest
import requests
import urllib3
from loopback_servers import answering
from token_requests import ask
from transports_under_test import send_with_requests

from pytest_optum_auth import FakeOptum, transports
from pytest_optum_auth.transports import egress_guard
from pytest_optum_auth.transports.egress_guard import EscapedRequest

HOST = "sandbox-apigw.optum.com"
URL = f"https://{HOST}/apip/auth/sntl/v1/token"


def message(names: str, host: str = HOST) -> str:
    return (
        f"a connection to {host} was stopped: the client that opens it is none that optum_auth "
        f"intercepts ({names}). Ask for the fixture optum_server and let the client call "
        "optum_server.base_url: it serves the same fake over real HTTPS"
    )


ALL = message("requests, httpx, httpx2, aiohttp")


def by_urllib3() -> None:
    with urllib3.PoolManager() as pool:
        pool.request("POST", URL)


def by_urllib3_through_a_proxy() -> None:
    with urllib3.ProxyManager("http://127.0.0.1:9") as pool:
        pool.request("POST", URL)


def by_socket(connect: Callable[[socket.socket], object]) -> Callable[[], None]:
    def go() -> None:
        with socket.socket() as client:
            connect(client)

    return go


def by_datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(b"hello", (HOST, 443))


def by_tunnel() -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", 9)
    connection.set_tunnel(f"{HOST}:443")


async def by_asyncio() -> None:
    await asyncio.open_connection(HOST, 443, ssl=True)


WAYS: dict[str, Callable[[], object]] = {
    "urllib3": by_urllib3,
    "urllib3 through a proxy": by_urllib3_through_a_proxy,
    "urllib.request": lambda: urllib.request.urlopen(URL),
    "http.client": lambda: http.client.HTTPSConnection(HOST).request("POST", "/"),
    "upper case": lambda: http.client.HTTPSConnection(f"{HOST.upper()}.").request("POST", "/"),
    "plain http": lambda: http.client.HTTPConnection(HOST).request("POST", "/"),
    "create_connection": lambda: socket.create_connection((HOST, 443)),
    "socket.connect": by_socket(lambda client: client.connect((HOST, 443))),
    "socket.connect_ex": by_socket(lambda client: client.connect_ex((HOST, 443))),
    "socket.sendto": by_datagram,
    "getaddrinfo": lambda: socket.getaddrinfo(HOST.encode(), 443),
    "gethostbyname": lambda: socket.gethostbyname(HOST),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex(HOST),
    "gethostbyaddr": lambda: socket.gethostbyaddr(HOST),
    "getfqdn": lambda: socket.getfqdn(HOST),
    "a tunnel with a port in its name": by_tunnel,
    "asyncio": lambda: asyncio.run(by_asyncio()),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_request_that_escapes_is_stopped(way: str, optum_auth: FakeOptum) -> None:
    with pytest.raises(EscapedRequest) as caught:
        WAYS[way]()

    assert str(caught.value) == ALL
    assert optum_auth.problems() == ALL
    assert optum_auth.timeline().endswith(f"-- a connection to {HOST} was stopped")


def test_both_gateway_hosts_are_guarded(optum_auth: FakeOptum) -> None:
    with pytest.raises(EscapedRequest):
        socket.getaddrinfo("apigw.optum.com", 443)

    names = "requests, httpx, httpx2, aiohttp"
    assert optum_auth.problems() == message(names, "apigw.optum.com")


def test_a_client_that_retries_is_stopped_at_once(optum_auth: FakeOptum) -> None:
    with pytest.raises(EscapedRequest), urllib3.PoolManager(retries=5) as pool:
        pool.request("GET", URL)

    assert optum_auth.problems() == ALL


def test_a_library_that_is_not_among_the_transports_is_stopped() -> None:
    fake = FakeOptum(transports=["httpx"], strict=False)

    with fake, pytest.raises(EscapedRequest) as caught:
        requests.post(URL)

    assert str(caught.value) == message("httpx")


@pytest.mark.parametrize("address", [None, "other.example.com", b"other.example.com"], ids=repr)
def test_the_name_of_another_host_is_asked_for_as_ever(
    address: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: asked.append(args))

    with FakeOptum() as fake:
        socket.getaddrinfo(address, 443)
        with pytest.raises(EscapedRequest):
            socket.getaddrinfo(HOST, 443)
        fake.problems()

    assert asked == [(address, 443)]


def test_a_connection_to_another_host_is_made(optum_auth: FakeOptum) -> None:
    with answering(b"there") as url, urllib3.PoolManager() as pool:
        assert pool.request("GET", url).data == b"there"

    assert optum_auth.problems() == ""


def test_a_socket_of_another_family_is_left_alone(optum_auth: FakeOptum, tmp_path: Any) -> None:
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(FileNotFoundError):
        client.connect(str(tmp_path / "none"))


def test_a_tunnel_to_another_host_is_asked_for(optum_auth: FakeOptum) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", 9)
    connection.set_tunnel("other.example.com")

    with pytest.raises(OSError, match="refused"):
        connection.connect()


def test_what_a_transport_catches_is_not_stopped(optum_auth: FakeOptum) -> None:
    assert ask(send_with_requests, optum_auth).status == 200
    assert optum_auth.problems() == ""


def test_the_end_takes_the_guard_away() -> None:
    def covered() -> list[object]:
        return [http.client.HTTPConnection.set_tunnel, *sorted(vars(socket.socket))]

    # What other tests have left.
    gc.collect()
    transports.release()
    egress_guard.remove_unless_needed()
    before = covered()
    with FakeOptum(), FakeOptum():
        assert covered() != before

    assert covered() == before
    assert socket.gethostbyname("127.0.0.1") == "127.0.0.1"


def test_what_another_tool_has_put_over_the_guard_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(*_: object) -> None:
        raise ConnectionRefusedError("theirs")

    before = vars(socket.socket).get("connect")
    with FakeOptum():
        monkeypatch.setattr(socket.socket, "connect", theirs)

    with socket.socket() as client, pytest.raises(ConnectionRefusedError, match="theirs"):
        client.connect((HOST, 443))
    monkeypatch.undo()
    with socket.socket() as client, pytest.raises(OSError, match="refused"):
        client.connect(("127.0.0.1", 9))
    # Their end has put our layer back, which has taken itself off.
    assert vars(socket.socket).get("connect") is before


def test_the_guard_stays_while_another_fake_is_active(optum_auth: FakeOptum) -> None:
    with FakeOptum():
        pass

    with pytest.raises(EscapedRequest):
        socket.getaddrinfo(HOST, 443)
    optum_auth.problems()


def test_a_client_that_swallows_it_fails_the_test_nevertheless(run: inner_runs.Run) -> None:
    result = run(
        """
        import urllib3

        def test_it(optum_auth):
            try:
                urllib3.request("POST", optum_auth.token_url)
            except BaseException:
                pass
        """
    )

    result.assert_outcomes(passed=1, errors=1)
    assert ALL in result.outlines
