"""Answers as RFC 9110 describes them, whichever client asks."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from token_requests import START, ask, at_new_year, call
from transports_under_test import IN_PROCESS, Send, Transport, send_over_https
from transports_under_test import send_with_requests as send_here
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum, Server, faults

PATH = "/oihub/claim/inquiry/v1"


# Date: section 6.6.1.


@at_new_year
@pytest.mark.parametrize("skew", [0, 45, -45])
def test_every_answer_tells_the_time_of_the_server(
    skew: int, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.clock_skew = skew
    optum_auth.strict = False
    optum_auth.protect("GET", PATH)
    optum_auth.inject(faults.rate_limited())

    answers = [
        ask(send, optum_auth),
        ask(send, optum_auth),
        ask(send, optum_auth, client_secret="x"),
        call(send, "x"),
        call(send, optum_auth.issue_token()),
        call(send, "x", method="DELETE"),
    ]

    assert [answer.status for answer in answers] == [429, 200, 401, 401, 200, 405]
    for answer in answers:
        told = parsedate_to_datetime(answer.headers["Date"])
        assert told == START + dt.timedelta(seconds=skew)


@at_new_year
def test_the_date_follows_the_clock(send: Send, optum_auth: FakeOptum, optum_clock: Clock) -> None:
    optum_clock.tick(3601)

    assert ask(send, optum_auth).headers["Date"] == "Thu, 01 Jan 2026 01:00:01 GMT"


@at_new_year
def test_answers_that_only_a_served_fake_gives_have_it_too(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False

    def fail(_: object) -> None:
        raise ValueError("wrong")

    optum_auth.protect("GET", PATH, json=fail)
    token = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
    answers = [
        send_over_https(optum_server, "GET", f"{optum_server.base_url}/nowhere"),
        send_over_https(optum_server, "GET", optum_server.base_url + PATH, headers=token),
        send_over_https(
            optum_server, "GET", optum_server.base_url, headers={"Content-Length": "x"}
        ),
    ]

    assert [answer.status for answer in answers] == [404, 500, 400]
    assert {answer.headers["Date"] for answer in answers} == {"Thu, 01 Jan 2026 00:00:00 GMT"}


def test_a_date_of_the_users_own_is_left(send: Send, optum_auth: FakeOptum) -> None:
    given = "Sun, 06 Nov 1994 08:49:37 GMT"
    optum_auth.inject(faults.http_error(503, headers={"date": given}))

    assert ask(send, optum_auth).headers["Date"] == given


# Answers without a body: sections 9.3.2, 15.2, 15.3.5, 15.3.6, 15.4.5.


@pytest.mark.parametrize(("status", "length"), [(204, None), (205, "0"), (304, None)])
def test_an_answer_that_has_no_body_never_has_one(
    status: int, length: str | None, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.http_error(status, text="not sent", headers={"X-Mine": "1"}))

    answers = [ask(send, optum_auth), ask(send, optum_auth)]

    assert [answer.status for answer in answers] == [status, 200]
    assert answers[0].content == b""
    assert answers[0].headers.get("Content-Length") == length
    assert answers[0].headers["X-Mine"] == "1"


def test_a_204_cannot_tell_a_length(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.http_error(204, headers={"Content-Length": "5"}))

    assert "Content-Length" not in ask(send, optum_auth).headers


def test_an_answer_with_the_fields_of_one_that_came_in_chunks_is_whole(
    send: Send, optum_auth: FakeOptum
) -> None:
    recorded = {"Transfer-Encoding": "chunked", "Content-Type": "text/plain"}
    optum_auth.protect("GET", PATH, text="all of it", headers=recorded)

    answers = [call(send, optum_auth.issue_token()) for _ in range(2)]

    assert [answer.content for answer in answers] == [b"all of it"] * 2
    assert [answer.headers["Content-Length"] for answer in answers] == ["9"] * 2


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_httpx_is_told_the_phrase_of_a_status(library: Any, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.http_error(418))

    assert library.post(optum_auth.token_url).extensions["reason_phrase"] == b"I'm a Teapot"


CUT = (
    requests.exceptions.ChunkedEncodingError,
    httpx.RemoteProtocolError,
    httpx2.RemoteProtocolError,
    aiohttp.ClientPayloadError,
    urllib3.exceptions.ProtocolError,
)


def test_an_answer_that_is_shorter_than_it_says_is_cut(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, json=[], headers={"Content-Length": "50"})

    with pytest.raises(CUT):
        call(send, optum_auth.issue_token())


@IN_PROCESS
@pytest.mark.parametrize("status", [100, 103])
def test_after_an_interim_answer_the_client_waits_in_vain(
    status: int, transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.http_error(status))

    with pytest.raises(transport.disconnect_error):
        ask(transport.send, optum_auth)

    assert optum_auth.token_requests[0].status == status


def test_head_of_an_api_that_is_protected_for_get_is_get_without_the_body(
    send: Send, optum_auth: FakeOptum
) -> None:
    api = optum_auth.protect("GET", PATH, json={"claims": []}, headers={"ETag": '"1"'})
    token = optum_auth.issue_token()

    head, get = (call(send, token, method=method) for method in ("HEAD", "GET"))

    assert (head.status, head.content, get.content) == (200, b"", b'{"claims": []}')
    for name in ("Content-Type", "Content-Length", "ETag"):
        assert head.headers[name] == get.headers[name]
    assert [exchange.method for exchange in api.requests] == ["HEAD", "GET"]


def test_head_without_a_good_token_is_refused_as_get_is(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)

    answer = call(send_here, "x", method="HEAD")

    assert (answer.status, answer.content) == (401, b"")
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


def test_an_api_that_is_protected_for_head_itself_answers_it(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)
    own = optum_auth.protect("HEAD", PATH, status=204)

    assert call(send_here, optum_auth.issue_token(), method="HEAD").status == 204
    assert len(own.requests) == 1


def test_head_of_an_api_without_get_is_another_method(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    optum_auth.protect("POST", PATH)

    answer = call(send_here, optum_auth.issue_token(), method="HEAD")

    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


# nbf: RFC 7519 section 4.1.5.


@at_new_year
@pytest.mark.parametrize("clock_skew", [0, 30])
def test_a_token_is_not_good_before_its_nbf(
    clock_skew: int, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.clock_skew = clock_skew
    optum_auth.protect("GET", PATH)
    token = optum_auth.issue_token(nbf=int(optum_clock.time) + clock_skew + 3600)

    statuses = []
    for seconds in (0, 3599, 1):
        optum_clock.tick(seconds)
        statuses.append(call(send_here, token).status)

    assert statuses == [401, 401, 200]
    assert token.claims["nbf"] == START.timestamp() + clock_skew + 3600
    first = optum_auth.api_requests[0]
    assert first.outcome == "token #1 is not good yet: its nbf is 3600 s ahead"
    assert first.response is not None
    assert 'error_description="The access token is not valid yet"' in str(first.response.headers)


@at_new_year
def test_a_token_that_is_not_good_yet_is_not_held(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.issue_token(nbf=optum_clock.time + 0.5)
    ask(send_here, optum_auth)
    optum_clock.tick(1)
    optum_auth.revoke()
    ask(send_here, optum_auth)

    assert [exchange.needless for exchange in optum_auth.token_requests] == [False, True]


@at_new_year
def test_a_token_without_nbf_is_good_also_before_it_was_issued(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.protect("GET", PATH)
    token = optum_auth.issue_token()
    optum_clock.move_to("1960-01-01T00:00:00Z")

    assert call(send_here, token).status == 200


@pytest.mark.parametrize("nbf", ["soon", None, True, -1, float("nan"), 253_402_300_800])
def test_an_nbf_that_is_no_time_is_refused(nbf: object, optum_auth: FakeOptum) -> None:
    message = (
        f"nbf={nbf!r}: nbf must be seconds since 1970, as int(optum_clock.time) + 60 "
        "(RFC 7519 section 4.1.5)"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.issue_token(nbf=nbf)


@at_new_year
def test_an_nbf_may_be_the_last_second_of_the_calendar(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)

    answer = call(send_here, optum_auth.issue_token(nbf=253_402_300_799))

    assert answer.status == 401
    assert optum_auth.api_requests[0].outcome == (
        "token #1 is not good yet: its nbf is 251635075199 s ahead"
    )


# Scopes: RFC 6749 section 3.3.


def test_tokens_of_two_scopes_of_one_client_are_no_needless_requests(
    optum_auth: FakeOptum,
) -> None:
    for scope in (None, "openid", "openid email", "email openid", "openid"):
        ask(send_here, optum_auth, scope=scope)

    needless = [exchange.needless for exchange in optum_auth.token_requests]
    assert needless == [False, False, False, True, True]


def test_revoking_the_token_of_one_scope_leaves_that_of_another_held(
    optum_auth: FakeOptum,
) -> None:
    for scope in ("openid", "email", "email"):
        ask(send_here, optum_auth, scope=scope)
    optum_auth.revoke()
    ask(send_here, optum_auth, scope="email")
    optum_auth.revoke(optum_auth.tokens[0])
    ask(send_here, optum_auth, scope="openid")

    needless = [exchange.needless for exchange in optum_auth.token_requests]
    assert needless == [False, False, True, True, False]


def test_only_a_space_separates_the_scopes_of_a_request(optum_auth: FakeOptum) -> None:
    answer = ask(send_here, optum_auth, scope="openid\temail")

    assert answer.status == 403
