"""Faults that answer and successes that are broken; beside each the call without the fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemas
from published_errors import SERVER_ERROR, optum_error
from token_requests import API, ask, call, fields, get_token
from transports_under_test import Answer, Send, Transport, send_with_requests

from pytest_optum_auth import FakeOptum, Fault, faults

PAGE = b"<html><head><title>502</title></head><body><h1>502</h1></body></html>"


RATE_LIMITED = optum_error(429, "TooManyRequests", "Too many requests. Please retry later.")


INVALID_CLIENT = optum_error(
    401, "InvalidClient", "Client authentication failed: invalid client_secret."
)


@dataclass(frozen=True)
class Row:
    """A fault that answers: what it is called, and the answer.

    It is made in the test: a fault that cannot be made fails its test, not the file.
    """

    make: Callable[[], Fault]
    shown: str
    status: int
    content: Any
    headers: dict[str, str | None] = field(default_factory=dict)


ANSWERS = [
    Row(lambda: faults.http_error(503), "http_error(503)", 503, b"", {"Content-Type": None}),
    Row(
        lambda: faults.http_error(599, json={"a": [1]}),
        "http_error(599)",
        599,
        {"a": [1]},
        {"Content-Type": "application/json"},
    ),
    Row(lambda: faults.http_error(400, json=False), "http_error(400)", 400, False),
    Row(
        lambda: faults.http_error(404, text="né"),
        "http_error(404)",
        404,
        "né".encode(),
        {"Content-Type": "text/plain; charset=utf-8"},
    ),
    Row(lambda: faults.http_error(410, text=""), "http_error(410)", 410, b""),
    Row(
        lambda: faults.http_error(
            418, json={}, headers={"content-type": "application/tea", "X-A": "1"}
        ),
        "http_error(418)",
        418,
        b"{}",
        {"Content-Type": "application/tea", "X-A": "1"},
    ),
    Row(
        faults.server_error,
        "server_error()",
        500,
        SERVER_ERROR,
        {"Content-Type": "application/json", "Cache-Control": "no-store"},
    ),
    Row(faults.rate_limited, "rate_limited()", 429, RATE_LIMITED, {"Retry-After": None}),
    Row(
        lambda: faults.rate_limited(7),
        "rate_limited(retry_after=7)",
        429,
        RATE_LIMITED,
        {"Retry-After": "7"},
    ),
    Row(
        lambda: faults.rate_limited(retry_after=0),
        "rate_limited(retry_after=0)",
        429,
        RATE_LIMITED,
        {"Retry-After": "0"},
    ),
    Row(
        faults.gateway_error,
        "gateway_error(502)",
        502,
        PAGE,
        {"Content-Type": "text/html; charset=utf-8"},
    ),
    Row(lambda: faults.gateway_error(504), "gateway_error(504)", 504, PAGE.replace(b"502", b"504")),
    Row(faults.invalid_client, "invalid_client()", 401, INVALID_CLIENT),
]


def content_of(answer: Answer, expected: Any) -> Any:
    return answer.content if isinstance(expected, bytes) else answer.json()


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row.shown)
def test_a_fault_that_answers_replaces_the_answer(
    row: Row, send: Send, optum_auth: FakeOptum
) -> None:
    fault = row.make()
    injection = optum_auth.inject(fault)

    spoiled, control = ask(send, optum_auth), ask(send, optum_auth)

    assert (spoiled.status, content_of(spoiled, row.content)) == (row.status, row.content)
    assert {name: spoiled.headers.get(name) for name in row.headers} == row.headers
    assert repr(fault) == row.shown
    assert optum_auth.token_requests[0].outcome == f"fault: {row.shown}"
    assert injection.hits == 1
    assert control.status == 200
    schemas.check(control.json(), schemas.SUCCESS)
    assert len(optum_auth.tokens) == 1


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: faults.http_error(500, json={}), "Content-Type"),
        (faults.gateway_error, "Content-Type"),
        (faults.not_json, "Content-Type"),
        (lambda: faults.rate_limited(1), "Retry-After"),
    ],
    ids=["http_error", "gateway_error", "not_json", "rate_limited"],
)
def test_a_header_is_spelled_as_usual_for_who_looks_into_a_plain_dict(
    make: Callable[[], Fault], name: str, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(make())

    assert name in list(ask(send_with_requests, optum_auth).headers)


@pytest.mark.parametrize(
    ("make", "error", "description"),
    [
        (faults.server_error, "server_error", SERVER_ERROR["Errors"][0]),
        (faults.rate_limited, "temporarily_unavailable", RATE_LIMITED["Errors"][0]),
        (faults.invalid_client, "invalid_client", INVALID_CLIENT["Errors"][0]),
    ],
)
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_a_published_error_follows_the_error_format(
    version: str,
    make: Callable[[], Fault],
    error: str,
    description: str,
    send: Send,
    optum_auth: FakeOptum,
) -> None:
    optum_auth.error_format = "rfc6749" if version == "v3" else "optum"
    optum_auth.inject(make())

    if version == "v3":
        answer = ask(send, optum_auth)
    else:
        url = f"{optum_auth.base_url}/apip/auth/v2/token"
        answer = send("POST", url, json=fields(optum_auth))

    assert answer.json() == {"error": error, "error_description": description}


def succeed(send: Send, optum_auth: FakeOptum) -> dict[str, Any]:
    content: dict[str, Any] = ask(send, optum_auth).json()
    content.pop("access_token", None)
    return content


@pytest.mark.parametrize(
    ("make", "shown", "content", "media_type"),
    [
        (
            faults.not_json,
            "not_json()",
            b"<html><body>OK</body></html>",
            "text/html; charset=utf-8",
        ),
        (faults.empty_body, "empty_body()", b"", "application/json"),
    ],
    ids=["not_json", "empty_body"],
)
def test_a_success_may_come_with_a_body_that_is_none(
    make: Callable[[], Fault],
    shown: str,
    content: bytes,
    media_type: str,
    send: Send,
    optum_auth: FakeOptum,
) -> None:
    fault = make()
    optum_auth.inject(fault)

    spoiled, control = ask(send, optum_auth), ask(send, optum_auth)

    assert (spoiled.status, spoiled.content) == (200, content)
    assert spoiled.headers["Content-Type"] == media_type
    assert optum_auth.token_requests[0].outcome == f"fault: {shown}"
    assert repr(fault) == shown
    schemas.check(control.json(), schemas.SUCCESS)
    # The client never learnt of a token: none counts as held.
    assert len(optum_auth.tokens) == 1
    assert len(optum_auth.needless_token_requests) == 0


@pytest.mark.parametrize("keys", [("expires_in",), ("scope", "not-before-policy")])
def test_a_success_may_lack_keys(keys: tuple[str, ...], send: Send, optum_auth: FakeOptum) -> None:
    fault = faults.without(*keys)
    optum_auth.inject(fault)

    spoiled, control = succeed(send, optum_auth), succeed(send, optum_auth)

    assert spoiled == {key: value for key, value in control.items() if key not in keys}
    shown = ", ".join(map(repr, keys))
    assert repr(fault) == f"without({shown})"
    assert optum_auth.token_requests[0].outcome == f"fault: without({shown}), issued token #1"


def test_a_success_may_hold_other_values(send: Send, optum_auth: FakeOptum) -> None:
    fault = faults.replacing(expires_in="7200", token_type="bearer", extra=None)
    optum_auth.inject(fault)

    spoiled, control = succeed(send, optum_auth), succeed(send, optum_auth)

    changed = {"expires_in": "7200", "token_type": "bearer", "extra": None}
    assert spoiled == control | changed
    assert repr(fault) == "replacing(expires_in='7200', token_type='bearer', extra=None)"


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda: faults.without("access_token"), "without('access_token')"),
        (lambda: faults.replacing(access_token="hush"), "replacing(access_token=...)"),
    ],
    ids=["without", "replacing"],
)
def test_a_token_that_the_client_never_learns_is_not_issued(
    make: Callable[[], Fault], shown: str, send: Send, optum_auth: FakeOptum
) -> None:
    fault = make()
    optum_auth.inject(fault)

    spoiled = ask(send, optum_auth)
    ask(send, optum_auth)

    assert spoiled.status == 200
    assert len(optum_auth.tokens) == 1
    assert repr(fault) == shown
    assert len(optum_auth.needless_token_requests) == 0


@pytest.mark.parametrize(
    "make", [faults.not_json, lambda: faults.replacing(expires_in=1)], ids=["none", "other"]
)
def test_a_broken_success_waits_for_a_request_that_would_succeed(
    make: Callable[[], Fault], send: Send, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(make())

    refused = ask(send, optum_auth, client_secret="wrong")
    hits = injection.hits
    ask(send, optum_auth)

    assert (refused.status, hits, injection.hits) == (401, 0, 1)


@pytest.mark.parametrize("make", [faults.server_error, faults.disconnect])
def test_every_other_fault_is_met_by_a_wrong_request_too(
    make: Callable[[], Fault], transport: Transport, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(make())

    try:
        status = ask(transport.send, optum_auth, client_secret="wrong").status
    except transport.disconnect_error:
        status = 0

    assert status in (0, 500)
    assert injection.hits == 1


def test_a_fault_on_an_api_does_not_touch_the_token_endpoint(
    send: Send, optum_auth: FakeOptum
) -> None:
    route = optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    injection = route.inject(faults.server_error())

    token = get_token(send, optum_auth)
    hits = injection.hits
    answer = call(send, token, API)

    assert (hits, answer.status, injection.hits) == (0, 500, 1)


def test_a_fault_of_ones_own_that_raises_reaches_the_caller(optum_auth: FakeOptum) -> None:
    def spoil(answer: object) -> Any:
        raise LookupError("of the fault")

    optum_auth.inject(faults.Fault("odd()", spoil=spoil))

    with pytest.raises(LookupError, match="of the fault"):
        ask(send_with_requests, optum_auth)

    assert optum_auth.token_requests[0].outcome == "LookupError while the answer was made"
    assert optum_auth.problems() == "the token endpoint: LookupError: of the fault"
