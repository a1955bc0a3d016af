"""Stubs of an API on the gateway's host, in every form of every tool that people start themselves.

A form is called with what is to happen while its tool is active, and hands it the stub.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import requests
import requests_mock
import responses
import respx
from aioresponses import aioresponses
from transports_under_test import (
    Answer,
    Send,
    send_async_with,
    send_with,
    send_with_aiohttp,
    send_with_requests,
)

BASE = "https://sandbox-apigw.optum.com"
PATH = "/oihub/claim/inquiry/v1"
API = BASE + PATH
STUBBED = b"stubbed"


@dataclass(frozen=True)
class Stub:
    """``calls()``: how often the stub was asked; ``send``: a client that comes to it."""

    calls: Callable[[], int]
    send: Send
    mock: object


Body = Callable[[Stub], None]
Form = Callable[[Body], None]


def responses_with(body: Body) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stub = mock.get(API, body=STUBBED)
        body(Stub(lambda: stub.call_count, send_with_requests, stub))


def responses_activate(body: Body) -> None:
    @responses.activate
    def test() -> None:
        stub = responses.get(API, body=STUBBED)
        body(Stub(lambda: stub.call_count, send_with_requests, stub))

    test()


def responses_start(body: Body) -> None:
    responses.start()
    try:
        stub = responses.get(API, body=STUBBED)
        body(Stub(lambda: stub.call_count, send_with_requests, stub))
    finally:
        responses.stop()
        responses.reset()


def requests_mock_with(body: Body) -> None:
    with requests_mock.Mocker() as mock:
        stub = mock.get(API, content=STUBBED)
        body(Stub(lambda: stub.call_count, send_with_requests, stub))


def requests_mock_decorator(body: Body) -> None:
    @requests_mock.Mocker()
    def test(mock: requests_mock.Mocker) -> None:
        stub = mock.get(API, content=STUBBED)
        body(Stub(lambda: stub.call_count, send_with_requests, stub))

    test()


def requests_mock_start(body: Body) -> None:
    mock = requests_mock.Mocker()
    mock.start()
    try:
        stub = mock.get(API, content=STUBBED)
        body(Stub(lambda: stub.call_count, send_with_requests, stub))
    finally:
        mock.stop()


def _send_by(session: requests.Session) -> Send:
    def send(method: str, url: str, **parts: Any) -> Answer:
        got = session.request(method, url, **parts)
        return Answer(got.status_code, got.headers, got.content)

    return send


def requests_mock_of_one_session(body: Body) -> None:
    with requests.Session() as session, requests_mock.Mocker(session=session) as mock:
        stub = mock.get(API, content=STUBBED)
        body(Stub(lambda: stub.call_count, _send_by(session), stub))


def requests_mock_adapter(body: Body) -> None:
    with requests.Session() as session:
        adapter = requests_mock.Adapter()
        session.mount(BASE, adapter)
        stub = adapter.register_uri("GET", API, content=STUBBED)
        body(Stub(lambda: stub.call_count, _send_by(session), stub))


def respx_with(send: Send, **options: Any) -> Form:
    def form(body: Body) -> None:
        with respx.mock(assert_all_called=False, **options) as mock:
            route = mock.get(PATH if "base_url" in options else API).respond(content=STUBBED)
            body(Stub(lambda: route.call_count, send, route))

    return form


def respx_decorator(body: Body) -> None:
    @respx.mock(assert_all_called=False)
    def test(respx_mock: respx.MockRouter) -> None:
        route = respx_mock.get(API).respond(content=STUBBED)
        body(Stub(lambda: route.call_count, send_with(httpx), route))

    test()


def respx_global(body: Body) -> None:
    @respx.mock
    def test() -> None:
        route = respx.get(API).respond(content=STUBBED)
        respx.mock._assert_all_called = False
        body(Stub(lambda: route.call_count, send_with(httpx), route))

    try:
        test()
    finally:
        respx.mock._assert_all_called = True


def respx_start(body: Body) -> None:
    router = respx.mock(assert_all_called=False)
    router.start()
    try:
        route = router.get(API).respond(content=STUBBED)
        body(Stub(lambda: route.call_count, send_with(httpx), route))
    finally:
        router.stop()


class AiohttpAnswer(aiohttp.ClientResponse):
    """With what newer versions of aiohttp want of it, which aioresponses does not know."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        known = aiohttp.ClientResponse.__init__.__annotations__
        newer = {"stream_writer": types.SimpleNamespace(output_size=0)}
        super().__init__(*args, **kwargs, **{name: newer[name] for name in known if name in newer})


def _stub_of(mock: aioresponses) -> Stub:
    mock.get(API, body=STUBBED, repeat=True, response_class=AiohttpAnswer)
    return Stub(lambda: sum(map(len, mock.requests.values())), send_with_aiohttp, mock)


def aioresponses_with(body: Body) -> None:
    with aioresponses() as mock:
        body(_stub_of(mock))


def aioresponses_decorator(body: Body) -> None:
    @aioresponses()
    def test(mock: aioresponses) -> None:
        body(_stub_of(mock))

    test()


def aioresponses_start(body: Body) -> None:
    mock = aioresponses()
    mock.start()
    try:
        body(_stub_of(mock))
    finally:
        mock.stop()


SYNC, ASYNC = send_with(httpx), send_async_with(httpx)
# By the name that an outcome has for the tool, and the form.
FORMS: dict[str, Form] = {
    "responses, context manager": responses_with,
    "responses, decorator": responses_activate,
    "responses, start": responses_start,
    "requests-mock, context manager": requests_mock_with,
    "requests-mock, decorator": requests_mock_decorator,
    "requests-mock, start": requests_mock_start,
    "requests-mock, one session": requests_mock_of_one_session,
    "requests-mock, mounted adapter": requests_mock_adapter,
    "respx, context manager": respx_with(SYNC),
    "respx, async": respx_with(ASYNC),
    "respx, decorator": respx_decorator,
    "respx, global": respx_global,
    "respx, start": respx_start,
    "respx, base_url": respx_with(SYNC, base_url=BASE),
    "respx, level of httpx": respx_with(SYNC, using="httpx"),
    "respx, level of httpx, async": respx_with(ASYNC, using="httpx"),
    "aioresponses, context manager": aioresponses_with,
    "aioresponses, decorator": aioresponses_decorator,
    "aioresponses, start": aioresponses_start,
}
# Those of which one object serves the whole process, and the tool that cannot start twice.
NOT_NESTED = {"respx, global", *(name for name in FORMS if name.startswith("aioresponses"))}
