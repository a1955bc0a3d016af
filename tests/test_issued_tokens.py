"""Tokens without a request, and how tokens are taken back."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from token_requests import SCOPE, START, ask, at_new_year, call, get_token, status_of
from transports_under_test import Send
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum


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


@pytest.mark.parametrize("claim", ["iat", "exp", "jti", "azp", "lifetime"])
def test_a_claim_that_the_token_decides_is_refused(claim: str, optum_auth: FakeOptum) -> None:
    message = (
        f"claim {claim!r} is decided by the token itself: use expires_in= for its life and "
        "client_id= for its owner"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.issue_token(**{claim: 1})

    assert optum_auth.tokens == []


def test_a_claim_that_is_no_json_is_refused(optum_auth: FakeOptum) -> None:
    message = "claim 'member' cannot be sent as JSON: Object of type bytes is not JSON serializable"

    with pytest.raises(TypeError, match=whole(message)):
        optum_auth.issue_token(member=b"1")


@pytest.mark.parametrize("scope", [["openid"], b"openid", 'a"b'])
def test_a_scope_that_is_none_is_refused(scope: Any, optum_auth: FakeOptum) -> None:
    with pytest.raises(ValueError, match=rf"\Ascope={re.escape(repr(scope))}: scope must be "):
        optum_auth.issue_token(scope=scope)


def test_a_scope_of_none_is_what_the_client_may_have(optum_auth: FakeOptum) -> None:
    client_id, _ = optum_auth.add_client(scope="openid")

    assert optum_auth.issue_token(client_id=client_id, scope=None).scope == "openid"


@pytest.mark.parametrize("value", [-1, 1.5, "60", True])
def test_an_expires_in_that_makes_no_sense_is_refused(value: Any, optum_auth: FakeOptum) -> None:
    message = (
        f"expires_in={value!r}: expires_in must be a whole number of seconds from 0 to "
        "3162240000 (a century)"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.issue_token(expires_in=value)


def test_a_token_for_a_client_that_nobody_registered_is_refused(optum_auth: FakeOptum) -> None:
    message = (
        "unknown client_id 'nobody': register it with add_client('nobody'); known are "
        "'optum-test-client-1'"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.issue_token(client_id="nobody")


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


def test_what_is_no_token_is_refused_and_not_shown(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    value = optum_auth.issue_token().value
    message = whole(
        "a Token is wanted and a str is given: take it from optum_auth.last_token or "
        "optum_auth.tokens"
    )

    for take in (optum_auth.revoke, optum_clock.expire_token, optum_clock.nearly_expire_token):
        with pytest.raises(TypeError, match=message):
            take(value)
