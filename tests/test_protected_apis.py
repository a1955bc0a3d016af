"""APIs behind the gateway: a good bearer token opens them, a bad one is refused with its reason."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import schemas
from token_requests import API, call, get_token
from transports_under_test import IN_PROCESS, Send, Transport, send_with_requests

from pytest_optum_auth import Clock, Exchange, FakeOptum

PATH = "/oihub/claim/inquiry/v1"


def envelope(reason: str) -> dict[str, Any]:
    return {"status": "401", "failureReason": "InvalidToken", "Errors": [reason]}


def test_a_good_token_opens_it(transport: Transport, optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", PATH, json={"plan": "gold"}, headers={"X-Trace": "1"})
    token = get_token(transport.send, optum_auth)

    answer = call(transport.send, token)

    assert (answer.status, answer.json()) == (200, {"plan": "gold"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Trace"] == "1"
    [exchange] = route.requests
    assert route.requests == optum_auth.api_requests
    assert (exchange.kind, exchange.status, exchange.transport) == ("api", 200, transport.name)
    assert exchange.outcome == "token #1 accepted"
    assert exchange.token is optum_auth.tokens[0]
    assert exchange.form == {}


@pytest.mark.parametrize("host", ["sandbox-apigw.optum.com", "apigw.optum.com"])
def test_it_answers_on_both_hosts(host: str, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)

    assert call(send, optum_auth.issue_token(), f"https://{host}{PATH}?page=2").status == 200


def test_the_answer_is_an_empty_object_by_default(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)

    answer = call(send, optum_auth.issue_token())

    assert (answer.status, answer.json()) == (200, {})


@pytest.mark.parametrize("content", [[], [1], "text", 0, False, {"é": None}])
def test_the_answer_is_any_json(content: Any, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, json=content, status=201)

    answer = call(send, optum_auth.issue_token())

    assert (answer.status, answer.json()) == (201, content)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_that_has_no_body_has_none(status: int, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, status=status)

    answer = call(send, optum_auth.issue_token())

    assert (answer.status, answer.content) == (status, b"")
    assert "Content-Type" not in answer.headers


def test_a_header_of_the_route_replaces_ours(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, headers={"content-type": "application/hal+json"})

    answer = call(send, optum_auth.issue_token())

    assert answer.headers["Content-Type"] == "application/hal+json"


def test_a_callable_makes_the_body_of_the_request(send: Send, optum_auth: FakeOptum) -> None:
    def answer(exchange: Exchange) -> dict[str, str]:
        query = json.loads(exchange.body)["query"]
        return {"query": query, "member": exchange.path_params["member_id"]}

    optum_auth.protect("POST", "/members/{member_id}", json=answer)

    got = send(
        "POST",
        f"{optum_auth.base_url}/members/m%2F7",
        headers={"Authorization": f"Bearer {optum_auth.issue_token()}"},
        json={"query": "claims"},
    )

    assert got.json() == {"query": "claims", "member": "m/7"}
    assert optum_auth.api_requests[0].path_params == {"member_id": "m/7"}


def test_a_callable_may_use_the_fake_itself(send: Send, optum_auth: FakeOptum) -> None:
    def answer(_: Exchange) -> list[int]:
        optum_auth.revoke()
        return [len(optum_auth.api_requests), get_token(send_with_requests, optum_auth).count(".")]

    optum_auth.protect("GET", PATH, json=answer)

    assert call(send, optum_auth.issue_token()).json() == [0, 2]


@pytest.mark.parametrize(
    ("authorization", "outcome"),
    [
        (None, "refused: no bearer token"),
        ("", "refused: no bearer token"),
        *(
            (other, "refused: Authorization is not 'Bearer' and a token")
            for other in ("Bearer", "Bearer ", "Basic eDp5", "token abc", "eyJhbGciOiAiSFMyNTYi")
        ),
    ],
)
def test_no_bearer_token_is_a_401_that_asks_for_one(
    authorization: str | None, outcome: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", PATH)
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = send("GET", API, headers=headers)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/json"
    schemas.check(answer.json(), schemas.ERROR)
    assert answer.json() == envelope("No bearer token is given.")
    assert optum_auth.api_requests[0].outcome == outcome
    assert optum_auth.api_requests[0].token is None


def jwt_of(claims: dict[str, Any]) -> str:
    """Signed by nobody we know."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


@pytest.mark.parametrize("claims", [{"sub": "x"}, {"exp": 1}])
def test_a_jwt_of_another_issuer_is_unknown(
    claims: dict[str, Any], send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", PATH)

    answer = call(send, jwt_of(claims))

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="The access token is unknown"'
    )
    assert answer.json() == envelope("The access token is unknown.")
    assert optum_auth.api_requests[0].outcome == (
        "refused: the token is unknown (kept from another test?)"
    )


# The last three: a list for header or claims, and a signature with what base64url does not write.
@pytest.mark.parametrize(
    "value",
    [
        "abc",
        "a.b.c",
        "None",
        "x" * 5000,
        "W10.e30.c2lnbmF0dXJl",
        "e30.W10.c2lnbmF0dXJl",
        "e30.e30.c2ln!!!!bmF0dXJl",
    ],
)
def test_what_is_no_jwt_is_malformed(value: str, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)

    answer = call(send, value)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="The access token is malformed"'
    )
    assert answer.json() == envelope("The access token is malformed.")
    assert optum_auth.api_requests[0].outcome == "refused: the token is malformed"


def test_a_good_token_with_its_end_cut_off_is_refused(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)
    token = optum_auth.issue_token().value

    assert [call(send, value).status for value in (token, token[:-1])] == [200, 401]


def test_a_token_is_honoured_until_its_exp_and_not_at_it(
    send: Send, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.protect("GET", PATH)
    token = optum_auth.issue_token()

    optum_clock.nearly_expire_token()
    before = call(send, token)
    optum_clock.tick(1)
    after = call(send, token)

    assert (before.status, after.status) == (200, 401)
    assert after.headers["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="The access token expired"'
    )
    assert after.json() == envelope("The access token expired.")
    assert optum_auth.api_requests[1].outcome == "token #1 expired 0 s ago"


def test_a_revoked_token_is_refused(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)
    token = optum_auth.issue_token()
    good = call(send, token)
    optum_auth.revoke()

    answer = call(send, token)

    assert (good.status, answer.status) == (200, 401)
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="The access token was revoked"'
    )
    assert answer.json() == envelope("The access token was revoked.")
    assert optum_auth.api_requests[1].outcome == "token #1 was revoked"
    assert optum_auth.api_requests[1].token is token


def test_the_token_of_another_fake_is_unknown(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)

    answer = call(send, FakeOptum().issue_token())

    assert answer.json() == envelope("The access token is unknown.")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_known_in_any_case(scheme: str, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH)

    answer = send("GET", API, headers={"Authorization": f"{scheme} {optum_auth.issue_token()}"})

    assert answer.status == 200


def test_a_scope_that_the_token_lacks_is_a_403(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, scope="email profile")
    narrow = get_token(send, optum_auth, scope="openid email")
    wide = get_token(send, optum_auth)

    refused, good = call(send, narrow), call(send, wide)

    assert (refused.status, good.status) == (403, 200)
    assert refused.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_scope", '
        "error_description=\"The access token lacks scope 'email profile'\", "
        'scope="email profile"'
    )
    schemas.check(refused.json(), schemas.ERROR)
    assert refused.json() == {
        "status": "403",
        "failureReason": "InsufficientScope",
        "Errors": ["The access token lacks scope 'email profile'."],
    }
    assert optum_auth.api_requests[0].outcome == "refused: token #1 lacks scope email profile"


@pytest.mark.parametrize(
    "body",
    [
        {"message": "UnAuthorized", "statusCode": 401},
        {"errors": [{"code": "AUTH_FAILURE", "description": "Invalid or expired token"}]},
        "no",
        [],
    ],
)
def test_unauthorized_replaces_the_body_of_the_401_alone(
    body: Any, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", PATH, unauthorized=body, scope="admin")

    missing, wrong = send("GET", API), call(send, "abc")
    lacking = call(send, optum_auth.issue_token())

    assert [(a.status, a.json()) for a in (missing, wrong)] == [(401, body), (401, body)]
    assert missing.headers["WWW-Authenticate"] == "Bearer"
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]
    assert lacking.status == 403
    schemas.check(lacking.json(), schemas.ERROR)


def test_with_the_rfc_format_the_errors_have_its_shape(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.error_format = "rfc6749"
    optum_auth.protect("GET", PATH, scope="admin")

    wrong, lacking = call(send, "abc"), call(send, optum_auth.issue_token())

    assert wrong.json() == {
        "error": "invalid_token",
        "error_description": "The access token is malformed.",
    }
    assert lacking.json() == {
        "error": "insufficient_scope",
        "error_description": "The access token lacks scope 'admin'.",
    }


def test_another_method_is_a_405_that_names_the_right_ones(
    send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", PATH)
    optum_auth.protect("PATCH", PATH)

    answer = call(send, optum_auth.issue_token(), method="DELETE")

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, PATCH")
    schemas.check(answer.json(), schemas.ERROR)
    assert answer.json() == {
        "status": "405",
        "failureReason": "MethodNotAllowed",
        "Errors": ["Method 'DELETE' is not allowed. Use 'GET' or 'PATCH'."],
    }
    assert optum_auth.api_requests[0].outcome == "refused: protected for GET and PATCH only"
    assert optum_auth.problems() == (
        "DELETE /oihub/claim/inquiry/v1 was refused: the path is protected for GET and PATCH only\n"
        '  add optum_auth.protect("DELETE", "/oihub/claim/inquiry/v1")'
    )


@IN_PROCESS
def test_a_path_that_nobody_protects_is_a_refused_connection(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False

    with pytest.raises(transport.connect_error) as caught:
        transport.send("GET", API)

    assert (
        "GET /oihub/claim/inquiry/v1 was refused and not sent: no protect() covers it; "
        'add optum_auth.protect("GET", "/oihub/claim/inquiry/v1"); nothing is protected yet'
    ) in str(caught.value)
    [exchange] = optum_auth.api_requests
    assert exchange.status is None
    assert exchange.outcome == "refused: no protect() covers the path"


@pytest.mark.parametrize("token", ["", "abc"])
def test_head_is_answered_without_a_body(token: str, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("HEAD", PATH, json={"plan": "gold"})

    answer = call(send, token or optum_auth.issue_token(), method="HEAD")

    assert (answer.status, answer.content) == (401 if token else 200, b"")


@IN_PROCESS
def test_a_request_before_protect_is_not_among_those_of_the_route(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False
    with pytest.raises(transport.connect_error):
        call(transport.send, "abc")
    route = optum_auth.protect("GET", PATH)

    call(transport.send, "abc")

    assert (len(route.requests), len(optum_auth.api_requests)) == (1, 2)
