"""Tests that replace methods of the client libraries themselves, and what they see of a fake."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any
from unittest import mock

import aiohttp
import httpx
import httpx2
import pytest
import requests
import respx
import wrapt
from aioresponses import aioresponses
from loopback_servers import refusing
from other_mocks import MOCKS, OTHER, THEIRS
from requests.adapters import HTTPAdapter
from token_requests import ask, get_token
from transports_under_test import (
    Send,
    send_async_with,
    send_with,
    send_with_aiohttp,
    send_with_requests,
)

from pytest_optum_auth import FakeOptum, faults, transports
from pytest_optum_auth.patching import Interception
from pytest_optum_auth.transports import TRANSPORTS

Home = tuple[type, str]
# What a library's users replace, and who sends by it.
PLACES: dict[str, tuple[Home, Send]] = {
    "requests.Session.send": ((requests.Session, "send"), send_with_requests),
    "requests.HTTPAdapter.send": ((HTTPAdapter, "send"), send_with_requests),
    "httpx.Client.send": ((httpx.Client, "send"), send_with(httpx)),
    "httpx.HTTPTransport": ((httpx.HTTPTransport, "handle_request"), send_with(httpx)),
    "httpx2.Client.send": ((httpx2.Client, "send"), send_with(httpx2)),
    "httpx.AsyncClient.send": ((httpx.AsyncClient, "send"), send_async_with(httpx)),
    "httpx.AsyncHTTPTransport": (
        (httpx.AsyncHTTPTransport, "handle_async_request"),
        send_async_with(httpx),
    ),
}
STUBBED_API = "https://sandbox-apigw.optum.com/claims"
EVERYWHERE = pytest.mark.parametrize("place", PLACES)


def answer(send: Send) -> Any:
    """What a mock at any of the places may return."""
    if send is send_with_requests:
        response = requests.Response()
        response.status_code = 204
        response._content = b""
        return response
    library = httpx if "httpx2" not in repr(send) else httpx2
    return library.Response(204, request=library.Request("GET", OTHER))


@EVERYWHERE
def test_a_mock_of_a_method_is_called_as_without_the_fake(
    place: str, optum_auth: FakeOptum
) -> None:
    (owner, name), send = PLACES[place]

    with mock.patch.object(owner, name, return_value=answer(send)) as theirs:
        assert send("GET", OTHER).status == 204
        assert getattr(owner, name) is theirs or getattr(owner, name).call_count == 1

    (request,) = theirs.call_args.args
    assert str(request.url) == OTHER


@pytest.mark.parametrize("url", [OTHER, "https://[", 5], ids=["other-host", "broken", "no-url"])
def test_a_mock_of_aiohttps_request_is_called_at_once(url: Any, optum_auth: FakeOptum) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            session.get(url)

    with mock.patch.object(aiohttp.ClientSession, "_request", mock.MagicMock()) as theirs:
        asyncio.run(main())

    theirs.assert_called_once_with("GET", url, allow_redirects=True)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (aiohttp.ClientSession, "_request"),
        (aiohttp.TCPConnector, "_create_connection"),
    ],
)
def test_a_mock_of_a_part_of_aiohttp_is_not_called_for_the_gateway(
    owner: type, name: str, optum_auth: FakeOptum
) -> None:
    with mock.patch.object(owner, name, mock.MagicMock()) as theirs:
        get_token(send_with_aiohttp, optum_auth)

    theirs.assert_not_called()


@EVERYWHERE
def test_a_static_method_stays_one(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (owner, name), send = PLACES[place]
    theirs = staticmethod(lambda request, **_: answer(send))
    if inspect.iscoroutinefunction(getattr(owner, name)):
        theirs = staticmethod(mock.AsyncMock(side_effect=lambda request, **_: answer(send)))
    monkeypatch.setattr(owner, name, theirs)

    with FakeOptum():
        inside = send("GET", OTHER).status
    outside = send("GET", OTHER).status

    assert (inside, outside) == (204, 204)
    assert inspect.getattr_static(owner, name) is theirs


# What a class shows while a fake is active.

COROUTINES = [
    (httpx.AsyncClient, "send"),
    (httpx2.AsyncClient, "send"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (aiohttp.ClientSession, "_request"),
    (aiohttp.TCPConnector, "_create_connection"),
    (aiohttp.BaseConnector, "connect"),
]


def numbered(homes: list[tuple[Any, str]]) -> list[str]:
    """Names for the places: httpx and httpx2 call their classes alike."""
    return [f"{number}-{name}" for number, (_, name) in enumerate(homes)]


@pytest.mark.parametrize(("owner", "name"), COROUTINES, ids=numbered(COROUTINES))
def test_a_coroutine_function_stays_one(owner: type, name: str, optum_auth: FakeOptum) -> None:
    assert inspect.iscoroutinefunction(getattr(owner, name))
    with mock.patch.object(owner, name) as theirs:
        assert isinstance(theirs, mock.AsyncMock)


METHODS = [home for home, _ in PLACES.values()] + COROUTINES


@pytest.mark.parametrize(("owner", "name"), METHODS, ids=numbered(METHODS))
def test_a_method_has_its_own_arguments(owner: type, name: str) -> None:
    def arguments() -> list[Any]:
        method = getattr(owner, name)
        return [inspect.signature(method), inspect.getfullargspec(method)]

    before = arguments()
    with FakeOptum():
        assert arguments() == before


REFERENCES = [
    requests.Session.send,
    HTTPAdapter.send,
    httpx.Client.send,
    httpx.AsyncClient.send,
    aiohttp.ClientSession.get,
]


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda method: method.__qualname__)
def test_a_reference_that_was_taken_before_can_be_pickled(
    reference: Callable[..., Any], optum_auth: FakeOptum
) -> None:
    assert pickle.loads(pickle.dumps(reference)) is reference


def test_a_warning_of_aiohttp_is_attributed_to_the_test(optum_auth: FakeOptum) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession(read_timeout=1):
            """Only the warning matters."""

    with pytest.warns(DeprecationWarning, match="read_timeout") as caught:
        asyncio.run(main())

    assert caught[0].filename == __file__


# Adapters and transports of one's own that call the class by its name, as older code does.


class ByName(HTTPAdapter):
    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return HTTPAdapter.send(self, request, *args, **kwargs)


def test_an_adapter_that_calls_its_base_by_name_meets_the_fake(optum_auth: FakeOptum) -> None:
    with requests.Session() as session:
        session.mount("https://", ByName())
        assert session.post(optum_auth.token_url).status_code == 415


def test_a_transport_that_calls_its_base_by_name_meets_the_fake(optum_auth: FakeOptum) -> None:
    class Transport(httpx.HTTPTransport):
        def handle_request(self, request: Any) -> Any:
            return httpx.HTTPTransport.handle_request(self, request)

    with httpx.Client(transport=Transport()) as client:
        assert client.post(optum_auth.token_url).status_code == 415


# What was kept before the fake began, as a tracer does that is put on one client.


def kept(transport: Any, name: str) -> list[Any]:
    """Puts a wrapper around a method of ``transport``; its calls."""
    calls: list[Any] = []
    method = getattr(transport, name)

    def traced(request: Any) -> Any:
        calls.append(request)
        return method(request)

    setattr(transport, name, traced)
    return calls


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_transport_whose_method_somebody_has_kept_meets_the_fake(library: Any) -> None:
    with library.Client(transport=library.HTTPTransport(retries=1)) as client:
        calls = kept(client._transport, "handle_request")
        with FakeOptum() as optum:
            optum.protect("POST", "/echo", content=lambda exchange: exchange.body)
            optum.inject(faults.connect_error(), times=3)
            with pytest.raises(library.ConnectError, match="connect_error"):
                client.post(optum.token_url)
            # The transport tries a connection twice, as ever.
            assert client.post(optum.token_url).status_code == 415
            headers = {"Authorization": f"Bearer {optum.issue_token()}"}
            url = f"{optum.base_url}:443/echo?page=1"
            assert client.post(url, content=b"x" * 9, headers=headers).content == b"x" * 9

            assert [exchange.transport for exchange in optum.exchanges] == [library.__name__] * 5
            assert optum.exchanges[-1].url == f"{optum.base_url}/echo?page=1"
            assert optum.exchanges[-1].timeout == 5
        with refusing() as elsewhere, pytest.raises(library.ConnectError):
            client.get(elsewhere)
    assert len(calls) == 4


def test_a_transport_whose_method_somebody_has_kept_passes_a_fake_by_that_leaves_httpx_out() -> (
    None
):
    with httpx.Client() as client:
        kept(client._transport, "handle_request")
        with FakeOptum() as optum, FakeOptum(transports=["requests", "httpx2"]) as latest:
            assert client.post(optum.token_url).status_code == 415

    assert (len(optum.exchanges), len(latest.exchanges)) == (1, 0)


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_an_async_transport_whose_method_somebody_has_kept_meets_the_fake(library: Any) -> None:
    async def main() -> None:
        async with library.AsyncClient() as client:
            calls = kept(client._transport, "handle_async_request")
            with FakeOptum() as optum, refusing() as elsewhere:
                optum.inject(faults.disconnect())
                with pytest.raises(library.RemoteProtocolError):
                    await client.post(optum.token_url)
                async with client.stream("POST", optum.token_url) as answer:
                    assert (answer.status_code, (await answer.aread())[:1]) == (415, b"{")
                with pytest.raises(library.ConnectError):
                    await client.get(elsewhere)
                assert len(optum.token_requests) == 2
            assert len(calls) == 3

    asyncio.run(main())


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_respx_is_asked_behind_a_transport_whose_method_somebody_has_kept(is_async: bool) -> None:
    client = httpx.AsyncClient() if is_async else httpx.Client()
    calls = kept(client._transport, "handle_async_request" if is_async else "handle_request")

    async def get(**parts: Any) -> httpx.Response:
        answer: Any = client.get(STUBBED_API, **parts)
        response: httpx.Response = await answer if is_async else answer
        return response

    with FakeOptum() as optum, respx.mock as mock:
        route = mock.get(STUBBED_API).respond(text="stub")
        headers = {"Authorization": f"Bearer {optum.issue_token()}"}
        assert asyncio.run(get()).status_code == 401
        assert asyncio.run(get(headers=headers)).text == "stub"

        outcomes = [exchange.outcome for exchange in optum.exchanges]
    assert outcomes[1] == "token #1 accepted, answered by respx"
    assert (len(calls), route.call_count) == (2, 1)


# Mocks that were there before our modules were loaded.

GENUINE = {home: inspect.getattr_static(*home) for home, _ in PLACES.values()}


@pytest.mark.parametrize("name", MOCKS)
def test_the_genuine_methods_are_found_under_a_mock_that_started_before(name: str) -> None:
    with MOCKS[name][0]():
        found = {home: Interception(*home, lambda beneath: beneath).genuine for home in GENUINE}

    assert found == GENUINE


def test_the_genuine_request_of_aiohttp_is_found_under_aioresponses() -> None:
    genuine = aiohttp.ClientSession._request
    with aioresponses():
        assert aiohttp.ClientSession._request is not genuine
        found = Interception(aiohttp.ClientSession, "_request", lambda beneath: beneath).genuine

    assert found is genuine


MOCKED_FIRST = """
import sys
import aiohttp, asyncio, httpx, requests, responses, respx
from aioresponses import aioresponses

responses.start()
respx.mock(using="httpx").start()
aioresponses().start()

from pytest_optum_auth import FakeOptum

async def post(url):
    async with aiohttp.request("POST", url) as answer:
        return answer.status

assert "pytest_optum_auth.transports.requests_" not in sys.modules
with FakeOptum() as fake:
    print(requests.post(fake.token_url).status_code)
    print(httpx.post(fake.token_url).status_code)
    print(asyncio.run(post(fake.token_url)))
    print([exchange.transport for exchange in fake.exchanges])
"""


def test_mocks_that_started_before_our_modules_were_loaded_leave_us_the_gateway() -> None:
    ran = subprocess.run([sys.executable, "-c", MOCKED_FIRST], capture_output=True, text=True)

    assert ran.stdout.split("\n")[:3] == ["415", "415", "415"], ran.stderr
    assert ran.stdout.split("\n")[3] == "['requests', 'httpx', 'aiohttp']"


DERIVED_FIRST = """
import asyncio, sys
import aiohttp, httpx, requests

genuine = requests.Session, httpx.Client, aiohttp.ClientSession
for module, name in [
    (requests, "Session"), (requests.sessions, "Session"), (requests.adapters, "HTTPAdapter"),
    (httpx, "Client"), (httpx, "HTTPTransport"), (aiohttp, "TCPConnector"),
]:
    setattr(module, name, type(name, (getattr(module, name),), {}))

from pytest_optum_auth import FakeOptum

async def ask(url):
    async with genuine[2]() as session, session.post(url) as answer:
        return answer.status

class OwnSend(genuine[0]().adapters["https://"].__class__):
    def send(self, request, **_):
        pool = self.poolmanager.connection_from_url(request.url)
        return self.build_response(request, pool.urlopen("POST", request.url))

with FakeOptum() as optum:
    session = genuine[0]()
    print(session.post(optum.token_url).status_code)
    session.mount("https://", OwnSend())
    print(session.post(optum.token_url).status_code)
    print(genuine[1]().post(optum.token_url).status_code)
    print(asyncio.run(ask(optum.token_url)))
"""


def test_classes_that_somebody_has_derived_before_are_those_of_the_library() -> None:
    options = ["-W", "ignore::DeprecationWarning"]  # of aiohttp, for a session of a derived class
    ran = subprocess.run(
        [sys.executable, *options, "-c", DERIVED_FIRST], capture_output=True, text=True
    )

    assert ran.stdout.split() == ["415"] * 4, ran.stderr


# Instrumentation: tracing libraries wrap the same methods with wrapt.


@pytest.fixture
def calls() -> list[str]:
    """What was traced."""
    return []


@pytest.fixture
def instrument(calls: list[str]) -> Callable[[Home], None]:
    def instrument(home: Home) -> None:
        def traced(call: Any, _: Any, args: Any, kwargs: Any) -> Any:
            calls.append(str(args[0].url))
            return call(*args, **kwargs)

        wrapt.wrap_function_wrapper(*home, traced)

    return instrument


def uninstrument(home: Home) -> None:
    """As OpenTelemetry does: what is of wrapt's type is its own."""
    found = getattr(*home)
    assert isinstance(found, wrapt.FunctionWrapper.__mro__[-2])
    setattr(*home, found.__wrapped__)


ORDERS = {
    "around a fake": ["on", "in", "out", "off"],
    "inside a fake": ["in", "on", "off", "out"],
    "ends in a fake": ["on", "in", "off", "out"],
    "starts in a fake": ["in", "on", "out", "off"],
}


@EVERYWHERE
@pytest.mark.parametrize("order", ORDERS)
def test_instrumentation_sees_other_hosts_and_ends_when_it_says_so(
    order: str, place: str, instrument: Callable[[Home], None], calls: list[str]
) -> None:
    home, send = PLACES[place]
    fake = FakeOptum()
    do = {
        "on": lambda: instrument(home),
        "off": lambda: uninstrument(home),
        "in": fake.__enter__,
        "out": lambda: fake.__exit__(None, None, None),
    }
    traced = inside = False
    with refusing() as url:
        for step in ORDERS[order]:
            do[step]()
            traced = step == "on" or (traced and step != "off")
            inside = step == "in" or (inside and step != "out")
            calls.clear()
            with pytest.raises((requests.ConnectionError, httpx.ConnectError, httpx2.ConnectError)):
                send("GET", url)
            assert calls == [url] * traced
            if inside:
                get_token(send, fake)

    assert getattr(*home) is GENUINE[home]
    assert inspect.getattr_static(*home) is GENUINE[home]


@pytest.mark.parametrize("name", MOCKS)
def test_a_mock_that_starts_after_a_tracer_leaves_us_the_gateway(
    name: str, optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, send = MOCKS[name]
    for home, _ in PLACES.values():
        monkeypatch.setattr(*home, by(getattr(*home)))

    with theirs():
        assert ask(send, optum_auth).status == 200
        assert send("GET", OTHER).content == THEIRS


def by(shown: Callable[..., Any]) -> Callable[..., Any]:
    """A tracer that calls what it was shown."""
    return lambda *args, **kwargs: shown(*args, **kwargs)


def test_a_mock_that_starts_inside_and_ends_after_a_fake_leaves_nothing() -> None:
    theirs = mock.patch.object(HTTPAdapter, "send", return_value=answer(send_with_requests))
    with FakeOptum() as fake:
        theirs.start()
        assert ask(send_with_requests, fake).status == 200
    assert send_with_requests("GET", OTHER).status == 204
    theirs.stop()

    assert HTTPAdapter.send is GENUINE[HTTPAdapter, "send"]


# Libraries that are not there, or that a test has replaced by something else.

STAND_INS: dict[str, Callable[[str], Any]] = {
    "none": lambda name: None,
    "mock": lambda name: mock.MagicMock(),
    "mock of a module": lambda name: mock.MagicMock(spec=types.ModuleType(name)),
    "stub": types.ModuleType,
}


@pytest.mark.parametrize("stand_in", STAND_INS)
@pytest.mark.parametrize("name", TRANSPORTS)
def test_a_stand_in_for_a_library_is_left_alone(
    name: str, stand_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, STAND_INS[stand_in](name))
    monkeypatch.delitem(sys.modules, f"pytest_optum_auth.transports.{name}_")

    transports.load_imported()
    with FakeOptum():
        found = f"pytest_optum_auth.transports.{name}_" in sys.modules

    assert not found
