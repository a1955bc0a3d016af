"""What an exchange tells of its request and of its answer, beyond method, headers and outcome."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
from token_requests import ask, call, fields, get_token
from transports_under_test import (
    IN_PROCESS,
    TLS,
    Send,
    Transport,
    send_over_https,
    send_with_requests,
)
from urllib3.util import Timeout

from pytest_optum_auth import FakeOptum, faults


@pytest.mark.parametrize(
    ("tail", "path", "query"),
    [
        (
            "/claims?page=2&code=a&code=b&none=",
            "/claims",
            {"page": ["2"], "code": ["a", "b"], "none": [""]},
        ),
        ("/members/m%2F7", "/members/m%2F7", {}),
        ("/claims?at=12%3A30", "/claims", {"at": ["12:30"]}),
    ],
)
def test_path_and_query(
    tail: str, path: str, query: dict[str, list[str]], send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", path)

    call(send, optum_auth.issue_token(), f"{optum_auth.base_url}{tail}")

    [exchange] = optum_auth.api_requests
    assert (exchange.path, exchange.query) == (path, query)


def test_the_form_that_an_api_was_sent(send: Send, optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("POST", "/claims")
    url, headers = f"{optum_auth.base_url}/claims", {"Authorization": "Bearer of nobody"}

    send("POST", url, data={"member": "ä&7", "client_secret": "abc"}, headers=headers)
    send("POST", url, json={"member": "7"}, headers=headers)

    assert [exchange.form for exchange in route.requests] == [
        {"member": "ä&7", "client_secret": "abc"},
        {},
    ]
    assert "abc" not in repr(route.requests[0].form)


@pytest.mark.parametrize("get", [httpx.get, httpx2.get], ids=["httpx", "httpx2"])
@pytest.mark.parametrize("value", [b"caf\xc3\xa9", b"caf\xe9"], ids=["utf-8", "latin-1"])
def test_a_header_beyond_ascii_is_told_as_the_client_means_it(
    get: Any, value: bytes, optum_auth: FakeOptum
) -> None:
    get(optum_auth.token_url, headers={"X-Trace": value}, timeout=5)

    assert optum_auth.exchanges[0].headers["x-trace"] == "café"


@pytest.mark.parametrize(
    "get", [requests.get, httpx.get, httpx2.get], ids=["requests", "httpx", "httpx2"]
)
def test_a_password_in_the_url_is_sent_as_a_header(get: Any, optum_auth: FakeOptum) -> None:
    get(optum_auth.token_url.replace("https://", "https://me:s3cr3t@"), timeout=5)

    [exchange] = optum_auth.exchanges
    assert exchange.url == optum_auth.token_url
    assert exchange.headers["Authorization"] == "Basic bWU6czNjcjN0"
    assert "bWU6czNjcjN0" not in repr(exchange)


def test_a_long_path_is_told_whole() -> None:
    with FakeOptum() as optum:
        path = "/" + "long" * 100
        optum.protect("GET", path)
        call(send_with_requests, optum.issue_token(), f"{optum.base_url}{path}")

    assert optum.api_requests[0].path == path


@pytest.mark.parametrize("content", [{"member": "1"}, [1, {"a": None}], "text", 7, None])
def test_json(content: Any, optum_auth: FakeOptum) -> None:
    optum_auth.protect("POST", "/claims")

    send_with_requests(
        "POST", f"{optum_auth.base_url}/claims", content=json.dumps(content).encode()
    )

    assert optum_auth.api_requests[0].json == content


@pytest.mark.parametrize("body", [b"", b"member=1", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_told(body: bytes, optum_auth: FakeOptum) -> None:
    optum_auth.protect("POST", "/claims")
    send_with_requests("POST", f"{optum_auth.base_url}/claims", content=body)
    [exchange] = optum_auth.api_requests

    with pytest.raises(ValueError, match=r"^the body of POST /claims is no JSON: "):
        _ = exchange.json


@pytest.mark.parametrize("content", [{"member": "1"}, ["1"]])
def test_json_with_parentheses_is_told(content: Any, optum_auth: FakeOptum) -> None:
    optum_auth.protect("POST", "/claims")
    send_with_requests("POST", f"{optum_auth.base_url}/claims", json=content)
    [exchange] = optum_auth.api_requests

    with pytest.raises(TypeError, match=r"is a property: write exchange\.json, without \(\)$"):
        exchange.json()


@pytest.mark.parametrize("wrapped", [False, True], ids=["object", "array"])
def test_the_repr_of_json_hides_secrets(wrapped: bool, optum_auth: FakeOptum) -> None:
    optum_auth.protect("POST", "/claims")
    content: Any = {"inner": [{"client_secret": "s3cr3t", "member": "1"}]}
    content = [content] if wrapped else content
    send_with_requests("POST", f"{optum_auth.base_url}/claims", json=content)

    shown = repr(optum_auth.api_requests[0].json)

    told = "{'inner': [{'client_secret': '***', 'member': '1'}]}"
    assert shown == (f"[{told}]" if wrapped else told)


@IN_PROCESS
def test_the_timeout_of_the_client(transport: Transport, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    for timeout in (2.5, None):
        call(transport.send, optum_auth.issue_token(), timeout=timeout)

    assert [exchange.timeout for exchange in optum_auth.exchanges] == [2.5, None]


def test_over_https_nobody_knows_the_timeout(optum_auth: FakeOptum, optum_server: Any) -> None:
    send_over_https(optum_server, "GET", optum_auth.token_url, timeout=2.5)

    assert optum_auth.exchanges[0].timeout is None


def test_requests_with_a_limit_for_everything(optum_auth: FakeOptum, optum_clock: object) -> None:
    requests.get(optum_auth.token_url, timeout=Timeout(total=3, read=5))
    requests.get(optum_auth.token_url, timeout=(9, 4))

    assert [exchange.timeout for exchange in optum_auth.exchanges] == [3, 4]


def test_a_request_of_httpx_that_an_auth_flow_has_built_waits_for_ever(
    optum_auth: FakeOptum,
) -> None:
    class Auth(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:
            yield httpx.Request("GET", optum_auth.token_url)
            yield request

    with httpx.Client(verify=TLS, timeout=5) as client:
        client.get(optum_auth.token_url, auth=Auth())

    assert [exchange.timeout for exchange in optum_auth.exchanges] == [None, 5]


def test_aiohttp_on_one_connection_tells_the_timeout_of_each_request(
    optum_auth: FakeOptum,
) -> None:
    limits: list[dict[str, Any]] = [
        {},
        {"total": 7},
        {"total": 7, "sock_read": 2},
        {"total": None, "sock_read": 2},
        {"total": None},
        {"total": 0},
    ]

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            for limit in limits:
                timeout = aiohttp.ClientTimeout(**limit)
                async with session.get(optum_auth.token_url, timeout=timeout) as answer:
                    await answer.read()

    asyncio.run(main())

    # Without a word: what ClientTimeout() says, and that is no limit at all.
    assert [exchange.timeout for exchange in optum_auth.exchanges] == [None, 7, 7, 2, None, None]


def test_the_response_to_a_token_request(transport: Transport, optum_auth: FakeOptum) -> None:
    answer = ask(transport.send, optum_auth)

    response = optum_auth.token_requests[0].response
    assert response is not None
    assert (response.status, response.body) == (200, answer.content)
    assert response.headers["content-TYPE"] == "application/json"
    assert response.headers["Content-Length"] == str(len(answer.content))
    token = optum_auth.tokens[0].value
    assert token.encode() in response.body
    assert token not in repr(response)


def test_the_response_of_an_api_and_of_refusals(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/claims", json={"claims": 2})
    url = f"{optum_auth.base_url}/claims"

    answers = [
        call(send, optum_auth.issue_token(), url),
        send("GET", url),
        send("POST", url),
        ask(send, optum_auth, client_secret="wrong"),
    ]

    told = [exchange.response for exchange in optum_auth.exchanges]
    assert [(r.status, r.body) for r in told if r] == [(a.status, a.content) for a in answers]
    assert [answer.status for answer in answers] == [200, 401, 405, 401]
    optum_auth.problems()


def test_the_response_is_what_a_fault_has_made_of_it(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.replacing(expires_in="7200"))
    optum_auth.inject(faults.http_error(503, text="down"))

    answers = [ask(send, optum_auth), ask(send, optum_auth)]

    told = [exchange.response for exchange in optum_auth.exchanges]
    assert [r.body for r in told if r] == [answer.content for answer in answers]


def test_head_has_a_response_without_a_body(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("HEAD", "/claims", json={"claims": 2})

    call(send, optum_auth.issue_token(), f"{optum_auth.base_url}/claims", method="HEAD")

    response = optum_auth.api_requests[0].response
    assert response is not None
    assert (response.body, response.headers["Content-Length"]) == (b"", "13")


@IN_PROCESS
def test_a_network_fault_has_no_response(transport: Transport, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.disconnect())

    with pytest.raises(transport.disconnect_error):
        transport.send("POST", optum_auth.token_url, data=fields(optum_auth))

    [exchange] = optum_auth.exchanges
    assert (exchange.status, exchange.response) == (None, None)
    assert get_token(transport.send, optum_auth)
