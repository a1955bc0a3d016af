"""Tokens: what is in them, how long they live, and how they are taken back."""

from __future__ import annotations

import datetime as dt

import jwt
import pytest
from token_requests import API, ask, call, get_token
from transports_under_test import Send, Transport
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum

START = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
SCOPE = "broker-read-token idp openid email profile"
at_new_year = pytest.mark.optum_clock(START)


def status_of(optum_auth: FakeOptum, token: object) -> int:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    return call(send, token).status


@at_new_year
def test_a_token_is_a_signed_jwt_with_the_claims_of_its_request(optum_auth: FakeOptum) -> None:
    value = get_token(send, optum_auth)

    claims = jwt.decode(value, optum_auth.signing_key, algorithms=["HS256"],
                        options={"verify_exp": False, "verify_iat": False})  # fmt: skip
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


# How long.


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


# Tokens without a request.


@at_new_year
def test_a_token_without_a_request_is_as_good_as_any(send: Send, optum_auth: FakeOptum) -> None:
    token = optum_auth.issue_token()

    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    assert call(send, token).status == 200
    assert len(optum_auth.token_requests) == 0
    assert optum_auth.tokens == [token]
    assert (token.scope, token.expires_in) == (SCOPE, 7200)


@at_new_year
def test_it_follows_the_settings(optum_auth: FakeOptum) -> None:
    optum_auth.lifetime, optum_auth.scope = 3600, "openid"

    token = optum_auth.issue_token()

    assert (token.expires_in, token.scope) == (7200, "openid")
    assert token.expires_at == START + dt.timedelta(hours=1)


@at_new_year
@pytest.mark.parametrize("expires_in", [0, 60])
def test_its_own_expires_in_is_its_life(expires_in: int, optum_auth: FakeOptum) -> None:
    optum_auth.lifetime = 3600

    token = optum_auth.issue_token(expires_in=expires_in)

    assert token.expires_in == expires_in
    assert token.expires_at == START + dt.timedelta(seconds=expires_in)


def test_it_may_belong_to_another_client(optum_auth: FakeOptum) -> None:
    optum_auth.add_client("other", scope="openid email")

    token = optum_auth.issue_token(client_id="other")

    assert (token.client_id, token.scope) == ("other", "openid email")
    assert (token.claims["sub"], token.claims["azp"]) == ("other", "other")


def test_it_may_hold_other_claims(optum_auth: FakeOptum) -> None:
    token = optum_auth.issue_token(tenant="t1", scope="openid", iss="https://example.com")

    assert token.claims["tenant"] == "t1"
    assert token.claims["iss"] == "https://example.com"
    assert (token.claims["scope"], token.scope) == ("openid", "openid")


@pytest.mark.parametrize("claim", ["iat", "exp", "jti", "azp"])
def test_a_claim_that_the_token_decides_is_refused(claim: str, optum_auth: FakeOptum) -> None:
    message = (
        f"claim {claim!r} is decided by the token itself: use expires_in= for its life and "
        "client_id= for its owner"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.issue_token(**{claim: 1})

    assert optum_auth.tokens == []


@pytest.mark.parametrize("value", [-1, 1.5, "60", True])
def test_an_expires_in_that_makes_no_sense_is_refused(value: object, optum_auth: FakeOptum) -> None:
    message = (
        f"expires_in={value!r}: expires_in must be a whole number of seconds from 0 to "
        "3162240000 (a century)"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.issue_token(expires_in=value)  # type: ignore[arg-type]


def test_a_token_for_a_client_that_nobody_registered_is_refused(optum_auth: FakeOptum) -> None:
    message = (
        "unknown client_id 'nobody': register it with add_client('nobody'); known are "
        "'optum-test-client-1'"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.issue_token(client_id="nobody")


# Taking back.


def test_revoke_takes_back_the_last_token_alone(optum_auth: FakeOptum) -> None:
    first, last = optum_auth.issue_token(), optum_auth.issue_token()

    optum_auth.revoke()

    assert (first.revoked, last.revoked) == (False, True)
    assert [status_of(optum_auth, token) for token in (first, last)] == [200, 401]


def test_revoke_takes_back_the_given_token_alone(optum_auth: FakeOptum) -> None:
    first, last = optum_auth.issue_token(), optum_auth.issue_token()

    optum_auth.revoke(first)

    assert [status_of(optum_auth, token) for token in (first, last)] == [401, 200]


def test_revoke_all_takes_back_every_token_so_far(optum_auth: FakeOptum) -> None:
    tokens = [optum_auth.issue_token(), optum_auth.issue_token()]

    optum_auth.revoke_all()

    assert [status_of(optum_auth, token) for token in tokens] == [401, 401]


@at_new_year
def test_a_token_issued_after_revoke_all_in_the_same_second_is_good(
    optum_auth: FakeOptum,
) -> None:
    optum_auth.revoke_all()

    assert status_of(optum_auth, get_token(send, optum_auth)) == 200


@at_new_year
def test_revoke_all_moves_not_before_policy_by_the_servers_clock(
    send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.clock_skew = 5
    before = ask(send, optum_auth).json()["not-before-policy"]
    optum_auth.revoke_all()
    after = ask(send, optum_auth).json()["not-before-policy"]

    assert (before, after) == (0, 1767225605)


def test_revoke_before_any_token_exists_is_refused(optum_auth: FakeOptum) -> None:
    message = "no token was issued yet: let the client make a request or use issue_token() first"

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.revoke()


@at_new_year
def test_revoking_the_token_of_another_fake_is_refused(optum_auth: FakeOptum) -> None:
    optum_auth.issue_token()
    foreign = FakeOptum().issue_token()
    message = (
        "<Token #1 of 'optum-test-client-1', expires 2026-01-01 02:00:00+00:00> was not issued by "
        "this fake"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.revoke(foreign)


# Needless requests.


def needless(optum_auth: FakeOptum) -> list[str]:
    return [exchange.outcome for exchange in optum_auth.needless_token_requests]


@pytest.mark.parametrize(("left", "found"), [(61, True), (60, False), (0, False)])
def test_a_request_is_needless_while_a_token_is_good_for_more_than_a_minute(
    left: int, found: bool, send: Send, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    ask(send, optum_auth)
    optum_clock.tick(7200 - left)
    ask(send, optum_auth)

    expected = [f"needless: token #1 was good for another {left} s"] if found else []
    assert needless(optum_auth) == expected
    assert len(optum_auth.token_requests) == 2


def test_a_token_without_a_request_counts_as_held(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.issue_token(expires_in=3600)
    ask(send, optum_auth)

    assert needless(optum_auth) == ["needless: token #1 was good for another 3600 s"]


def test_the_token_of_another_client_is_not_held(optum_auth: FakeOptum) -> None:
    other = optum_auth.add_client("other")
    ask(send, optum_auth)
    ask(send, optum_auth, client_id="other", client_secret=other.client_secret)

    assert needless(optum_auth) == []


def test_a_refused_request_is_not_needless(optum_auth: FakeOptum) -> None:
    ask(send, optum_auth)
    ask(send, optum_auth, client_secret="wrong")

    assert needless(optum_auth) == []


@pytest.mark.parametrize("kind", ["revoke", "revoke_all"])
def test_a_revoked_token_is_not_held(kind: str, optum_auth: FakeOptum) -> None:
    ask(send, optum_auth)
    getattr(optum_auth, kind)()
    ask(send, optum_auth)

    assert needless(optum_auth) == []


@pytest.mark.usefixtures("optum_clock")
def test_after_the_longest_token_is_revoked_the_next_longest_is_held(
    optum_auth: FakeOptum,
) -> None:
    for expires_in in (100, 300, 200):
        optum_auth.issue_token(expires_in=expires_in)
    optum_auth.revoke(optum_auth.tokens[1])
    ask(send, optum_auth)

    assert needless(optum_auth) == ["needless: token #3 was good for another 200 s"]


def test_revoking_a_token_that_is_not_the_longest_changes_nothing(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    short = optum_auth.issue_token(expires_in=100)
    optum_auth.issue_token(expires_in=300)
    optum_auth.revoke(short)
    ask(send, optum_auth)

    assert needless(optum_auth) == ["needless: token #2 was good for another 300 s"]


def test_an_api_call_is_never_needless(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    token = optum_auth.issue_token()
    call(send, token, API)

    assert needless(optum_auth) == []
