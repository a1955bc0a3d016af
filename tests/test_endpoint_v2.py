"""The older token endpoint, v2: JSON or a form in, errors always in the shape of RFC 6749."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import schemas
from token_requests import call, fields
from transports_under_test import Answer, Send, Transport, send_with_requests
from wrong_requests import BASIC, GRANT_TYPE, QUERY

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.core.settings import ErrorFormat

URL = "https://sandbox-apigw.optum.com/apip/auth/v2/token"
NOT_JSON = "The request body is not a JSON object."


def ask(send: Send, optum_auth: FakeOptum, **changes: Any) -> Answer:
    return send("POST", URL, json=fields(optum_auth) | changes)


@dataclass(frozen=True)
class Row:
    """A wrong request and its answer; ``body`` replaces the fields, which ``changes`` change."""

    id: str
    status: int
    reason: str
    outcome: str
    changes: dict[str, Any] | None = None
    body: bytes | None = None
    code: str = "invalid_request"
    method: str = "POST"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


def bad_body(id: str, body: bytes, reason: str = NOT_JSON) -> Row:
    return Row(id, 400, reason, f"refused: {reason[:-1]}", body=body)


def bad_field(id: str, reason: str, **changes: Any) -> Row:
    return Row(id, 400, reason, f"refused: {reason[:-1]}", changes)


FORM = "application/x-www-form-urlencoded"
BASIC_HEADER = (("Content-Type", "application/json"), ("Authorization", "Basic eDp5"))
# In the order of the checks.
ROWS = [
    Row(
        "method", 405, "Method 'PUT' is not allowed. Use 'POST'.", "refused: not POST", method="PUT"
    ),
    Row(
        "text",
        415,
        f"Content-Type 'text/plain' is not supported. Use 'application/json' or '{FORM}'.",
        "refused: Content-Type is 'text/plain'",
        headers=(("Content-Type", "text/plain"),),
    ),
    Row("query", 400, QUERY, "refused: credentials in the query string", query="?Client_ID=x"),
    Row(
        "basic",
        400,
        BASIC,
        "refused: credentials in a Basic header, not in the form",
        {"client_secret": ""},
        headers=BASIC_HEADER,
    ),
    bad_body("not-json", b"grant_type=client_credentials"),
    bad_body("no-body", b""),
    bad_body("array", b'["grant_type"]'),
    bad_body("null", b"null"),
    bad_body("string", b'"x"'),
    bad_body("deep", b"[" * 100_000),
    bad_body("pairs-in-an-array", b'[["grant_type", "client_credentials"]]'),
    bad_body("not-utf8", b'{"grant_type": "\xff"}', "The request body is not valid UTF-8."),
    bad_field("no-grant", GRANT_TYPE, grant_type=""),
    bad_field("no-id", "Field 'client_id' is required.", client_id=""),
    bad_field("no-secret", "Field 'client_secret' is required.", client_secret=""),
    bad_field("null-secret", "Field 'client_secret' is required.", client_secret=None),
    bad_field("number", "Field 'client_id' must be a string.", client_id=7),
    bad_field("list", "Field 'client_secret' must be a string.", client_secret=["x"]),
    bad_field("object", "Field 'grant_type' must be a string.", grant_type={}),
    bad_field("scope-number", "Field 'scope' must be a string.", scope=1),
    Row(
        "grant",
        400,
        GRANT_TYPE,
        "refused: grant_type is not client_credentials",
        {"grant_type": "password"},
        code="unsupported_grant_type",
    ),
    Row(
        "client",
        401,
        "Client authentication failed: invalid client_id.",
        "refused: client_id is unknown",
        {"client_id": "nobody"},
        code="invalid_client",
    ),
    Row(
        "secret",
        401,
        "Client authentication failed: invalid client_secret.",
        "refused: client_secret is wrong",
        {"client_secret": "x"},
        code="invalid_client",
    ),
    Row(
        "scope",
        403,
        "Requested scope 'admin' is not permitted for this client.",
        "refused: scope 'admin' is not granted to the client",
        {"scope": "admin"},
        code="invalid_scope",
    ),
]


@pytest.mark.parametrize("error_format", ["optum", "rfc6749"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_wrong_request_is_refused_in_the_shape_of_rfc_6749_whatever_the_setting(
    row: Row, error_format: ErrorFormat, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = error_format
    body = json.dumps(fields(optum_auth) | (row.changes or {})).encode()

    answer = send(
        row.method,
        f"{URL}{row.query}",
        headers=dict(row.headers),
        content=body if row.body is None else row.body,
    )

    assert answer.status == row.status
    schemas.check(answer.json(), schemas.RFC_ERROR)
    assert answer.json() == {"error": row.code, "error_description": row.reason}
    assert optum_auth.token_requests[0].outcome == row.outcome


@pytest.mark.parametrize("first", range(len(ROWS) - 1))
def test_of_two_flaws_the_earlier_check_answers(
    first: int, send: Send, optum_auth: FakeOptum
) -> None:
    earlier, scope = ROWS[first], {"scope": "admin"}
    body = json.dumps(fields(optum_auth) | scope | (earlier.changes or {})).encode()

    answer = send(
        earlier.method,
        f"{URL}{earlier.query}",
        headers=dict(earlier.headers),
        content=body if earlier.body is None else earlier.body,
    )

    assert answer.json()["error_description"] == earlier.reason


@pytest.mark.parametrize("host", ["sandbox-apigw.optum.com", "apigw.optum.com"])
def test_a_right_request_gets_the_published_answer(
    host: str, send: Send, optum_auth: FakeOptum
) -> None:
    url = URL.replace("sandbox-apigw.optum.com", host)

    answer = send("POST", url, json=fields(optum_auth))

    assert answer.status == 200
    schemas.check(answer.json(), schemas.V2_SUCCESS)
    assert answer.json() == {
        "access_token": optum_auth.tokens[0].value,
        "expires_in": 3600,
        "token_type": "bearer",
    }
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"


def test_a_form_is_as_good_as_json(send: Send, optum_auth: FakeOptum) -> None:
    answer = send("POST", URL, data=fields(optum_auth))

    assert answer.status == 200
    schemas.check(answer.json(), schemas.V2_SUCCESS)
    assert optum_auth.token_requests[0].form == fields(optum_auth)


@pytest.mark.parametrize(
    ("changes", "status", "code", "reason"),
    [
        ({"client_id": None}, 400, "invalid_request", "Field 'client_id' is required."),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", GRANT_TYPE),
        (
            {"client_secret": "x"},
            401,
            "invalid_client",
            "Client authentication failed: invalid client_secret.",
        ),
    ],
)
def test_a_form_is_checked_as_json_is(
    changes: dict[str, str | None], status: int, code: str, reason: str, optum_auth: FakeOptum
) -> None:
    answer = send_with_requests("POST", URL, data=fields(optum_auth, **changes))

    assert answer.status == status
    assert answer.json() == {"error": code, "error_description": reason}


def test_json_that_is_sent_as_a_form_is_read_as_a_form(optum_auth: FakeOptum) -> None:
    answer = send_with_requests(
        "POST", URL, headers={"Content-Type": FORM}, content=json.dumps(fields(optum_auth)).encode()
    )

    assert answer.status == 400


def test_a_field_given_twice_is_refused(send: Send, optum_auth: FakeOptum) -> None:
    once = json.dumps(fields(optum_auth)).encode()
    twice = once[:-1] + b', "client_id": "x"}'

    answers = [
        send("POST", URL, headers={"Content-Type": "application/json"}, content=body)
        for body in (once, twice)
    ]

    assert [answer.status for answer in answers] == [200, 400]
    assert answers[1].json()["error_description"] == "Field 'client_id' is given more than once."


def test_a_media_type_may_have_parameters(send: Send, optum_auth: FakeOptum) -> None:
    answer = send(
        "POST",
        URL,
        headers={"Content-Type": "application/json; charset=utf-8"},
        content=json.dumps(fields(optum_auth)).encode(),
    )

    assert answer.status == 200


def test_unknown_fields_of_any_type_are_ignored(send: Send, optum_auth: FakeOptum) -> None:
    assert ask(send, optum_auth, audience=["x"], scope=None).status == 200


def test_expires_in_and_token_type_of_the_settings_do_not_apply(
    send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.expires_in = 60
    optum_auth.token_type = "MAC"

    content = ask(send, optum_auth).json()

    assert (content["expires_in"], content["token_type"]) == (3600, "bearer")
    token = optum_auth.tokens[0]
    assert (token.expires_at - token.issued_at).total_seconds() == 3600


def test_lifetime_and_scope_of_the_settings_apply(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.lifetime = 0
    optum_auth.scope = "openid"
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")

    content = ask(transport.send, optum_auth).json()

    assert content["expires_in"] == 3600
    assert optum_auth.tokens[0].scope == "openid"
    assert call(transport.send, content["access_token"]).status == 401


def test_a_granted_scope_narrows_the_token(send: Send, optum_auth: FakeOptum) -> None:
    ask(send, optum_auth, scope="email")

    assert optum_auth.tokens[0].scope == "email"


def test_the_journal_keeps_the_fields_of_the_object(send: Send, optum_auth: FakeOptum) -> None:
    sent = fields(optum_auth)

    ask(send, optum_auth)

    assert optum_auth.token_requests[0].form == sent
    assert optum_auth.credentials.client_secret not in repr(optum_auth.token_requests[0].form)
