"""The token endpoint, v3: what it accepts, and what it then answers and keeps."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import schemas
from token_requests import ask, fields, get_token
from transports_under_test import Send, Transport
from wrong_requests import (
    FORM,
    Flawed,
    basic,
)

from pytest_optum_auth import FakeOptum

HOSTS = ["sandbox-apigw.optum.com", "apigw.optum.com"]


PATHS = ["/apip/auth/sntl/v1/token", "/auth/sntl/v1/token"]


ALL_SCOPES = "broker-read-token idp openid email profile"


@pytest.fixture
def right(optum_auth: FakeOptum) -> Flawed:
    return Flawed(fields(optum_auth))


ALWAYS = ["Content-Type", "Cache-Control", "Pragma"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", HOSTS)
def test_a_right_request_gets_the_documented_answer(
    host: str, path: str, send: Send, optum_auth: FakeOptum
) -> None:
    answer = send("POST", f"https://{host}{path}", data=fields(optum_auth))

    assert answer.status == 200
    content = answer.json()
    schemas.check(content, schemas.SUCCESS)
    assert list(content) == [
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "token_type",
        "not-before-policy",
        "scope",
    ]
    token = optum_auth.tokens[0]
    assert content == {
        "access_token": token.value,
        "expires_in": 7200,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": ALL_SCOPES,
    }
    assert {name: answer.headers.get(name) for name in ALWAYS} == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Pragma": "no-cache",
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://SANDBOX-apigw.Optum.com/apip/auth/sntl/v1/token",
        "https://sandbox-apigw.optum.com:443/apip/auth/sntl/v1/token",
        "https://sandbox-apigw.optum.com./apip/auth/sntl/v1/token",
        "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token?trace=1",
    ],
)
def test_the_same_host_in_another_spelling_is_the_gateway(
    url: str, send: Send, optum_auth: FakeOptum
) -> None:
    assert send("POST", url, data=fields(optum_auth)).status == 200


@pytest.mark.parametrize(
    "given", [f"{FORM};charset=UTF-8", f"{FORM} ; charset=utf-8", FORM.upper()]
)
def test_a_media_type_may_have_parameters_and_any_case(
    given: str, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.headers["Content-Type"] = given

    assert right.send_by(send, optum_auth.token_url).status == 200


def test_unknown_fields_are_ignored(send: Send, optum_auth: FakeOptum) -> None:
    assert ask(send, optum_auth, audience="x", GRANT_TYPE="password").status == 200


def test_an_unknown_field_may_be_given_twice(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.tail = b"&audience=x&audience=y"

    assert right.send_by(send, optum_auth.token_url).status == 200


def test_the_order_of_the_fields_does_not_matter(send: Send, optum_auth: FakeOptum) -> None:
    backwards = dict(reversed(fields(optum_auth).items()))

    assert send("POST", optum_auth.token_url, data=backwards).status == 200


def test_a_basic_header_beside_right_form_fields_is_accepted_and_noted(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    basic()(right)

    assert right.send_by(send, optum_auth.token_url).status == 200
    assert optum_auth.exchanges[0].outcome == (
        "issued token #1 (Basic header ignored beside the form fields)"
    )


def test_a_bearer_token_beside_right_form_fields_changes_nothing(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.headers["Authorization"] = "Bearer stale"

    assert right.send_by(send, optum_auth.token_url).status == 200
    assert optum_auth.exchanges[0].outcome == "issued token #1"


@pytest.mark.parametrize("secret", ["a&b=c+d%20/e f", "sécrét ключ", "'\"\\<>{}"])
def test_a_secret_may_hold_any_characters(secret: str, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.add_client("awkward", secret)

    right = ask(send, optum_auth, client_id="awkward", client_secret=secret)
    wrong = ask(send, optum_auth, client_id="awkward", client_secret=secret + "x")

    assert (right.status, wrong.status) == (200, 401)


def test_a_granted_scope_narrows_the_token(send: Send, optum_auth: FakeOptum) -> None:
    answer = ask(send, optum_auth, scope="profile openid profile")

    assert answer.json()["scope"] == "profile openid"
    assert optum_auth.tokens[0].scope == "profile openid"


def test_an_empty_scope_asks_for_everything_granted(send: Send, optum_auth: FakeOptum) -> None:
    assert ask(send, optum_auth, scope="").json()["scope"] == ALL_SCOPES


def test_what_the_journal_keeps_of_a_request_is_what_was_sent(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    sent = fields(optum_auth, scope="openid")

    transport.send("POST", f"{optum_auth.token_url}?trace=1", data=sent, headers={"X-Trace": "a"})

    [exchange] = optum_auth.exchanges
    assert exchange.kind == "token"
    assert exchange.transport == transport.name
    assert exchange.method == "POST"
    assert exchange.url == f"{optum_auth.token_url}?trace=1"
    assert exchange.path == "/apip/auth/sntl/v1/token"
    assert exchange.headers["x-TRACE"] == "a"
    assert exchange.headers["Content-Type"] == FORM
    assert exchange.headers["host"] == "sandbox-apigw.optum.com"
    assert exchange.form == sent
    assert exchange.body == urlencode(sent).encode()
    assert exchange.status == 200
    assert exchange.token is optum_auth.tokens[0]
    assert exchange.path_params == {}


def test_neither_the_secret_nor_the_token_shows_in_a_repr(
    send: Send, optum_auth: FakeOptum
) -> None:
    token = get_token(send, optum_auth)
    exchange = optum_auth.exchanges[0]
    secret = optum_auth.credentials.client_secret

    shown = [
        repr(thing)
        for thing in (
            optum_auth,
            optum_auth.credentials,
            optum_auth.exchanges,
            exchange,
            exchange.form,
            exchange.headers,
            exchange.body,
            optum_auth.tokens,
        )
    ]

    assert exchange.form["client_secret"] == secret
    assert not any(
        secret in text or token in text or urlencode({"": secret})[1:] in text for text in shown
    )
    assert shown[4] == (
        "{'grant_type': 'client_credentials', 'client_id': 'optum-test-client-1', "
        "'client_secret': '***'}"
    )
    assert shown[6] == f"<{len(exchange.body)} bytes>"


def test_credentials_in_a_url_are_masked_in_the_journal(send: Send, optum_auth: FakeOptum) -> None:
    send(
        "POST",
        f"{optum_auth.token_url}?client_secret=hush&CLIENT_SECRET=hush&trace=1",
        data=fields(optum_auth),
    )

    assert optum_auth.exchanges[0].url == (
        f"{optum_auth.token_url}?client_secret=***&CLIENT_SECRET=***&trace=1"
    )
