"""Calls that are wrong themselves: no promise can be judged by them, and the check says so."""

from __future__ import annotations

import pytest
import urllib3
from promising_clients import (
    API,
    Flow,
    GoodClient,
    Send,
    in_threads,
    post_with_requests,
    succeed,
    told,
    told_of,
)

from pytest_optum_auth import ClientCheck, FakeOptum, faults

WRONG = "the call itself is wrong, no promise can be judged by it: it "


class CallsAnotherApi(GoodClient):
    def ask(self, token: str | None) -> Flow:
        bearer = {"Authorization": f"Bearer {token}"}
        return (yield Send(f"{self.api_url}s", headers=bearer))


class HasAWrongSecret(GoodClient):
    def fetch(self) -> Flow:
        return (yield Send(self.token_url, form={**self.form, "client_secret": "x"}))


class HasNoSecret(GoodClient):
    def fetch(self) -> Flow:
        return (yield Send(self.token_url, form={"grant_type": "client_credentials"}))


class CannotReadTheAnswer(GoodClient):
    def call(self) -> Flow:
        yield from super().call()
        raise KeyError("covered")


class MakesNoRequest(GoodClient):
    def call(self) -> Flow:
        yield from ()


class OnlyFetches(GoodClient):
    def call(self) -> Flow:
        yield from self.good_token()


class UsesPlainHttp(GoodClient):
    def fetch(self) -> Flow:
        return (yield Send(self.token_url.replace("https", "http"), form=self.form))


@pytest.mark.parametrize("promise", ["reuses-token", "html-success", "no-expires-in"])
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            CallsAnotherApi,
            "reached no API that answers it: POST …/members: no answer, refused: no protect() "
            "covers the path",
        ),
        (
            HasAWrongSecret,
            "asked for a token in a wrong way: POST …/sntl/v1/token: 401, refused: client_secret "
            "is wrong",
        ),
        (
            HasNoSecret,
            "asked for a token in a wrong way: POST …/sntl/v1/token: 400, refused: Field "
            "'client_id' is required. Field 'client_secret' is required",
        ),
        (
            CannotReadTheAnswer,
            "raised KeyError: 'covered' although the API had answered it",
        ),
        (
            MakesNoRequest,
            "made no request to https://sandbox-apigw.optum.com; it returned as if all was well, "
            "without an API request",
        ),
        (
            UsesPlainHttp,
            "asked for a token in a wrong way: POST …/sntl/v1/token: no answer, refused: plain "
            "http",
        ),
    ],
)
def test_a_wrong_call_is_told_whatever_the_promise(
    kind: type[GoodClient], message: str, promise: str
) -> None:
    # After the bad answer, which this one takes like any other.
    said = told(promise, kind)

    assert said == f"{WRONG}{message}"


def test_a_call_that_only_fetches_makes_no_api_request() -> None:
    assert told("reuses-token", OnlyFetches) == f"{WRONG}made no API request"


def test_a_plain_failure_shows_what_happened() -> None:
    class TakesTheFirstNo(GoodClient):
        def ask(self, token: str | None) -> Flow:
            return (yield from super().ask("nothing"))

    assert told("reuses-token", TakesTheFirstNo) == (
        f"{WRONG}raised Refused: status 401 (POST …/member: 401, refused: the token is malformed; "
        "POST …/sntl/v1/token: 200, needless: token #1 was good for another 7200 s; "
        "POST …/member: 401, refused: the token is malformed)"
    )


@pytest.mark.parametrize("status", [400, 500])
def test_an_api_that_fails_by_itself_judges_nothing(status: int) -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        fake.protect("POST", API, status=status)
        check(in_threads(GoodClient(fake), post_with_requests))

    assert told_of("reuses-token", try_it) == (
        f"{WRONG}reached no API that answers it: POST …/member: {status}, token #1 accepted"
    )


def test_one_that_takes_its_credentials_at_each_call_is_told_so() -> None:
    class Fresh(GoodClient):
        def __init__(self, fake: FakeOptum) -> None:
            super().__init__(fake)
            self.fake = fake

        def fetch(self) -> Flow:
            form = {**self.form, "client_secret": self.fake.credentials.client_secret}
            return (yield Send(self.token_url, form=form))

    knows = "knows the rotated secret: take optum_auth.credentials once, outside of the call"
    assert told("wrong-secret", Fresh) == f"{WRONG}{knows}"
    assert told("rotated-secret-is-told", Fresh) == f"{WRONG}{knows}"


@pytest.mark.parametrize(
    "promise",
    [
        "html-success",
        "no-expires-in",
        "string-expires-in",
        "no-endless-401",
        "wrong-secret",
        "rotated-secret-is-told",
        "single-flight",
    ],
)
def test_a_client_with_a_token_of_its_own_cannot_show_what_it_makes_of_answers(
    promise: str,
) -> None:
    class BringsItsToken(GoodClient):
        def __init__(self, fake: FakeOptum) -> None:
            super().__init__(fake)
            self.own = str(fake.issue_token())

        def call(self) -> Flow:
            succeed((yield from self.ask(self.own)))

    assert told(promise, BringsItsToken) == (
        f"{WRONG}made no token request; it raised Refused: status 401"
    )


def test_nor_can_one_that_is_given_a_token_for_each_call() -> None:
    class IsGivenTokens(GoodClient):
        def __init__(self, fake: FakeOptum) -> None:
            super().__init__(fake)
            self.fake = fake

        def call(self) -> Flow:
            succeed((yield from self.ask(str(self.fake.issue_token()))))

    assert told("html-success", IsGivenTokens) == f"{WRONG}made no token request; it succeeded"


def test_a_client_of_another_registration_is_judged_too() -> None:
    class Another(GoodClient):
        def __init__(self, fake: FakeOptum) -> None:
            super().__init__(fake)
            client_id, secret = fake.add_client()
            self.form |= {"client_id": client_id, "client_secret": secret}

    assert told("wrong-secret", Another) == "kept"
    assert told("rotated-secret-is-told", Another) == "kept"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_library_that_nothing_intercepts_is_told_so(wrapped: bool) -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        def call() -> None:
            try:
                pool.request("POST", fake.token_url)
            finally:
                if wrapped:
                    raise RuntimeError("no token")

        with urllib3.PoolManager() as pool:
            check(call)

    assert told_of("reuses-token", try_it).startswith(
        f"{WRONG}made no request to https://sandbox-apigw.optum.com; because a connection to "
        "sandbox-apigw.optum.com was stopped: "
    )


def test_faults_of_the_test_itself_do_not_help_a_client() -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        fake.inject(faults.http_error(400))
        check(in_threads(GoodClient(fake), post_with_requests))

    assert told_of("reuses-token", try_it) == (
        f"{WRONG}asked for a token in a wrong way: POST …/sntl/v1/token: 400, fault: "
        "http_error(400)"
    )
