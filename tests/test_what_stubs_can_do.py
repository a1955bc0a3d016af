"""What responses and respx can do, they do here for every client library."""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import Any

import httpx
import httpx2
import pytest
import requests
import respx
import trio
from responses import RequestsMock, matchers
from responses.registries import OrderedRegistry
from stubbed_apis import BASE, bearer, get
from transports_under_test import IN_PROCESS, TLS, Send, Transport, send_with_requests
from whole_message import whole

from pytest_optum_auth import FakeOptum


@pytest.mark.parametrize(
    ("match", "parts"),
    [
        (matchers.query_param_matcher({"page": "2"}), {}),
        (matchers.json_params_matcher({"member": "1"}), {"json": {"member": "1"}}),
        (matchers.urlencoded_params_matcher({"a": "é b"}), {"data": {"a": "é b"}}),
        (matchers.header_matcher({"X-Trace": "1"}), {}),
        (matchers.query_string_matcher("page=2"), {}),
    ],
    ids=["query", "json", "form", "header", "query-string"],
)
def test_matchers_of_responses(
    match: Any,
    parts: dict[str, Any],
    send: Send,
    optum_responses: RequestsMock,
    optum_auth: FakeOptum,
) -> None:
    optum_responses.post(f"{BASE}/claims", body="right", match=[match])
    headers = {**bearer(optum_auth), "X-Trace": "1"}

    answer = send("POST", f"{BASE}/claims?page=2", headers=headers, **parts)

    assert (answer.status, answer.content) == (200, b"right")


def test_a_callback_of_responses_decides(
    send: Send, optum_responses: RequestsMock, optum_auth: FakeOptum
) -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        return 202, {"X-Path": request.path_url}, str(request.headers["X-Trace"])

    optum_responses.add_callback("GET", re.compile(rf"{BASE}/members/\d+"), callback=answer)
    headers = {**bearer(optum_auth), "X-Trace": "1"}

    got = send("GET", f"{BASE}/members/7", headers=headers)

    assert (got.status, got.headers["X-Path"], got.content) == (202, "/members/7", b"1")


def test_the_last_of_several_answers_of_responses_stays(
    send: Send, optum_responses: RequestsMock, optum_auth: FakeOptum
) -> None:
    for status in (202, 202, 200):
        optum_responses.get(f"{BASE}/claims", status=status)

    assert [get(send, optum_auth, "/claims").status for _ in range(4)] == [202, 202, 200, 200]
    optum_responses.assert_call_count(f"{BASE}/claims", 4)


def test_an_order_that_responses_keeps(
    send: Send, optum_responses: RequestsMock, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False
    optum_responses._set_registry(OrderedRegistry)
    optum_responses.get(f"{BASE}/claims", body="first")
    optum_responses.get(f"{BASE}/plans", body="second")
    optum_responses.get(f"{BASE}/claims", body="third")

    answers = [get(send, optum_auth, tail) for tail in ("/claims", "/plans", "/claims")]

    assert [answer.content for answer in answers] == [b"first", b"second", b"third"]


def test_a_request_out_of_order_is_told(
    optum_responses: RequestsMock, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False
    optum_responses._set_registry(OrderedRegistry)
    optum_responses.get(f"{BASE}/claims", body="first")
    optum_responses.get(f"{BASE}/plans", body="second")

    with pytest.raises(requests.ConnectionError, match=r"/claims: Next .* in the order"):
        get(send_with_requests, optum_auth, "/plans")
    assert get(send_with_requests, optum_auth, "/claims").content == b"first"


def test_stubs_after_a_reset(
    send: Send, optum_responses: RequestsMock, optum_auth: FakeOptum
) -> None:
    optum_responses.get(f"{BASE}/claims", body="before")
    optum_responses.reset()
    for body in ("first", "second"):
        optum_responses.get(f"{BASE}/claims", body=body)

    assert send("GET", f"{BASE}/claims").status == 401
    answers = [get(send, optum_auth, "/claims") for _ in range(2)]
    assert [answer.content for answer in answers] == [b"first", b"second"]


def test_a_compressed_answer_and_two_cookies(
    send: Send, optum_responses: RequestsMock, optum_respx: respx.Router, optum_auth: FakeOptum
) -> None:
    import gzip

    body = gzip.compress(b"plain")
    optum_responses.get(
        f"{BASE}/claims",
        body=body,
        headers={"Content-Encoding": "gzip"},
        auto_calculate_content_length=True,
    )
    optum_respx.get("/plans").respond(
        content=body, headers=[("Content-Encoding", "gzip"), ("X-A", "1"), ("X-A", "2")]
    )

    answers = [get(send, optum_auth, tail) for tail in ("/claims", "/plans")]

    assert [answer.content for answer in answers] == [b"plain", b"plain"]
    assert answers[1].headers["X-A"] in ("1, 2", "1")


def test_response_callback_of_responses(
    send: Send, optum_responses: RequestsMock, optum_auth: FakeOptum
) -> None:
    def changed(answer: Any) -> Any:
        answer.status_code = 299
        assert answer.content == b"stub"
        return answer

    optum_responses.response_callback = changed
    optum_responses.get(f"{BASE}/claims", body="stub")

    answer = get(send, optum_auth, "/claims")

    assert (answer.status, answer.content) == (299, b"stub")


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_responses_has_answered_can_be_read_among_its_calls(
    encoding: str, send: Send, optum_responses: RequestsMock, optum_auth: FakeOptum
) -> None:
    body = b"{}" if encoding == "identity" else gzip.compress(b"{}")
    stub = optum_responses.get(f"{BASE}/claims", body=body, headers={"Content-Encoding": encoding})

    get(send, optum_auth, "/claims")

    answers = [recorded.response for recorded in (optum_responses.calls[0], stub.calls[0])]
    assert [answer.json() for answer in answers] == [{}, {}]


@pytest.mark.parametrize("path", ["/members/7", "/members/8"])
def test_patterns_of_respx(
    path: str, send: Send, optum_respx: respx.Router, optum_auth: FakeOptum
) -> None:
    def answer(request: httpx.Request, number: str) -> httpx.Response:
        return httpx.Response(200, json={"member": number, "page": request.url.params["page"]})

    optum_respx.get(path__regex=r"/members/(?P<number>\d+)", params={"page": "2"}).mock(
        side_effect=answer
    )

    got = get(send, optum_auth, f"{path}?page=2")

    assert got.json() == {"member": path[-1], "page": "2"}


def test_a_coroutine_function_of_respx(
    send: Send, optum_respx: respx.Router, optum_auth: FakeOptum
) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(200, text=request.method)

    optum_respx.get("/claims").mock(side_effect=answer)
    optum_respx.get("/plans").mock(side_effect=[answer, httpx.Response(204)])

    answers = [get(send, optum_auth, tail) for tail in ("/claims", "/plans", "/plans")]

    assert [answer.content for answer in answers] == [b"GET", b"GET", b""]


class _Application:
    """Of the two kinds that a handler of respx takes."""

    def __call__(self, _: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"application"]

    async def asgi(self, _: object, __: object, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"application"})


@pytest.mark.parametrize(
    "handler",
    [respx.WSGIHandler(_Application()), respx.ASGIHandler(_Application().asgi)],
    ids=["wsgi", "asgi"],
)
def test_an_application_answers_by_a_handler_of_respx(
    handler: Any, send: Send, optum_respx: respx.Router, optum_auth: FakeOptum
) -> None:
    optum_respx.get("/claims").mock(side_effect=handler)

    assert get(send, optum_auth, "/claims").content == b"application"


@IN_PROCESS
def test_a_sequence_of_respx_that_has_ended_is_told(
    transport: Transport, optum_respx: respx.Router, optum_auth: FakeOptum
) -> None:
    optum_respx.get("/claims").mock(side_effect=[httpx.Response(204)])
    message = (
        f"the stub GET {BASE}/claims of optum_respx has no answer left: its side_effect has ended"
    )

    assert get(transport.send, optum_auth, "/claims").status == 204
    with pytest.raises(AssertionError, match=whole(message)):
        get(transport.send, optum_auth, "/claims")

    assert optum_auth.problems() == (
        f"GET /claims, answered by optum_respx: AssertionError: {message}"
    )


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_coroutine_function_of_respx_runs_on_the_loop_of_trio(
    library: Any, optum_respx: respx.Router, optum_auth: FakeOptum
) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        await trio.lowlevel.checkpoint()
        return httpx.Response(200, text="trio")

    optum_respx.get("/claims").mock(side_effect=answer)

    async def main() -> str:
        async with library.AsyncClient(verify=TLS) as client:
            got = await client.get(f"{BASE}/claims", headers=bearer(optum_auth))
            text: str = got.text
            return text

    assert trio.run(main) == "trio"


def test_streams_of_respx(send: Send, optum_respx: respx.Router, optum_auth: FakeOptum) -> None:
    async def parts() -> Any:
        yield b"a"
        yield b"b"

    optum_respx.get("/sync").mock(return_value=httpx.Response(200, content=iter([b"a", b"b"])))
    optum_respx.get("/async").mock(return_value=httpx.Response(200, content=parts()))

    answers = [get(send, optum_auth, tail) for tail in ("/sync", "/async")]

    assert [answer.content for answer in answers] == [b"ab", b"ab"]


def test_a_route_of_respx_without_an_answer_is_an_empty_200(
    send: Send, optum_respx: respx.Router, optum_auth: FakeOptum
) -> None:
    optum_respx.route()

    assert get(send, optum_auth, "/anything").status == 200
