"""What ``protect`` can say: text and bytes, functions that decide, one answer after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import trio
from token_requests import API, call
from transports_under_test import (
    IN_PROCESS,
    TLS,
    Answer,
    Send,
    Transport,
    send_with_requests,
)
from whole_message import whole

from pytest_optum_auth import Exchange, FakeOptum, Reply, faults

PATH = "/oihub/claim/inquiry/v1"
X12 = "ISA*00*          *00*          *ZZ*1234567~é"


def ask(send: Send, optum_auth: FakeOptum) -> Answer:
    headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
    return send("GET", optum_auth.base_url + PATH, headers=headers)


def statuses(send: Send, optum_auth: FakeOptum, count: int) -> list[int]:
    token = optum_auth.issue_token()
    return [call(send, token).status for _ in range(count)]


@pytest.mark.parametrize(
    ("body", "content", "media_type"),
    [
        ({"text": X12}, X12.encode(), "text/plain; charset=utf-8"),
        ({"text": ""}, b"", "text/plain; charset=utf-8"),
        ({"content": b"%PDF\x00\xff"}, b"%PDF\x00\xff", "application/octet-stream"),
        ({"content": bytearray(b"a")}, b"a", "application/octet-stream"),
        ({"json": None}, b"null", "application/json"),
        ({}, b"{}", "application/json"),
        ({"text": "a,b", "headers": {"content-type": "text/csv"}}, b"a,b", "text/csv"),
    ],
)
def test_the_body_and_its_media_type(
    body: dict[str, Any], content: bytes, media_type: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", PATH, **body)

    answer = call(send, optum_auth.issue_token())

    assert (answer.status, answer.content) == (200, content)
    assert answer.headers["Content-Type"] == media_type


def test_a_header_may_stand_twice(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, headers=[("Link", "<a>"), ("Link", "<b>")])

    with httpx.Client(verify=TLS) as client:
        headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
        answer = client.get(API, headers=headers)

    assert answer.headers.get_list("Link") == ["<a>", "<b>"]


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("body", [{"text": "x"}, {"content": b"x"}, {"json": 1}])
def test_a_status_without_a_body_has_none(
    status: int, body: dict[str, Any], send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", PATH, status=status, **body)

    answer = call(send, optum_auth.issue_token())

    assert (answer.status, answer.content) == (status, b"")
    assert "Content-Type" not in answer.headers


# Functions.


def plain(answer: Any) -> Callable[[Exchange], Any]:
    return lambda exchange: answer


def coroutine(answer: Any) -> Callable[[Exchange], Awaitable[Any]]:
    async def answering(exchange: Exchange) -> Any:
        await asyncio.sleep(0)
        return answer

    return answering


@pytest.mark.parametrize("function", [plain, coroutine])
@pytest.mark.parametrize(
    ("kind", "value", "content"),
    [
        ("json", [1], b"[1]"),
        ("json", None, b"null"),
        ("text", "é", "é".encode()),
        ("content", b"\xff", b"\xff"),
    ],
)
def test_a_function_makes_the_body(
    function: Callable[[Any], Any],
    kind: str,
    value: Any,
    content: bytes,
    send: Send,
    optum_auth: FakeOptum,
) -> None:
    kwargs: dict[str, Any] = {kind: function(value)}
    optum_auth.protect("GET", PATH, status=202, headers={"X-A": "1"}, **kwargs)

    answer = call(send, optum_auth.issue_token())

    assert (answer.status, answer.content, answer.headers["X-A"]) == (202, content, "1")


@pytest.mark.parametrize("function", [plain, coroutine])
def test_a_reply_decides_all_of_the_answer(
    function: Callable[[Any], Any], send: Send, optum_auth: FakeOptum
) -> None:
    reply = Reply(404, text="unknown", headers=[("X-Reason", "member")])
    optum_auth.protect("GET", PATH, json=function(reply), status=202, headers={"X-A": "1"})

    answer = call(send, optum_auth.issue_token())

    assert (answer.status, answer.content) == (404, b"unknown")
    assert answer.headers["X-Reason"] == "member"
    assert "X-A" not in answer.headers
    assert repr(reply) == "<Reply 404, 7 bytes>"


def test_a_function_is_handed_the_exchange(send: Send, optum_auth: FakeOptum) -> None:
    def answer(exchange: Exchange) -> Any:
        return [exchange.path_params, exchange.query, exchange.json]

    optum_auth.protect("POST", "/members/{number}", json=answer)

    got = send(
        "POST",
        f"{optum_auth.base_url}/members/7?page=2",
        headers={"Authorization": f"Bearer {optum_auth.issue_token()}"},
        json={"a": 1},
    )

    assert got.json() == [{"number": "7"}, {"page": ["2"]}, {"a": 1}]


def test_a_coroutine_function_runs_on_the_loop_of_the_request(optum_auth: FakeOptum) -> None:
    loops = []

    async def answer(exchange: Exchange) -> None:
        loops.append(asyncio.get_running_loop())

    optum_auth.protect("GET", PATH, json=answer)

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        async with httpx.AsyncClient(verify=TLS) as client:
            await client.get(API, headers={"Authorization": f"Bearer {optum_auth.issue_token()}"})

    asyncio.run(main())

    assert loops[0] is loops[1]


def test_a_coroutine_function_runs_in_trio(optum_auth: FakeOptum) -> None:
    async def answer(exchange: Exchange) -> str:
        await trio.lowlevel.checkpoint()
        return "trio"

    optum_auth.protect("GET", PATH, json=answer)
    headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}

    async def main() -> tuple[Any, Any]:
        async with httpx.AsyncClient(verify=TLS) as client:
            alone = (await client.get(API, headers=headers)).json()
        # Of a request that blocks the loop the answer comes from another one of its kind.
        with httpx.Client(verify=TLS) as client:
            return alone, client.get(API, headers=headers).json()

    assert trio.run(main) == ("trio", "trio")


def test_a_coroutine_function_answers_a_request_that_blocks_a_loop(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, json=coroutine("answer"))

    async def main() -> Any:
        return call(send_with_requests, optum_auth.issue_token()).json()

    assert asyncio.run(main()) == "answer"


def test_a_coroutine_function_leaves_the_loop_of_the_test_alone(optum_auth: FakeOptum) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    optum_auth.protect("GET", PATH, json=coroutine("answer"))
    try:
        call(send_with_requests, optum_auth.issue_token())

        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@pytest.mark.parametrize("blocks", [False, True], ids=["alone", "within-a-loop"])
def test_what_a_coroutine_function_raises_reaches_the_caller(
    blocks: bool, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False

    async def answer(exchange: Exchange) -> None:
        raise LookupError("of the test")

    optum_auth.protect("GET", PATH, json=answer)

    async def main() -> None:
        call(send_with_requests, optum_auth.issue_token())

    with pytest.raises(LookupError, match="of the test"):
        asyncio.run(main()) if blocks else call(send_with_requests, optum_auth.issue_token())

    assert optum_auth.api_requests[0].outcome == "LookupError while the answer was made"


@IN_PROCESS
def test_what_a_function_returns_is_checked(transport: Transport, optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    message = f"the callable of GET {PATH}: text=7: text is a string"
    optum_auth.protect("GET", PATH, text=lambda exchange: 7)

    with pytest.raises(TypeError, match=whole(message)):
        call(transport.send, optum_auth.issue_token())


def test_a_text_that_a_function_returns_must_be_writable(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    optum_auth.protect("GET", PATH, text=lambda exchange: "\udc80")

    with pytest.raises(ValueError, match=f"the callable of GET {PATH}: text='.udc80': "):
        call(send_with_requests, optum_auth.issue_token())


@pytest.mark.parametrize(
    ("media_type", "sent"),
    [
        ("text/csv; charset=ISO-8859-1", b"M\xfcller"),
        ('text/csv;Charset="latin-1";header=present', b"M\xfcller"),
        ("text/csv; charset=of-nobody", b"M\xc3\xbcller"),
        ("text/csv", b"M\xc3\xbcller"),
    ],
)
def test_a_text_has_the_charset_that_its_content_type_names(
    media_type: str, sent: bytes, send: Send, optum_auth: FakeOptum
) -> None:
    headers = {"content-type": media_type}
    route = optum_auth.protect("GET", PATH, text="Müller", headers=headers)
    route.inject(faults.http_error(503, text="Müller", headers=headers))
    route.then(text=lambda exchange: Reply(text="Müller", headers=headers))

    answers = [call(send, optum_auth.issue_token()).content for _ in range(3)]

    assert answers == [sent] * 3


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_a_client_that_is_cancelled_while_a_function_answers(
    library: str, optum_auth: FakeOptum
) -> None:
    async def answer(exchange: Exchange) -> None:
        await (asyncio.sleep(30) if library == "asyncio" else trio.sleep(30))

    route = optum_auth.protect("GET", PATH, json=answer)
    headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}

    async def get() -> None:
        async with httpx.AsyncClient(verify=TLS) as client:
            await client.get(API, headers=headers)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(get(), 0.05)

    async def main_of_trio() -> None:
        with trio.move_on_after(0.05):
            await get()

    asyncio.run(main()) if library == "asyncio" else trio.run(main_of_trio)

    assert [exchange.outcome for exchange in route.requests] == [
        "token #1 accepted, the client gave up on the answer"
    ]
    assert optum_auth.problems() == ""


# One after the other.


def test_then_answers_the_requests_after_the_first(send: Send, optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", PATH, json={"state": "pending"}, status=202)

    again = route.then(json={"state": "pending"}, status=202).then(
        text="done", headers={"X-A": "1"}
    )

    token = optum_auth.issue_token()
    answers = [call(send, token) for _ in range(4)]
    assert again is route
    assert [a.status for a in answers] == [202, 202, 200, 200]
    assert [a.content for a in answers[2:]] == [b"done", b"done"]
    assert answers[3].headers["X-A"] == "1"


def test_a_refused_request_uses_none_up(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, status=201).then(status=202)

    assert send("GET", API).status == 401
    assert statuses(send, optum_auth, 2) == [201, 202]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (faults.http_error(503), [503, 201, 202]),
        (faults.not_json(), [201, 201, 202]),
        (faults.slow(0), [201, 202, 202]),
    ],
    ids=repr,
)
def test_a_request_that_met_a_fault_uses_none_up(
    fault: faults.Fault, seen: list[int], send: Send, optum_auth: FakeOptum
) -> None:
    # One that only waits is answered as ever, and so has had its answer.
    optum_auth.protect("GET", PATH, status=201).then(status=202).inject(fault)

    assert statuses(send, optum_auth, 3) == seen


def test_a_broken_success_of_a_sequence_has_no_keys_that_are_known(optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", PATH, json={"a": 1})

    with pytest.raises(ValueError, match="the answer has no key 'b'"):
        route.inject(faults.without("b"))
    route.then(json={"b": 1}).inject(faults.without("b"), times=None)


@pytest.mark.parametrize("body", [{"text": "x"}, {"content": b"\xff"}, {"json": [1]}])
def test_a_key_of_an_answer_that_is_no_object_cannot_be_changed(
    body: dict[str, Any], optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False
    optum_auth.protect("GET", PATH, **body).inject(faults.replacing(a=1))

    with pytest.raises(ValueError, match=r"replacing\(a=1\) needs an answer that is a JSON object"):
        call(send_with_requests, optum_auth.issue_token())


# Faults stand behind the token check.


@pytest.mark.parametrize(
    "fault",
    [faults.http_error(200, text="fine"), faults.server_error().after(0.01), faults.slow(0.01)],
    ids=repr,
)
def test_a_fault_waits_for_a_request_with_a_good_token(
    fault: faults.Fault, send: Send, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.protect("GET", PATH).inject(fault)

    assert call(send, "dead").status == 401
    assert injection.hits == 0
    call(send, optum_auth.issue_token())
    assert injection.hits == 1


def test_a_fault_of_the_route_comes_before_one_of_any_api(
    send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.inject_api(faults.http_error(502))
    optum_auth.protect("GET", PATH).inject(faults.http_error(503))
    optum_auth.protect("GET", "/plans")

    assert statuses(send, optum_auth, 3) == [503, 502, 200]


# What makes no sense.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"json": 1, "text": "x"}, ValueError, "json= and text=: an answer has one body"),
        ({"text": "x", "content": b"x"}, ValueError, "text= and content=: an answer has one body"),
        ({"text": b"x"}, TypeError, "text=b'x': text is a string"),
        (
            {"text": "\udc80"},
            ValueError,
            "text='\\udc80': '\\udc80' cannot be written in utf-8, the charset of the answer; "
            "name another one in its Content-Type, or give bytes",
        ),
        (
            {"text": "5 €", "headers": {"Content-Type": "text/csv; charset=ISO-8859-1"}},
            ValueError,
            "text='5 €': '\\u20ac' cannot be written in ISO-8859-1, the charset of the answer; "
            "name another one in its Content-Type, or give bytes",
        ),
        ({"content": "x"}, TypeError, "content='x': content is bytes"),
        (
            {"headers": {"Retry-After": 1}},
            TypeError,
            "header Retry-After: 1 is no string, write '1'",
        ),
        ({"headers": {"X-A": None}}, TypeError, "header X-A: None is no string"),
        ({"headers": {"X A": "1"}}, ValueError, "header 'X A': that is no name of a header"),
        (
            {"headers": {"X-A": "1\r\nX-B: 2"}},
            ValueError,
            "header X-A: '1\\r\\nX-B: 2' holds a character that no header can hold",
        ),
        (
            {"headers": 7},
            TypeError,
            "headers=7: headers are a mapping, or pairs of a name and a value",
        ),
        (
            {"headers": ["X-A"]},
            TypeError,
            "headers=['X-A']: headers are a mapping, or pairs of a name and a value",
        ),
        (
            {"json": Reply(201)},
            TypeError,
            "json=<Reply 201, 2 bytes>: a Reply is what a function returns, write json=lambda "
            "exchange: Reply(...), or hand over what the Reply is made of",
        ),
        ({"status": 99}, ValueError, "status=99: a status is a whole number from 200 to 599"),
    ],
)
def test_it_is_told_where_it_is_given(
    arguments: dict[str, Any], error: type[Exception], message: str, optum_auth: FakeOptum
) -> None:
    for give in (
        lambda: optum_auth.protect("GET", PATH, **arguments),
        lambda: optum_auth.protect("GET", "/plans").then(**arguments),
        lambda: Reply(**arguments),
    ):
        with pytest.raises(error, match=whole(message)):
            give()


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda: {}, "too many positional arguments"),
        (lambda exchange, token: {}, "missing a required argument: 'token'"),
    ],
)
def test_a_function_that_does_not_take_the_exchange_is_told_where_it_is_given(
    function: Any, problem: str, optum_auth: FakeOptum
) -> None:
    message = (
        f"json={function!r}: a function is handed the Exchange, as lambda exchange: ... ({problem})"
    )

    with pytest.raises(TypeError, match=whole(message)):
        optum_auth.protect("GET", PATH, json=function)


def test_a_function_of_which_nobody_knows_what_it_takes_is_tried(optum_auth: FakeOptum) -> None:
    class Compiled:
        __signature__ = "unknown"

        def __call__(self, exchange: Exchange) -> str:
            return exchange.method

    optum_auth.protect("GET", PATH, text=Compiled())

    assert ask(send_with_requests, optum_auth).content == b"GET"


@pytest.mark.parametrize("name", ["X-Payer", "Set-Cookie"])
def test_a_header_may_hold_what_is_beyond_ascii(
    name: str, send: Send, optum_auth: FakeOptum
) -> None:
    """RFC 9110 section 5.5: such octets are opaque, and clients decode them as they like."""
    optum_auth.protect("GET", PATH, headers={name: "caf\xe9"})

    answer = ask(send, optum_auth)

    assert answer.headers[name] in ("caf\xe9", "caf\udce9")


def test_a_header_of_a_fault_is_told_where_it_is_given() -> None:
    with pytest.raises(TypeError, match=whole("header Retry-After: 1 is no string, write '1'")):
        faults.http_error(503, headers={"Retry-After": 1})


@pytest.mark.parametrize(
    ("path", "way_out"),
    [
        ("/oihub/*", "write {rest} for one segment"),
        ("/oihub/*/claims", "write {rest} for one segment"),
        ("/members/<id>", "write {id} for one segment"),
        ("/members/<int:number>", "write {number} for one segment"),
        ("/members/{number:int}", "write {number} for one segment"),
        ("/files/{rest:path}", "optum_respx.route(path__startswith=...)"),
        ("/members/:id", "write {id} for one segment"),
        ("https://sandbox-apigw.optum.com/claims?page=2", "requests match with any"),
        ("https://sandbox-apigw.optum.com?page=2", "requests match with any"),
    ],
)
def test_a_path_in_another_notation_is_refused_with_the_way_out(
    path: str, way_out: str, optum_auth: FakeOptum
) -> None:
    with pytest.raises(ValueError, match=whole(way_out).removeprefix(r"\A").removesuffix(r"\Z")):
        optum_auth.protect("GET", path)


@pytest.mark.parametrize("path", ["/fhir/$export", "/v1/claims:batch", "/a%2Ab", "/a;b=1"])
def test_a_path_with_such_a_character_is_a_path(
    path: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", path)

    assert call(send, optum_auth.issue_token(), f"{optum_auth.base_url}{path}").status == 200


@pytest.mark.parametrize("method", ["ANY", "any", "*", "ALL"])
def test_any_method_is_refused_with_the_way_out(method: str, optum_auth: FakeOptum) -> None:
    with pytest.raises(ValueError, match="protect each method by itself"):
        optum_auth.protect(method, PATH)


# Silence.


@pytest.mark.parametrize("timeout", [None, 5.0])
@IN_PROCESS
def test_a_client_without_a_timeout_is_told_that_it_would_wait_for_ever(
    timeout: Any, transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", PATH).inject(faults.timeout())

    with pytest.raises((transport.timeout_error, asyncio.TimeoutError)):
        call(transport.send, optum_auth.issue_token(), timeout=timeout)

    assert optum_auth.problems() == (
        ""
        if timeout
        else "GET …/inquiry/v1 met timeout() and would have waited for ever: the "
        "client sets no timeout"
    )
