"""The token request of a live run: what is sent, and what is made of each answer."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from email.message import Message
from email.utils import formatdate
from typing import Any

import jwt
import pytest
from stand_in import CLIENT_ID, CLIENT_SECRET, StandIn

from pytest_optum_auth.core.clients import Credentials
from pytest_optum_auth.live.sandbox.http import Answer, LiveError
from pytest_optum_auth.live.sandbox.token_request import (
    CredentialsRefusedError,
    read_token,
    request_token,
)

NOW = 1_800_000_000.0
CREDENTIALS = Credentials(CLIENT_ID, CLIENT_SECRET)


def answer(status: int, body: object, **headers: str) -> Answer:
    """An answer of the sandbox; a body that is no text is sent as JSON."""
    message = Message()
    for name, value in {"Content_Type": "application/json", **headers}.items():
        message[name.replace("_", "-")] = value
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, message, text.encode())


def success(**changed: Any) -> Answer:
    """A good answer, some of it changed."""
    return answer(200, {"access_token": "opaque", "expires_in": 7200, **changed})


def a_jwt(lifetime: int) -> str:
    return jwt.encode({"iat": 50, "exp": 50 + lifetime}, "k" * 32, "HS256")


def test_the_request_is_the_documented_one(
    stand_in: StandIn, live_credentials: dict[str, str]
) -> None:
    token = request_token(stand_in.token_url, CREDENTIALS)

    assert token.value == stand_in.tokens[0]
    assert token.value not in repr(token)
    assert stand_in.requests == [
        (
            "POST",
            {
                "grant_type": ["client_credentials"],
                "client_id": [CLIENT_ID],
                "client_secret": [CLIENT_SECRET],
            },
        )
    ]


@pytest.mark.parametrize(
    ("changed", "seconds"),
    [
        ({}, 7200),
        ({"expires_in": "7200"}, 7200),
        ({"access_token": a_jwt(3600)}, 3600),
        ({"access_token": a_jwt(9000)}, 7200),
        ({"expires_in": None, "access_token": a_jwt(3600)}, 3600),
        ({"access_token": jwt.encode({"iat": 1}, "k" * 32, "HS256")}, 7200),
        ({"expires_in": None}, 0),
    ],
)
def test_a_token_is_used_for_the_shortest_of_the_times_it_is_given(
    changed: dict[str, Any], seconds: int
) -> None:
    assert read_token("host", success(**changed), NOW).expires_at == NOW + seconds


@pytest.mark.parametrize(
    ("said", "variables"),
    [
        ("Client authentication failed: invalid client_secret.", "OPTUM_CLIENT_SECRET"),
        ("Client authentication failed: invalid client_id.", "OPTUM_CLIENT_ID"),
        ("No.", "OPTUM_CLIENT_ID and OPTUM_CLIENT_SECRET"),
    ],
)
def test_a_refusal_names_the_variable_to_look_at(said: str, variables: str) -> None:
    with pytest.raises(CredentialsRefusedError) as raised:
        read_token("host", answer(401, {"status": "401", "Errors": [said]}), NOW)

    assert str(raised.value) == (
        f"host refused the credentials (401): check {variables}, credentials of production or of "
        "another organisation are not valid here."
    )


HTML = (
    "host answered {} with an HTML page: a proxy, a firewall or a sign-in page stands in between, "
    "check HTTPS_PROXY and OPTUM_TOKEN_URL."
)
NO_JSON = (
    "host answered 200 with a body that is not a JSON object: check that OPTUM_TOKEN_URL is the "
    "token endpoint and that no proxy answers in its place."
)
NO_TOKEN = (
    "host answered 200 without an access_token: check that OPTUM_TOKEN_URL is the token endpoint."
)
DOWN = "host answered {}: the sandbox is down, try again {}."
PAGE_OF_AN_OUTAGE = (
    "host answered 502: the sandbox is down, or a proxy in between (check HTTPS_PROXY), try again "
    "{}."
)
MANY = "host answered 429: these are too many requests, try again {}."
FORBIDDEN = (
    "host refused the client (403): ask Optum whether it may use this host; a firewall in between "
    "says the same, check HTTPS_PROXY."
)
PATH = "host answered {}: check the path in OPTUM_TOKEN_URL."
REDIRECT = (
    "host answered {}, a redirect, which is never followed with a secret: set OPTUM_TOKEN_URL to "
    "the address of the token endpoint itself."
)
CHANGED = (
    "host answered {} to a documented token request: check OPTUM_TOKEN_URL, or run the contract "
    "(pytest --pyargs pytest_optum_auth.contract) to see what changed."
)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (answer(200, "<html>sign in", Content_Type="text/html"), HTML.format(200)),
        (answer(404, "  <!doctype html>", Content_Type="text/plain"), HTML.format(404)),
        (answer(502, "<html>", Content_Type="text/html"), PAGE_OF_AN_OUTAGE.format("later")),
        (
            answer(502, "<html>", Content_Type="text/html", Retry_After="9"),
            PAGE_OF_AN_OUTAGE.format("in 9 seconds (Retry-After)"),
        ),
        (answer(429, "<html>", Content_Type="text/html"), MANY.format("later")),
        (answer(301, "<html>", Content_Type="text/html"), REDIRECT.format(301)),
        (answer(200, "so be it", Content_Type="text/plain"), NO_JSON),
        (answer(200, ["a list"]), NO_JSON),
        (answer(200, ""), NO_JSON),
        (answer(200, "[" * 100_000), NO_JSON),
        (answer(200, {"token": "here"}), NO_TOKEN),
        (success(access_token=""), NO_TOKEN),
        (success(access_token=7), NO_TOKEN),
        (answer(429, {}), MANY.format("later")),
        (answer(429, {}, Retry_After="120"), MANY.format("in 120 seconds (Retry-After)")),
        (answer(503, ""), DOWN.format(503, "later")),
        (
            answer(503, "", Retry_After="Thu, 01 Jan 2026 10:00:00 GMT"),
            DOWN.format(503, "after 2026-01-01 10:00:00 UTC (Retry-After)"),
        ),
        (
            answer(503, "", Retry_After="Thu, 01 Jan 2026 10:00:00 -0000"),
            DOWN.format(503, "after 2026-01-01 10:00:00 UTC (Retry-After)"),
        ),
        (answer(404, {}), PATH.format(404)),
        (answer(405, {}), PATH.format(405)),
        (answer(302, "", Location="https://example.com"), REDIRECT.format(302)),
        (answer(415, {}), CHANGED.format(415)),
    ],
)
def test_an_answer_without_a_token_is_told_in_one_sentence(given: Answer, sentence: str) -> None:
    with pytest.raises(LiveError) as raised:
        read_token("host", given, NOW)

    assert (str(raised.value), type(raised.value)) == (sentence, LiveError)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(400, CHANGED.format(400)), (403, FORBIDDEN)],
)
def test_a_client_error_counts_as_a_refusal(status: int, sentence: str) -> None:
    with pytest.raises(CredentialsRefusedError) as raised:
        read_token("host", answer(status, {}), NOW)

    assert str(raised.value) == sentence


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_is_one_by_its_status_also_as_a_page(status: int) -> None:
    with pytest.raises(CredentialsRefusedError) as raised:
        read_token("host", answer(status, "<html>no", Content_Type="text/html"), NOW)

    assert str(raised.value) == HTML.format(status)


@pytest.mark.parametrize(
    ("server_time", "words"),
    [(NOW + 400, "400 seconds behind"), (NOW - 400, "400 seconds ahead of")],
)
def test_a_clock_far_from_the_servers_is_told(server_time: float, words: str) -> None:
    given = success()
    given.headers["Date"] = formatdate(server_time, usegmt=True)

    with pytest.raises(LiveError) as raised:
        read_token("host", given, NOW)

    assert str(raised.value) == (
        f"The clock here is {words} that of host: a live test needs the real time, take the frozen "
        "clock out of it or set the clock of this machine."
    )


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
def test_a_client_may_be_refused_by_400(code: str) -> None:
    with pytest.raises(CredentialsRefusedError, match=r"refused the credentials \(400\): check"):
        read_token("host", answer(400, {"error": code}), NOW)


def test_a_body_may_begin_with_the_mark_of_its_encoding() -> None:
    given = success()

    assert read_token("host", replace(given, body=b"\xef\xbb\xbf" + given.body), NOW)


@pytest.mark.parametrize(
    "date", [formatdate(NOW - 100, usegmt=True), formatdate(NOW), "no date at all"]
)
def test_a_clock_that_is_about_right_or_unknown_is_accepted(
    date: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    # Of -0000 Python makes a time of this machine.
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    request.addfinalizer(time.tzset)
    request.addfinalizer(monkeypatch.undo)
    given = success()
    given.headers["Date"] = date

    assert read_token("host", given, NOW).value == "opaque"
