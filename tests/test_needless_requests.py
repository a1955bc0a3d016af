"""Token requests that a client could have spared itself."""

from __future__ import annotations

import pytest
from token_requests import API, ask, call
from transports_under_test import Send
from transports_under_test import send_with_requests as send

from pytest_optum_auth import Clock, FakeOptum


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
