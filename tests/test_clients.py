"""The clients that the endpoint knows, and their credentials."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import httpx
import httpx2
import pytest
import requests
from token_requests import ask, fields, get_token
from transports_under_test import Send
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import Credentials, FakeOptum


def test_credentials_unpack_to_id_and_secret(optum_auth: FakeOptum) -> None:
    client_id, client_secret = optum_auth.credentials

    assert optum_auth.credentials == Credentials(client_id, client_secret)
    assert optum_auth.credentials.client_id == client_id == "optum-test-client-1"
    assert optum_auth.credentials.client_secret == client_secret


def test_credentials_are_a_pair(optum_auth: FakeOptum) -> None:
    client_id, client_secret = optum_auth.credentials

    assert optum_auth.credentials == (client_id, client_secret)
    assert len(optum_auth.credentials) == 2
    assert optum_auth.credentials[:] == (client_id, client_secret)
    assert {optum_auth.credentials: "mine"}[(client_id, client_secret)] == "mine"


@pytest.mark.optum_auth(accept_basic=True)
@pytest.mark.parametrize(
    "post", [requests.post, httpx.post, httpx2.post], ids=["requests", "httpx", "httpx2"]
)
def test_libraries_take_credentials_as_auth(post: Any, optum_auth: FakeOptum) -> None:
    form = {"grant_type": "client_credentials"}

    answer = post(optum_auth.token_url, data=form, auth=optum_auth.credentials, timeout=5)

    assert answer.status_code == 200


def test_the_repr_of_credentials_hides_the_secret(optum_auth: FakeOptum) -> None:
    assert repr(optum_auth.credentials) == (
        "Credentials(client_id='optum-test-client-1', client_secret='***')"
    )
    assert f"{optum_auth.credentials}" == repr(optum_auth.credentials)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_credentials_can_be_copied_and_pickled(again: Any, optum_auth: FakeOptum) -> None:
    copied = again(optum_auth.credentials)

    assert copied == optum_auth.credentials
    assert repr(copied) == repr(optum_auth.credentials)


def test_the_secrets_of_two_fakes_differ() -> None:
    assert FakeOptum().credentials != FakeOptum().credentials


def test_an_added_client_gets_tokens_of_its_own(send: Send, optum_auth: FakeOptum) -> None:
    added = optum_auth.add_client("billing", "b1ll1ng")

    get_token(send, optum_auth, client_id="billing", client_secret="b1ll1ng")

    assert added == Credentials("billing", "b1ll1ng")
    assert optum_auth.tokens[0].client_id == "billing"
    assert optum_auth.credentials.client_id == "optum-test-client-1"


def test_what_is_not_given_is_made_up(optum_auth: FakeOptum) -> None:
    made_up = optum_auth.add_client()

    assert made_up.client_id == "optum-test-client-2"
    assert made_up.client_secret != optum_auth.credentials.client_secret
    assert (
        ask(
            send, optum_auth, client_id=made_up.client_id, client_secret=made_up.client_secret
        ).status
        == 200
    )


def test_a_made_up_name_that_is_taken_is_passed_over(optum_auth: FakeOptum) -> None:
    optum_auth.add_client("optum-test-client-2")

    assert optum_auth.add_client().client_id == "optum-test-client-3"


def test_one_client_cannot_use_the_secret_of_another(send: Send, optum_auth: FakeOptum) -> None:
    other = optum_auth.add_client("other")

    assert ask(send, optum_auth, client_secret=other.client_secret).status == 401


def test_a_client_with_a_scope_of_its_own_is_granted_that(
    send: Send, optum_auth: FakeOptum
) -> None:
    secret = optum_auth.add_client("narrow", scope="openid email").client_secret
    narrow = {"client_id": "narrow", "client_secret": secret}

    everything = ask(send, optum_auth, **narrow).json()["scope"]
    part = ask(send, optum_auth, **narrow, scope="email").json()["scope"]
    refused = ask(send, optum_auth, **narrow, scope="profile").status
    default = ask(send, optum_auth, scope="profile").status

    assert (everything, part, refused, default) == ("openid email", "email", 403, 200)


def test_a_client_without_a_scope_follows_the_setting(optum_auth: FakeOptum) -> None:
    optum_auth.scope = "openid"

    assert ask(send, optum_auth).json()["scope"] == "openid"
    assert ask(send, optum_auth, scope="email").status == 403


def test_a_rotated_secret_is_refused_and_the_new_one_is_good(
    send: Send, optum_auth: FakeOptum
) -> None:
    old = fields(optum_auth)
    before = send("POST", optum_auth.token_url, data=old).status

    new = optum_auth.rotate_secret()

    after = send("POST", optum_auth.token_url, data=old)
    assert (before, after.status, ask(send, optum_auth).status) == (200, 401, 200)
    assert after.json()["Errors"] == ["Client authentication failed: invalid client_secret."]
    assert optum_auth.credentials == new
    assert new.client_id == old["client_id"]
    assert new.client_secret != old["client_secret"]


def test_another_client_can_be_rotated(optum_auth: FakeOptum) -> None:
    old = optum_auth.add_client("other", scope="openid")
    default = optum_auth.credentials

    new = optum_auth.rotate_secret("other")

    assert optum_auth.credentials == default
    answers = [
        ask(send, optum_auth, client_id=client_id, client_secret=client_secret)
        for client_id, client_secret in (old, new)
    ]
    assert [answer.status for answer in answers] == [401, 200]
    assert answers[1].json()["scope"] == "openid"


def test_a_token_from_before_the_rotation_stays_good(optum_auth: FakeOptum) -> None:
    token = optum_auth.issue_token()
    optum_auth.rotate_secret()

    assert token.revoked is False


def test_the_credentials_may_be_chosen() -> None:
    fake = FakeOptum(client_id="mine", client_secret="s")

    assert fake.credentials == Credentials("mine", "s")


EMPTY = "must be a string that is not empty"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"client_id": ""}, f"client_id '' {EMPTY}"),
        ({"client_id": 7}, f"client_id 7 {EMPTY}"),
        ({"client_secret": ""}, f"client_secret {EMPTY}"),
        ({"client_secret": 1234567}, f"client_secret {EMPTY}"),
        (
            {"client_id": "optum-test-client-1"},
            "client_id 'optum-test-client-1' is registered already: use "
            "rotate_secret('optum-test-client-1') to give it another secret",
        ),
        (
            {"scope": " openid"},
            "scope=' openid': scope must be scope names separated by single spaces, for example "
            "'openid email'",
        ),
        (
            {"scope": 7},
            "scope=7: scope must be scope names separated by single spaces, for example "
            "'openid email'",
        ),
    ],
)
def test_a_client_that_makes_no_sense_is_refused(
    arguments: dict[str, Any], message: str, optum_auth: FakeOptum
) -> None:
    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.add_client(**arguments)


def test_rotating_the_secret_of_nobody_is_refused(optum_auth: FakeOptum) -> None:
    optum_auth.add_client("other")
    message = (
        "unknown client_id 'nobody': register it with add_client('nobody'); known are "
        "'optum-test-client-1', 'other'"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.rotate_secret("nobody")


@pytest.mark.parametrize("given", [b"billing", 7, ["billing"], Credentials("billing", "hush")])
def test_a_client_id_that_is_no_string_is_refused(given: Any, optum_auth: FakeOptum) -> None:
    message = whole(f"client_id {given!r} must be a string, as the client_id of its Credentials")

    with pytest.raises(ValueError, match=message):
        optum_auth.rotate_secret(given)
    with pytest.raises(ValueError, match=message):
        optum_auth.issue_token(client_id=given)


def test_the_message_lists_ten_clients_at_most(optum_auth: FakeOptum) -> None:
    for number in range(20):
        optum_auth.add_client(f"client-{number}")

    with pytest.raises(ValueError, match="unknown client_id 'x'") as caught:
        optum_auth.rotate_secret("x")

    assert str(caught.value).endswith("'client-7', 'client-8'")
