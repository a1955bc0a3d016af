"""Between a tool's stub and the gateway: exceptions, misses, what is let through, who is asked."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import requests_mock
import responses
import respx
from aioresponses import aioresponses
from requests.adapters import HTTPAdapter
from stub_forms import API, ASYNC, BASE, PATH, SYNC, AiohttpAnswer
from token_requests import ask, bearer
from transports_under_test import TLS, Send, send_with_aiohttp, send_with_requests

from pytest_optum_auth import FakeOptum, faults

pytestmark = pytest.mark.usefixtures("nothing_leaves", "genuine")
Start = Callable[[], AbstractContextManager[object]]


@contextlib.contextmanager
def with_responses(**stub: Any) -> Iterator[None]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(responses.PassthroughResponse("GET", API) if not stub else "GET", API, **stub)
        yield


@contextlib.contextmanager
def with_requests_mock(**stub: Any) -> Iterator[None]:
    with requests_mock.Mocker(real_http=not stub) as mock:
        mock.get(API if stub else f"{API}/other", **stub)
        yield


def with_respx(using: str) -> Callable[..., AbstractContextManager[None]]:
    @contextlib.contextmanager
    def started(**stub: Any) -> Iterator[None]:
        with respx.mock(using=using, assert_all_called=False) as mock:
            route = mock.get(API)
            route.mock(**stub) if stub else route.pass_through()
            yield

    return started


@contextlib.contextmanager
def with_aioresponses(**stub: Any) -> Iterator[None]:
    with aioresponses(passthrough=[] if stub else [BASE]) as mock:
        mock.get(API, **stub)
        yield


@dataclass(frozen=True)
class Case:
    """A tool with a stub that raises ``error``; ``start()`` without it lets everything through."""

    tool: str
    send: Send
    start: Callable[..., AbstractContextManager[None]]
    keyword: str
    error: Exception
    connect_error: type[Exception]
    # What the tool raises where no stub of its matches.
    miss: type[BaseException]
    tells: str

    def raising(self) -> AbstractContextManager[None]:
        return self.start(**{self.keyword: self.error})


def _respx(send: Send, using: str, error: Exception) -> Case:
    return Case(
        "respx",
        send,
        with_respx(using),
        "side_effect",
        error,
        httpx.ConnectError,
        AssertionError,
        "RESPX: .* not mocked!",
    )


CASES = {
    "responses": Case(
        "responses",
        send_with_requests,
        with_responses,
        "body",
        requests.ConnectionError("cut"),
        requests.ConnectionError,
        requests.ConnectionError,
        "Connection refused by Responses",
    ),
    "requests-mock": Case(
        "requests-mock",
        send_with_requests,
        with_requests_mock,
        "exc",
        requests.ReadTimeout("cut"),
        requests.ConnectionError,
        requests_mock.NoMockAddress,
        "No mock address: ",
    ),
    "respx": _respx(SYNC, "httpcore", httpx.ReadError("cut")),
    "respx-async": _respx(ASYNC, "httpcore", httpx.ReadError("cut")),
    "respx-httpx": _respx(SYNC, "httpx", httpx.PoolTimeout("cut")),
    "respx-httpx-async": _respx(ASYNC, "httpx", httpx.PoolTimeout("cut")),
    "aioresponses": Case(
        "aioresponses",
        send_with_aiohttp,
        with_aioresponses,
        "exception",
        aiohttp.ClientPayloadError("cut"),
        aiohttp.ClientConnectorError,
        aiohttp.ClientConnectionError,
        "Connection refused: GET",
    ),
}


def ours_first(fake: FakeOptum, start: Start) -> contextlib.ExitStack:
    stack = contextlib.ExitStack()
    stack.enter_context(fake)
    stack.enter_context(start())
    return stack


def theirs_first(fake: FakeOptum, start: Start) -> contextlib.ExitStack:
    stack = contextlib.ExitStack()
    stack.enter_context(start())
    stack.enter_context(fake)
    return stack


Around = Callable[[FakeOptum, Start], contextlib.ExitStack]
EITHER_ORDER = pytest.mark.parametrize("around", [ours_first, theirs_first])
EVERY_TOOL = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def outcomes(fake: FakeOptum) -> list[tuple[int | None, str]]:
    return [(exchange.status, exchange.outcome) for exchange in fake.api_requests]


@EITHER_ORDER
@EVERY_TOOL
def test_an_exception_of_a_stub_is_the_clients(case: Case, around: Around) -> None:
    fake = FakeOptum()

    with around(fake, case.raising):
        with pytest.raises(type(case.error)) as caught:
            case.send("GET", API, headers=bearer(fake))
        assert caught.value is case.error

    assert outcomes(fake) == [(None, f"token #1 accepted, raised by {case.tool}")]


@EITHER_ORDER
@EVERY_TOOL
def test_where_no_stub_matches_the_tool_says_so_and_the_fake_does_not(
    case: Case, around: Around
) -> None:
    fake = FakeOptum()

    with around(fake, case.raising), pytest.raises(case.miss, match=case.tells):
        case.send("GET", f"{API}/2", headers=bearer(fake))

    assert fake.problems() == ""
    assert outcomes(fake) == [(None, f"token #1 accepted, no stub of {case.tool} matched")]


@EITHER_ORDER
@EVERY_TOOL
def test_what_a_tool_lets_through_is_refused_and_not_sent(case: Case, around: Around) -> None:
    fake = FakeOptum(strict=False)
    refusal = (
        f'GET {PATH} was refused and not sent: no protect() covers it; add optum_auth.protect("GET"'
        f', "{PATH}"); nothing is protected yet'
    )

    with around(fake, case.start):
        assert ask(case.send, fake).status == 200
        with pytest.raises(case.connect_error, match=re.escape(refusal)):
            case.send("GET", API, headers=bearer(fake))

    assert fake.problems().startswith(f"GET {PATH} was refused")
    assert outcomes(fake) == [(None, "refused: no protect() covers the path")]


# What the gateway answers itself.


@EITHER_ORDER
@EVERY_TOOL
def test_a_protected_path_and_plain_http_are_the_fakes(case: Case, around: Around) -> None:
    fake = FakeOptum(strict=False)

    with around(fake, case.raising):
        route = fake.protect("GET", PATH)
        assert case.send("GET", API, headers=bearer(fake)).status == 200
        assert case.send("POST", API, headers=bearer(fake)).status == 405
        with pytest.raises(case.connect_error, match="HTTPS only"):
            case.send("GET", API.replace("https", "http"), headers=bearer(fake))

    assert len(route.requests) == 1


@EITHER_ORDER
@EVERY_TOOL
def test_without_the_guard_the_tool_is_asked_at_once(case: Case, around: Around) -> None:
    fake = FakeOptum(guard_stubs=False)

    with around(fake, case.raising), pytest.raises(type(case.error)):
        case.send("GET", API)

    assert outcomes(fake) == [(None, f"raised by {case.tool}")]


def test_a_stub_of_the_token_endpoint_is_never_asked(optum_auth: FakeOptum) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stub = mock.post(optum_auth.token_url, status=500)
        assert ask(send_with_requests, optum_auth).status == 200

    assert stub.call_count == 0


def test_a_patch_of_ones_own_is_no_tool(
    optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    optum_auth.strict = False
    with monkeypatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", lambda *_, **__: pytest.fail("no"))
        with pytest.raises(requests.ConnectionError, match="no protect"):
            requests.get(API, headers=bearer(optum_auth))


def test_a_transport_of_the_users_own_answers_alone(optum_auth: FakeOptum) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(201))

    with httpx.Client(transport=transport) as client, respx.mock(using="httpx"):
        assert client.get(API).status_code == 201

    assert len(optum_auth.exchanges) == 0


# Requests within requests.


@EITHER_ORDER
def test_a_callback_of_responses_may_ask_for_a_token(around: Around) -> None:
    fake = FakeOptum()

    def answer(_: object) -> tuple[int, dict[str, str], str]:
        return ask(SYNC, fake).status, {}, str(ask(send_with_requests, fake).status)

    @contextlib.contextmanager
    def theirs() -> Iterator[None]:
        with responses.RequestsMock() as mock:
            mock.add_callback("GET", API, callback=answer)
            yield

    with around(fake, theirs):
        answered = send_with_requests("GET", API, headers=bearer(fake))

    assert (answered.status, answered.content) == (200, b"200")


@contextlib.contextmanager
def one_session_mocked(session: requests.Session) -> Iterator[Callable[[], list[Any]]]:
    with requests_mock.Mocker(session=session) as mock:
        mock.get(API, text="stub")
        yield lambda: mock.request_history


@contextlib.contextmanager
def every_session_mocked(_: requests.Session) -> Iterator[Callable[[], list[Any]]]:
    with requests_mock.Mocker() as mock:
        mock.get(API, text="stub")
        yield lambda: mock.request_history


@contextlib.contextmanager
def an_adapter_mounted(session: requests.Session) -> Iterator[Callable[[], list[Any]]]:
    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", API, text="stub")
    session.mount(BASE, adapter)
    yield lambda: adapter.request_history


@contextlib.contextmanager
def responses_started(_: requests.Session) -> Iterator[Callable[[], list[Any]]]:
    with responses.RequestsMock() as mock:
        mock.get(API, body="stub")
        yield lambda: [recorded.request for recorded in mock.calls]


@pytest.mark.parametrize("by", ["connection", "session"])
@pytest.mark.parametrize(
    "stubbed", [one_session_mocked, every_session_mocked, an_adapter_mounted, responses_started]
)
def test_a_hook_sends_again_what_the_fake_has_refused(
    stubbed: Callable[[requests.Session], AbstractContextManager[Any]],
    by: str,
    optum_auth: FakeOptum,
) -> None:
    fresh = bearer(optum_auth)
    ended = []

    def again(response: requests.Response, **kwargs: Any) -> requests.Response:
        if response.status_code != 401:
            return response
        retried = response.request.copy()
        retried.headers.update(fresh)
        sender = session if by == "session" else response.connection
        answer = sender.send(retried, **kwargs)
        answer.history.append(response)
        ended.append(answer.text)
        return answer

    with requests.Session() as session, stubbed(session) as recorded:
        session.hooks["response"] = again
        answer = session.get(API)

        assert [request.headers["Authorization"] for request in recorded()] == [
            fresh["Authorization"]
        ]
    assert (answer.status_code, answer.text, ended) == (200, "stub", ["stub"])
    assert [response.status_code for response in answer.history] == [401]
    assert [exchange.status for exchange in optum_auth.api_requests] == [401, 200]


@EITHER_ORDER
@pytest.mark.parametrize("send", [SYNC, ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_a_side_effect_of_respx_may_ask_for_a_token(using: str, send: Send, around: Around) -> None:
    fake = FakeOptum()

    def answer(_: object) -> httpx.Response:
        return httpx.Response(ask(SYNC, fake).status)

    with around(fake, lambda: with_respx(using)(side_effect=answer)):
        assert send("GET", API, headers=bearer(fake)).status == 200

    assert len(fake.token_requests) == 1


def test_a_callback_may_ask_another_api(optum_auth: FakeOptum) -> None:
    headers = bearer(optum_auth)

    def answer(*_: object) -> str:
        return requests.get(f"{API}/2", headers=headers).text

    with requests_mock.Mocker() as mock:
        mock.get(API, text=answer)
        mock.get(f"{API}/2", text="second")
        assert requests.get(API, headers=headers).text == "second"

    assert len(optum_auth.api_requests) == 2


class _Copying(HTTPAdapter):
    """Signs a copy of each request, as adapters of gateways do."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(request.copy(), *args, **kwargs)


def _copy(request: httpx.Request) -> httpx.Request:
    return httpx.Request(request.method, request.url, headers=request.headers)


class _Copier(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(_copy(request))


class _AsyncCopier(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(_copy(request))


def test_an_adapter_that_sends_a_copy_comes_to_the_stub(
    optum_auth: FakeOptum,
) -> None:
    with requests.Session() as session, with_requests_mock(text="stubbed"):
        session.mount(BASE, _Copying())
        assert session.get(API, headers=bearer(optum_auth)).text == "stubbed"

    assert outcomes(optum_auth) == [(200, "token #1 accepted, answered by requests-mock")]


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_a_transport_that_sends_a_copy_comes_to_the_stub(using: str, optum_auth: FakeOptum) -> None:
    headers = bearer(optum_auth)

    async def get() -> str:
        async with httpx.AsyncClient(transport=_AsyncCopier(verify=TLS)) as client:
            return (await client.get(API, headers=headers)).text

    with with_respx(using)(return_value=httpx.Response(200, text="stubbed")):
        with httpx.Client(transport=_Copier(verify=TLS)) as client:
            assert client.get(API, headers=headers).text == "stubbed"
        assert asyncio.run(get()) == "stubbed"

    assert outcomes(optum_auth) == [(200, "token #1 accepted, answered by respx")] * 2


def test_one_tool_lets_a_request_through_to_another(optum_auth: FakeOptum) -> None:
    with (
        responses.RequestsMock() as beneath,
        requests_mock.Mocker(real_http=True),
    ):
        beneath.get(API, body="beneath")
        assert requests.get(API, headers=bearer(optum_auth)).text == "beneath"

    assert outcomes(optum_auth) == [(200, "token #1 accepted, answered by responses")]


@pytest.mark.parametrize("send", [SYNC, ASYNC], ids=["sync", "async"])
def test_one_level_of_respx_lets_a_request_through_to_the_other(
    send: Send, optum_auth: FakeOptum
) -> None:
    with respx.mock(using="httpcore") as beneath, with_respx("httpx")():
        beneath.get(API).respond(text="beneath")
        assert send("GET", API, headers=bearer(optum_auth)).content == b"beneath"

    assert outcomes(optum_auth) == [(200, "token #1 accepted, answered by respx")]


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_a_client_that_gives_up_on_a_stub_is_told(using: str, optum_auth: FakeOptum) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    async def give_up() -> None:
        async with httpx.AsyncClient(verify=TLS) as client:
            request = client.get(API, headers=bearer(optum_auth))
            await asyncio.wait_for(request, 0.05)

    with with_respx(using)(side_effect=never), pytest.raises(asyncio.TimeoutError):
        asyncio.run(give_up())

    assert outcomes(optum_auth) == [(None, "token #1 accepted, the client gave up on respx")]


# requests-mock holds one lock around each of its requests.


def _ask_while_a_stub_answers(
    mock: requests_mock.Mocker, session: requests.Session, fake: FakeOptum
) -> None:
    """A stub that does not answer before somebody else has got a token."""
    inside, asked = threading.Event(), threading.Event()

    def answer(*_: object) -> str:
        inside.set()
        assert asked.wait(5)
        return "done"

    mock.get(API, text=answer)
    headers = bearer(fake)
    got: list[str] = []
    thread = threading.Thread(target=lambda: got.append(session.get(API, headers=headers).text))
    thread.start()
    assert inside.wait(5)
    assert session.post(fake.token_url, timeout=5).status_code == 415
    asked.set()
    thread.join()
    assert got == ["done"]


@EITHER_ORDER
def test_a_token_request_does_not_wait_for_the_lock_of_requests_mock(around: Around) -> None:
    fake = FakeOptum()
    mock = requests_mock.Mocker()

    with around(fake, lambda: mock), requests.Session() as session:
        _ask_while_a_stub_answers(mock, session, fake)


def test_nor_where_one_session_is_mocked(optum_auth: FakeOptum) -> None:
    with requests.Session() as session:
        with requests_mock.Mocker(session=session) as mock:
            _ask_while_a_stub_answers(mock, session, optum_auth)
        with pytest.raises(requests.ConnectionError, match="no protect"):
            session.get(API)
    optum_auth.strict = False


def test_a_hold_keeps_threads_beside_requests_mock(optum_auth: FakeOptum) -> None:
    with requests_mock.Mocker(), optum_auth.hold() as hold:
        threads = [
            threading.Thread(target=ask, args=(send_with_requests, optum_auth)) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        hold.wait_for(3)
        hold.release()
        for thread in threads:
            thread.join()

    assert len(optum_auth.token_requests) == 3


# What the journal tells of an answer.


def test_an_answer_is_in_the_journal(optum_auth: FakeOptum) -> None:
    with responses.RequestsMock() as mock:
        mock.get(API, json={"covered": True}, status=203, headers={"X-Id": "7"})
        requests.get(API, headers=bearer(optum_auth))

    answered = optum_auth.api_requests[0].response
    assert answered is not None
    assert (answered.status, answered.headers["x-id"]) == (203, "7")
    assert answered.body == b'{"covered": true}'


def test_an_answer_that_is_streamed_is_left_to_the_client(optum_auth: FakeOptum) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(API, content=b"%PDF")
        with requests.get(API, headers=bearer(optum_auth), stream=True) as answer:
            assert b"".join(answer.iter_content(2)) == b"%PDF"

    [exchange] = optum_auth.api_requests
    assert exchange.response is not None
    assert exchange.response.body == b""


@pytest.mark.parametrize("send", [SYNC, ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_an_answer_of_httpx_is_in_the_journal(
    send: Send, using: str, optum_auth: FakeOptum
) -> None:
    with respx.mock(using=using) as mock:
        mock.get(API).respond(json=[1])
        assert send("GET", API, headers=bearer(optum_auth)).json() == [1]

    [exchange] = optum_auth.api_requests
    assert exchange.response is not None
    assert exchange.response.body == b"[1]"


def test_a_stream_of_ones_own_is_read_by_the_client_alone(optum_auth: FakeOptum) -> None:
    with respx.mock as mock:
        mock.get(API).mock(return_value=httpx.Response(200, content=parts()))
        with (
            httpx.Client(verify=TLS) as client,
            client.stream("GET", API, headers=bearer(optum_auth)) as answer,
        ):
            assert list(answer.iter_raw()) == [b"one", b"two"]

    [exchange] = optum_auth.api_requests
    assert exchange.response is not None
    assert exchange.response.body == b""


def test_a_redirect_that_requests_mock_answers_is_told_with_where_it_leads(
    optum_auth: FakeOptum,
) -> None:
    headers = bearer(optum_auth)
    with requests_mock.Mocker() as mock:
        mock.get(API, status_code=302, headers={"Location": f"{API}/2"})
        mock.get(f"{API}/2", text="here")
        assert requests.get(API, headers=headers).text == "here"

    assert sorted(outcomes(optum_auth)) == [
        (200, "token #1 accepted, answered by requests-mock"),
        (302, "token #1 accepted, answered by requests-mock"),
    ]


def test_the_timeline_names_the_tool(optum_auth: FakeOptum) -> None:
    with responses.RequestsMock() as mock:
        mock.get(API)
        requests.get(API, headers=bearer(optum_auth))

    line = optum_auth.timeline().partition("  ")[2]
    assert line == "requests  GET …/inquiry/v1  200  token #1 accepted, answered by responses"


# What a request sends is there for the stub, however it is sent.


def parts() -> Iterator[bytes]:
    yield b"one"
    yield b"two"


@pytest.mark.parametrize(
    "body",
    [lambda: io.BytesIO(b"onetwo"), parts, lambda: "onetwo"],
    ids=["file", "parts", "text"],
)
def test_a_body_is_read_by_the_stub_too(body: Callable[[], Any], optum_auth: FakeOptum) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        sent: Any = request.body
        return 200, {}, sent if isinstance(sent, (str, bytes)) else b"".join(sent)

    with responses.RequestsMock() as mock:
        mock.add_callback("POST", API, callback=answer)
        assert requests.post(API, data=body(), headers=bearer(optum_auth)).content == b"onetwo"

    assert optum_auth.api_requests[0].body == b"onetwo"


def test_an_asynchronous_body_is_read_by_the_stub_too(optum_auth: FakeOptum) -> None:
    async def async_parts() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    async def post(mock: aioresponses) -> Any:
        mock.post(API, exception=aiohttp.ClientError())
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.post(API, data=async_parts(), headers=bearer(optum_auth))
        [[call]] = mock.requests.values()
        return call.kwargs["data"]

    with aioresponses() as mock:
        assert asyncio.run(post(mock)) == b"onetwo"

    assert optum_auth.api_requests[0].body == b"onetwo"


# Faults of an API stand behind the token check, whoever answers.


@EVERY_TOOL
def test_a_fault_of_an_api_stands_before_the_stub(case: Case, optum_auth: FakeOptum) -> None:
    optum_auth.inject_api(faults.server_error())

    with case.raising():
        assert case.send("GET", API).status == 401
        assert case.send("GET", API, headers=bearer(optum_auth)).status == 500
        with pytest.raises(type(case.error)):
            case.send("GET", API, headers=bearer(optum_auth))


SPOILT = {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("start", "send", "answer"),
    [
        pytest.param(with_responses, send_with_requests, {"json": SPOILT}, id="responses"),
        pytest.param(with_requests_mock, send_with_requests, {"json": SPOILT}, id="requests-mock"),
        pytest.param(
            with_aioresponses,
            send_with_aiohttp,
            {"payload": SPOILT, "repeat": True, "response_class": AiohttpAnswer},
            id="aioresponses",
        ),
        *[
            pytest.param(
                with_respx("httpcore"),
                send,
                {"side_effect": lambda _: httpx.Response(200, json=SPOILT)},
                id=f"respx-{name}",
            )
            for name, send in (("sync", SYNC), ("async", ASYNC))
        ],
    ],
)
def test_a_fault_spoils_what_a_stub_answers(
    start: Callable[..., AbstractContextManager[None]],
    send: Send,
    answer: dict[str, Any],
    optum_auth: FakeOptum,
) -> None:
    optum_auth.inject_api(faults.without("a"))

    with start(**answer):
        got = [send("GET", API, headers=bearer(optum_auth)).json() for _ in range(2)]

    assert got == [{"b": 2}, SPOILT]
