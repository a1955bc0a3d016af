"""Tokens: what is in them, and how long they live."""

from __future__ import annotations

import datetime as dt
import uuid

import jwt
import pytest
from token_requests import SCOPE, START, ask, at_new_year, call, get_token, status_of
from transports_under_test import Transport
from transports_under_test import send_with_requests as send

from pytest_optum_auth import Clock, FakeOptum


@at_new_year
def test_a_token_is_a_signed_jwt_with_the_claims_of_its_request(optum_auth: FakeOptum) -> None:
    value = get_token(send, optum_auth)

    claims = jwt.decode(
        value,
        optum_auth.signing_key,
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_iat": False},
    )
    jti = claims.pop("jti")

    assert claims == {
        "iss": "https://sandbox-apigw.optum.com",
        "sub": "optum-test-client-1",
        "azp": "optum-test-client-1",
        "iat": 1767225600,
        "exp": 1767232800,
        "typ": "Bearer",
        "scope": SCOPE,
    }
    assert len(jti) == 36
    assert jwt.get_unverified_header(value) == {"alg": "HS256", "typ": "JWT"}
    assert optum_auth.tokens[0].claims == {**claims, "jti": jti}


@pytest.mark.optum_clock("2026-01-01T00:00:00.900Z")
def test_a_token_counts_whole_seconds(optum_auth: FakeOptum) -> None:
    get_token(send, optum_auth)

    token = optum_auth.tokens[0]

    assert repr((token.claims["iat"], token.claims["exp"])) == "(1767225600, 1767232800)"
    assert (token.issued_at, token.expires_at) == (START, START + dt.timedelta(hours=2))


def test_the_id_of_a_token_is_a_uuid_that_ends_with_its_number(optum_auth: FakeOptum) -> None:
    ids = [str(optum_auth.issue_token().claims["jti"]) for _ in range(11)]

    assert [str(uuid.UUID(jti)) for jti in ids] == ids
    assert [jti[-12:] for jti in ids] == [f"{number:012x}" for number in range(1, 12)]


def test_a_token_is_byte_for_byte_what_pyjwt_makes_of_its_claims(optum_auth: FakeOptum) -> None:
    token = optum_auth.issue_token(tenant="né")

    assert token.value == jwt.encode(token.claims, optum_auth.signing_key, "HS256")


def test_the_signing_key_of_another_fake_does_not_verify_it(optum_auth: FakeOptum) -> None:
    value = get_token(send, optum_auth)

    jwt.decode(value, optum_auth.signing_key, algorithms=["HS256"])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(value, FakeOptum().signing_key, algorithms=["HS256"])


@at_new_year
def test_a_token_tells_what_it_is(optum_auth: FakeOptum) -> None:
    value = get_token(send, optum_auth, scope="openid")

    token = optum_auth.last_token

    assert token is not None
    assert token is optum_auth.tokens[0]
    assert (token.value, str(token)) == (value, value)
    assert (token.number, token.client_id, token.scope) == (1, "optum-test-client-1", "openid")
    assert (token.issued_at, token.expires_at) == (START, START + dt.timedelta(seconds=7200))
    assert token.issued_at.utcoffset() == dt.timedelta(0)
    assert token.expires_in == 7200
    assert token.revoked is False
    assert repr(token) == ("<Token #1 of 'optum-test-client-1', expires 2026-01-01 02:00:00+00:00>")


@at_new_year
def test_the_repr_says_that_it_was_revoked(optum_auth: FakeOptum) -> None:
    token = optum_auth.issue_token()
    optum_auth.revoke()

    assert repr(token) == (
        "<Token #1 of 'optum-test-client-1', expires 2026-01-01 02:00:00+00:00, revoked>"
    )


def test_there_is_no_last_token_before_the_first(optum_auth: FakeOptum) -> None:
    assert (optum_auth.last_token, optum_auth.tokens) == (None, [])


@pytest.mark.usefixtures("optum_clock")
def test_no_two_tokens_are_equal_even_in_the_same_second(optum_auth: FakeOptum) -> None:
    values = [get_token(send, optum_auth) for _ in range(20)]

    assert len(set(values)) == 20
    assert [token.number for token in optum_auth.tokens] == list(range(1, 21))
    assert [token.value for token in optum_auth.tokens] == values


def test_the_list_of_tokens_is_the_users_to_change(optum_auth: FakeOptum) -> None:
    optum_auth.issue_token()
    optum_auth.tokens.clear()

    assert len(optum_auth.tokens) == 1


def test_a_client_that_trusts_expires_in_alone_meets_a_401_after_an_hour(
    transport: Transport, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.lifetime = 3600
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    answer = ask(transport.send, optum_auth).json()
    good_until = optum_clock.time + answer["expires_in"]

    optum_clock.tick(3599)
    before = call(transport.send, answer["access_token"])
    optum_clock.tick(1)
    after = call(transport.send, answer["access_token"])

    assert answer["expires_in"] == 7200
    assert optum_clock.time < good_until
    assert (before.status, after.status) == (200, 401)


def test_a_lifetime_may_be_longer_than_expires_in(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.expires_in, optum_auth.lifetime = 60, 120
    token = get_token(send, optum_auth)

    optum_clock.tick(119)

    assert status_of(optum_auth, token) == 200


def test_without_a_lifetime_expires_in_decides(optum_auth: FakeOptum, optum_clock: Clock) -> None:
    optum_auth.expires_in = 60
    answer = ask(send, optum_auth).json()

    optum_clock.tick(60)

    assert answer["expires_in"] == 60
    assert status_of(optum_auth, answer["access_token"]) == 401


@at_new_year
@pytest.mark.parametrize("skew", [300, -300])
def test_the_clock_skew_moves_iat_and_exp_and_the_judgement(
    skew: int, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.clock_skew = skew
    token = get_token(send, optum_auth)
    issued = optum_auth.tokens[0]

    assert issued.issued_at == START + dt.timedelta(seconds=skew)
    assert issued.expires_at == START + dt.timedelta(seconds=skew + 7200)
    optum_clock.tick(7199)
    assert status_of(optum_auth, token) == 200
    optum_clock.tick(1)
    assert status_of(optum_auth, token) == 401


def test_a_server_whose_clock_jumps_ahead_refuses_earlier(optum_auth: FakeOptum) -> None:
    token = get_token(send, optum_auth)
    optum_auth.clock_skew = 7200

    assert status_of(optum_auth, token) == 401


@at_new_year
def test_the_clock_skew_does_not_move_the_journal(optum_auth: FakeOptum) -> None:
    optum_auth.clock_skew = 300
    ask(send, optum_auth)

    assert optum_auth.exchanges[0].at == START
