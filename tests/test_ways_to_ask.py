"""How public clients ask for a token: in a form or as JSON, by a Basic header, with a slash."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from token_requests import at_new_year, fields
from transports_under_test import Answer, Send, send_with_requests

from pytest_optum_auth import FakeOptum, faults
from pytest_optum_auth.core.settings import ErrorFormat

GATEWAY = "https://sandbox-apigw.optum.com"
V3 = "/apip/auth/sntl/v1/token"
V2 = "/apip/auth/v2/token"
FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials"}
AWKWARD = "a:b+c&d=e%2Bf g"


def basic(user: str, password: str, encoding: str = "utf-8") -> dict[str, str]:
    """A Basic header with the two as they are."""
    pair = base64.b64encode(f"{user}:{password}".encode(encoding)).decode()
    return {"Authorization": f"Basic {pair}"}


def post(
    optum_auth: FakeOptum, headers: dict[str, str], send: Send = send_with_requests, **form: str
) -> Answer:
    return send("POST", optum_auth.token_url, data=GRANT | form, headers=headers)


@pytest.mark.parametrize("path", [V3, "/auth/sntl/v1/token", V2])
def test_a_token_path_may_end_in_a_slash(path: str, send: Send, optum_auth: FakeOptum) -> None:
    plain, slash = (
        send("POST", GATEWAY + path + end, data=fields(optum_auth)) for end in ("", "/")
    )

    assert (plain.status, slash.status) == (200, 200)
    assert plain.json().keys() == slash.json().keys()
    assert len(optum_auth.token_requests) == 2


@pytest.mark.parametrize("end", ["//", "/x"])
def test_with_anything_else_behind_it_the_path_is_another(end: str, optum_auth: FakeOptum) -> None:
    optum_auth.protect("POST", f"{V3}{end}")

    answer = send_with_requests("POST", GATEWAY + V3 + end, data=fields(optum_auth))

    assert answer.status == 401
    assert not optum_auth.token_requests


@pytest.mark.parametrize("path", [V3, f"{V3}/", f"{V2}/"])
def test_a_token_path_cannot_be_protected_with_a_slash_either(
    path: str, optum_auth: FakeOptum
) -> None:
    with pytest.raises(ValueError, match="that is the token endpoint, which answers itself"):
        optum_auth.protect("POST", path)


# Authorization: Basic.


@pytest.mark.parametrize("secret", ["plain", AWKWARD, "é+ü"])
@pytest.mark.parametrize(
    "encode", [quote_plus, str, lambda text: text], ids=["as RFC 6749 says", "raw", "raw again"]
)
def test_credentials_in_a_basic_header_are_accepted_encoded_and_raw(
    encode: Any, secret: str
) -> None:
    with FakeOptum(accept_basic=True, client_id="my client+1", client_secret=secret) as fake:
        answer = post(fake, basic(encode("my client+1"), encode(secret)))

        assert answer.status == 200
        outcome = fake.token_requests[0].outcome
    assert outcome == "issued token #1 (credentials from the Basic header)"


@pytest.mark.parametrize("path", [V3, V2])
@pytest.mark.optum_auth(accept_basic=True)
def test_a_basic_header_is_accepted_by_both_versions(
    path: str, send: Send, optum_auth: FakeOptum
) -> None:
    answer = send(
        "POST", GATEWAY + path, data=GRANT, headers=basic(*map(quote_plus, optum_auth.credentials))
    )

    assert answer.status == 200


@pytest.mark.optum_auth(accept_basic=True)
def test_a_basic_header_stands_beside_json_as_well(optum_auth: FakeOptum) -> None:
    answer = send_with_requests(
        "POST", GATEWAY + V2, json=GRANT, headers=basic(*optum_auth.credentials)
    )

    assert answer.status == 200


def test_a_secret_beyond_ascii_is_read_in_the_encoding_of_requests() -> None:
    with FakeOptum(accept_basic=True, client_id="me", client_secret="é") as fake:
        assert post(fake, basic("me", "é", "latin-1")).status == 200


@pytest.mark.parametrize("header", [basic("somebody", "else"), {"Authorization": "Basic !"}])
@pytest.mark.parametrize("accept_basic", [False, True])
@pytest.mark.parametrize("error_format", ["optum", "keycloak"])
def test_form_fields_win_over_the_header(
    error_format: ErrorFormat, accept_basic: bool, header: dict[str, str], optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = error_format
    optum_auth.accept_basic = accept_basic

    answer = post(optum_auth, header, **fields(optum_auth))

    assert answer.status == 200
    assert optum_auth.token_requests[0].outcome == (
        "issued token #1 (Basic header ignored beside the form fields)"
    )


@at_new_year
@pytest.mark.optum_auth(accept_basic=True)
def test_the_header_completes_what_the_form_lacks(optum_auth: FakeOptum) -> None:
    client_id, client_secret = optum_auth.credentials

    answers = [
        post(optum_auth, basic("other", client_secret), client_id=client_id),
        post(optum_auth, basic(client_id, "other"), client_secret=client_secret),
    ]

    assert [answer.status for answer in answers] == [200, 200]
    assert [exchange.outcome for exchange in optum_auth.token_requests] == [
        "issued token #1 (client_secret from the Basic header)",
        "needless: token #1 was good for another 7200 s (client_id from the Basic header)",
    ]


@pytest.mark.optum_auth(accept_basic=True)
@pytest.mark.parametrize(
    ("user", "password", "outcome"),
    [
        ("nobody", "x", "refused: client_id is unknown (credentials from the Basic header)"),
        ("me", "x", "refused: client_secret is wrong (credentials from the Basic header)"),
    ],
)
def test_wrong_credentials_in_the_header_are_refused_with_the_challenge_of_their_scheme(
    user: str, password: str, outcome: str, optum_auth: FakeOptum
) -> None:
    optum_auth.add_client("me")

    answer = post(optum_auth, basic(user, password))

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="optum"'
    assert optum_auth.token_requests[0].outcome == outcome


@pytest.mark.optum_auth(accept_basic=True)
@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !", "Basic !bm86bm8=", "Basic bm8gY29sb24=", "Bearer x"],
    ids=lambda text: text,
)
def test_a_header_without_credentials_is_none(header: str, optum_auth: FakeOptum) -> None:
    answer = post(optum_auth, {"Authorization": header})

    assert answer.status == 400
    assert answer.json()["Errors"] == [
        "Field 'client_id' is required.",
        "Field 'client_secret' is required.",
    ]


def test_without_the_setting_a_basic_header_alone_is_refused(optum_auth: FakeOptum) -> None:
    answer = post(optum_auth, basic(*optum_auth.credentials))

    assert answer.status == 400
    assert "'Authorization: Basic' header are not accepted" in answer.json()["Errors"][0]


# As a Keycloak realm.

ID_MISSING = "Missing client_id parameter"
REFUSED = "Invalid client or Invalid client credentials"
GRANT_MISSING = "Missing form parameter: grant_type"
TWICE = "duplicated parameter"
# What a request changes, and status, `error`, `error_description`, outcome: in the order of checks.
KEYCLOAK: list[tuple[dict[str, str | None], str, int, str, str, str]] = [
    ({"grant_type": None}, "", 400, "invalid_request", GRANT_MISSING, GRANT_MISSING),
    (
        {"grant_type": "x"},
        "",
        400,
        "unsupported_grant_type",
        "Unsupported grant_type",
        "Unsupported grant_type",
    ),
    (
        {"grant_type": ""},
        "",
        400,
        "unsupported_grant_type",
        "Unsupported grant_type",
        "Unsupported grant_type",
    ),
    ({"client_id": None}, "", 400, "invalid_client", ID_MISSING, ID_MISSING),
    ({"client_id": "nobody"}, "", 401, "invalid_client", REFUSED, "client_id is unknown"),
    ({"client_id": ""}, "", 401, "invalid_client", REFUSED, "client_id is unknown"),
    ({"client_secret": None}, "", 401, "unauthorized_client", REFUSED, "client_secret is missing"),
    ({"client_secret": "x"}, "", 401, "unauthorized_client", REFUSED, "client_secret is wrong"),
    ({}, "&scope=openid&scope=openid", 400, "invalid_request", TWICE, TWICE),
    ({}, "&x=1&x=1", 400, "invalid_request", TWICE, TWICE),
    (
        {"scope": "openid admin"},
        "",
        400,
        "invalid_scope",
        "Invalid scopes: openid admin",
        "Invalid scopes: openid admin",
    ),
]


@pytest.mark.optum_auth(error_format="keycloak")
@pytest.mark.parametrize("row", KEYCLOAK, ids=lambda row: f"{row[0] or row[1]}")
def test_as_keycloak_a_wrong_request_is_refused_in_its_words(
    row: tuple[dict[str, str | None], str, int, str, str, str], send: Send, optum_auth: FakeOptum
) -> None:
    changes, tail, status, error, description, outcome = row
    body = urlencode(fields(optum_auth, **changes)) + tail

    answer = send(
        "POST", optum_auth.token_url, headers={"Content-Type": FORM}, content=body.encode()
    )

    assert answer.status == status
    assert answer.json() == {"error": error, "error_description": description}
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert "WWW-Authenticate" not in answer.headers
    assert optum_auth.token_requests[0].outcome == f"refused: {outcome}"


@pytest.mark.optum_auth(error_format="keycloak")
@pytest.mark.parametrize("first", range(len(KEYCLOAK) - 1))
def test_as_keycloak_the_earlier_check_answers_of_two_flaws(
    first: int, optum_auth: FakeOptum
) -> None:
    changes, tail, status, error, description, _ = KEYCLOAK[first]
    for later, later_tail, *_ in KEYCLOAK[first + 1 :]:
        body = urlencode(fields(optum_auth, **(later | changes))) + tail + later_tail

        answer = send_with_requests(
            "POST", optum_auth.token_url, headers={"Content-Type": FORM}, content=body.encode()
        )

        assert (answer.status, answer.json()["error"]) == (status, error)
        assert answer.json()["error_description"] == description


@pytest.mark.optum_auth(error_format="keycloak")
def test_as_keycloak_a_json_body_has_no_fields(optum_auth: FakeOptum) -> None:
    answer = send_with_requests("POST", optum_auth.token_url, json=fields(optum_auth))

    assert answer.status == 400
    assert answer.json()["error_description"] == GRANT_MISSING


@pytest.mark.optum_auth(error_format="keycloak")
def test_as_keycloak_another_method_is_refused_as_ever(optum_auth: FakeOptum) -> None:
    answer = send_with_requests("GET", optum_auth.token_url)

    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.optum_auth(error_format="keycloak")
def test_as_keycloak_a_basic_header_counts_when_it_is_accepted(optum_auth: FakeOptum) -> None:
    header = basic(*optum_auth.credentials)
    refused = post(optum_auth, header)
    optum_auth.accept_basic = True
    accepted = post(optum_auth, header)
    wrong = post(optum_auth, basic(optum_auth.credentials.client_id, "x"))

    assert (refused.status, refused.json()["error_description"]) == (400, ID_MISSING)
    assert accepted.status == 200
    assert (wrong.status, wrong.json()["error"]) == (401, "unauthorized_client")
    assert dict(wrong.headers)["WWW-Authenticate"] == 'Basic realm="optum"'
    assert [exchange.outcome for exchange in optum_auth.token_requests] == [
        "refused: Missing client_id parameter (the Basic header does not count: accept_basic=True)",
        "issued token #1 (credentials from the Basic header)",
        "refused: client_secret is wrong (credentials from the Basic header)",
    ]


@pytest.mark.optum_auth(error_format="keycloak")
def test_as_keycloak_a_fault_speaks_in_its_words(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.invalid_client())
    optum_auth.inject(faults.server_error())

    answers = [send_with_requests("POST", optum_auth.token_url).json() for _ in range(2)]

    assert answers[0] == {"error": "unauthorized_client", "error_description": REFUSED}
    assert answers[1]["error"] == "server_error"


@pytest.mark.optum_auth(error_format="keycloak")
def test_as_keycloak_a_right_request_gets_the_documented_answer(optum_auth: FakeOptum) -> None:
    answer = send_with_requests(
        "POST", optum_auth.token_url, data=fields(optum_auth, scope="openid email")
    )

    assert answer.json() == {
        "access_token": optum_auth.tokens[0].value,
        "expires_in": 7200,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": "openid email",
    }


@pytest.mark.optum_auth(error_format="keycloak")
def test_as_keycloak_a_client_is_granted_its_own_scope(optum_auth: FakeOptum) -> None:
    secret = optum_auth.add_client("narrow", scope="openid").client_secret
    narrow = {"client_id": "narrow", "client_secret": secret}

    default = post(optum_auth, {}, **narrow)
    refused = post(optum_auth, {}, **narrow, scope="email")

    assert default.json()["scope"] == "openid"
    assert (refused.status, refused.json()["error"]) == (400, "invalid_scope")


@pytest.mark.optum_auth(error_format="keycloak")
def test_as_keycloak_of_a_long_scope_the_beginning_is_shown(optum_auth: FakeOptum) -> None:
    answer = post(optum_auth, {}, **fields(optum_auth, scope="x" * 101))

    assert answer.json()["error_description"] == f"Invalid scopes: {'x' * 100}"


@pytest.mark.optum_auth(error_format="keycloak")
def test_as_keycloak_v2_and_the_apis_answer_as_they_always_do(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/claims")

    v2 = send_with_requests("POST", GATEWAY + V2, json={})
    api = send_with_requests("GET", f"{GATEWAY}/claims")

    assert v2.json()["error_description"].startswith("Field 'grant_type' is required")
    assert (api.status, json.loads(api.content)["failureReason"]) == (401, "InvalidToken")
