"""How a promise is judged: its bounds, and what is said of a client on the wrong side of them."""

from __future__ import annotations

import re
import time

import pytest
import requests
from promising_clients import (
    BREAKING,
    LOST,
    Flow,
    GoodClient,
    Refused,
    Send,
    Sleep,
    in_threads,
    post_with_requests,
    succeed,
    told,
    told_of,
)

from pytest_optum_auth import ClientCheck, FakeOptum, faults
from pytest_optum_auth.checks.promises import PROMISES


class Fetches(GoodClient):
    """Fetches ``number`` times where others fetch once, while it is not served."""

    number = 1
    unless_served = True

    def fetch(self) -> Flow:
        answer = yield from super().fetch()
        for _ in range(self.number - 1):
            if answer.status >= 400 or not self.unless_served:
                answer = yield from super().fetch()
        return answer


class Asks(GoodClient):
    """Asks the API ``number`` times where others ask once, unless it is served."""

    number = 1

    def ask(self, token: str | None) -> Flow:
        answer = yield from super().ask(token)
        for _ in range(self.number - 1):
            if answer.status == 401:
                answer = yield from super().ask(token)
        return answer


def with_(kind: type[GoodClient], **values: object) -> type[GoodClient]:
    return type(kind.__name__, (kind,), values)


@pytest.mark.parametrize(
    ("promise", "kind", "number", "message"),
    [
        ("outage-is-not-cached", Fetches, 10, "made 11 token requests in one call"),
        ("wrong-secret", Fetches, 2, "made 3 token requests in one call"),
        ("rotated-secret-is-told", Fetches, 2, "made 3 token requests in one call"),
        ("no-endless-401", Asks, 1, "made 4 API requests in one call"),
        ("survives-revocation", Asks, 1, "made 2 API requests with the dead token in one call"),
        ("survives-early-death", Asks, 1, "made 2 API requests with the dead token in one call"),
    ],
)
def test_a_bound_is_kept_up_to_its_number(
    promise: str, kind: type[GoodClient], number: int, message: str
) -> None:
    assert told(promise, with_(kind, number=number)) == "kept"
    assert told(promise, with_(kind, number=number + 1)) == message


class TriesTimes(GoodClient):
    """Tries so many times with a new token after a 401."""

    times = 1

    def call(self) -> Flow:
        token = yield from self.good_token()
        answer = yield from self.ask(token)
        for _ in range(self.times):
            token = yield from self.good_token(refused=token)
            answer = yield from self.ask(token)
        succeed(answer)


def test_two_more_tries_are_no_endless_401() -> None:
    assert told("no-endless-401", with_(TriesTimes, times=2)) == "kept"
    assert told("no-endless-401", with_(TriesTimes, times=3)) == "made 4 API requests in one call"


def test_a_token_request_too_many_is_told_where_the_api_requests_are_few() -> None:
    class Fetching(with_(Fetches, unless_served=False)):
        number = 2

    assert told("no-endless-401", Fetching) == "made 4 token requests in one call"
    assert told("survives-revocation", Fetching) == "made 2 token requests in one call"
    assert told("reuses-token", Fetching) == "made 2 token requests"
    assert told("renews-expired-token", Fetching) == "made 2 token requests to replace one token"


def test_one_api_request_more_than_a_second_try_is_told() -> None:
    class AsksOnceMore(GoodClient):
        def call(self) -> Flow:
            before = self.token
            yield from super().call()
            if before is not None:
                yield from self.ask(self.token)

    assert told("survives-revocation", AsksOnceMore) == "made 3 API requests in one call"


def test_an_endless_call_is_stopped() -> None:
    class Endless(GoodClient):
        def call(self) -> Flow:
            yield from super().call()
            while True:
                yield from self.ask(self.token)

    stopped = "sent 1 token request and 100 API requests in one call and was stopped there"
    assert told("reuses-token", Endless) == stopped


class Swallows(GoodClient):
    """Returns None where it should raise."""

    def call(self) -> Flow:
        try:
            yield from super().call()
        except (Refused, ValueError, KeyError, OSError):
            return


QUIET = "returned as if all was well, without an API request"


@pytest.mark.parametrize(
    ("promise", "message"),
    [
        ("outage-is-not-cached", QUIET),
        ("rate-limit", QUIET),
        ("html-success", QUIET),
        ("no-access-token", QUIET),
        ("connection-lost", QUIET),
        ("wrong-secret", QUIET),
        ("rotated-secret-is-told", QUIET),
        (
            "no-endless-401",
            "returned as if all was well, though the API's last answer was 401",
        ),
    ],
)
def test_a_call_that_returns_quietly_after_a_failure_breaks_the_promise(
    promise: str, message: str
) -> None:
    assert told(promise, Swallows) == message


def test_a_second_request_is_no_haste_once_the_client_has_slept() -> None:
    class SleepsALittle(GoodClient):
        def fetch(self) -> Flow:
            yield from super().fetch()
            yield Sleep(0.5)
            return (yield from super().fetch())

    assert told("rate-limit", SleepsALittle) == "kept"


@pytest.mark.parametrize("promise", ["connection-lost", "rate-limit"])
def test_a_try_without_a_token_may_follow_a_lost_connection_and_a_429(
    promise: str,
) -> None:
    class TriesWithout(GoodClient):
        def call(self) -> Flow:
            try:
                yield from super().call()
            except (Refused, *LOST):
                succeed((yield from self.ask("nothing")))

    assert told(promise, TriesWithout) == "kept"


def test_how_many_requests_were_hasty_is_told() -> None:
    class Hasty(GoodClient):
        def fetch(self) -> Flow:
            yield from super().fetch()
            yield from super().fetch()
            return (yield from super().fetch())

    assert told("rate-limit", Hasty) == "made 2 token requests more within the same instant"


def test_a_client_that_is_stuck_after_a_bad_answer_is_told() -> None:
    class Stuck(GoodClient):
        def fetch(self) -> Flow:
            if self.replace_at < 0:
                raise Refused("stuck")
            self.replace_at = -1
            return (yield from super().fetch())

    for promise in ("html-success", "connection-lost", "rate-limit", "outage-is-not-cached"):
        message = "raised Refused: stuck when the endpoint was well again"
        assert told(promise, Stuck) == message


@pytest.mark.parametrize(
    ("offset", "promise", "message"),
    [
        (0, "renews-expired-token", "at the second at which the token ended"),
        (1, "renews-expired-token", "one second after the token had ended"),
        (-5, "renews-in-time", "5 s before the token's end"),
        (0, "renews-in-time", "at the token's end"),
    ],
)
@pytest.mark.parametrize("clock_skew", [0, 90])
def test_the_moment_of_a_failure_is_told(
    offset: int, promise: str, message: str, clock_skew: int
) -> None:
    class FailsThen(GoodClient):
        end = 0.0

        def call(self) -> Flow:
            if time.time() == self.end + offset:
                raise Refused("not now")
            yield from super().call()
            self.end = self.end or self.replace_at + self.margin

    assert told(promise, FailsThen, clock_skew=clock_skew) == f"raised Refused: not now {message}"


def test_an_expired_token_at_the_api_is_told_with_its_moment() -> None:
    class Lazy(GoodClient):
        margin = -1

    assert told("renews-in-time", Lazy) == "sent the expired token to the API at the token's end"


def test_a_dead_token_that_nobody_replaces_is_told() -> None:
    class TakesNoForAnAnswer(GoodClient):
        def tries_again(self) -> bool:
            return False

    dead = "raised Refused: status 401 when its token was dead"
    assert told("survives-early-death", TakesNoForAnAnswer) == dead
    assert told("survives-revocation", TakesNoForAnAnswer) == dead


def test_a_dead_token_that_is_passed_over_is_told() -> None:
    class SwallowsTheFirstNo(Swallows):
        def tries_again(self) -> bool:
            return False

    assert told("survives-revocation", SwallowsTheFirstNo) == (
        "returned as if all was well, though the API's last answer was 401 when its token was dead"
    )


def test_bearer_may_be_read_in_any_case() -> None:
    class ReadsItInAnyCase(GoodClient):
        def token_of(self, told: dict[str, str]) -> str:
            return {"bearer": told["access_token"]}[told["token_type"].lower()]

    assert told("lower-case-bearer", ReadsItInAnyCase) == "kept"


def test_an_exception_without_a_text_is_told_by_its_name() -> None:
    class SaysNothing(GoodClient):
        def life(self, told: dict[str, str]) -> int:
            raise LookupError

    assert told("no-expires-in", SaysNothing) == "raised LookupError"


def test_every_answer_has_its_expires_in_as_a_string() -> None:
    class NeedsStrings(GoodClient):
        def life(self, told: dict[str, str]) -> int:
            return int(told["expires_in"].strip())

    assert told("string-expires-in", NeedsStrings) == "kept"


def test_a_token_of_which_the_end_is_never_seen_is_told() -> None:
    class NeverLooks(GoodClient):
        def life(self, told: dict[str, object]) -> int:
            life = told["expires_in"]
            return int(life) if isinstance(life, int) else 10**6

        def tries_again(self) -> bool:
            return False

    message = "raised Refused: status 401 after the token's end"
    assert told("string-expires-in", NeverLooks) == message


def test_an_api_request_after_the_refusal_is_told() -> None:
    class GoesOn(GoodClient):
        def fetch(self) -> Flow:
            answer = yield from super().fetch()
            yield from self.ask("nothing")
            return answer

    assert told("wrong-secret", GoesOn) == "made 1 API request after the refusal"


def test_bad_answers_that_reach_the_api_are_told() -> None:
    class Sends(GoodClient):
        def token_of(self, told: dict[str, object]) -> str:
            return str(told.get("access_token"))

    assert told("no-access-token", Sends) == (
        "sent an API request without a good token (refused: the token is malformed)"
    )


@pytest.mark.parametrize(
    ("promise", "message"),
    [
        ("no-expires-in", "raised KeyError: 'expires_in'"),
        ("string-expires-in", 'raised TypeError: can only concatenate str (not "int") to str'),
        ("lower-case-bearer", "raised Refused: not a bearer token"),
    ],
)
def test_what_a_client_makes_of_an_answer_in_another_form_is_told(
    promise: str, message: str
) -> None:
    assert told(promise, BREAKING[promise]) == message


# The token request.


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"form": {"audience": "x"}}, "the field 'audience' beside the documented ones"),
        ({"form": {"client_secret": ""}}, "client_secret left out"),
        ({"form": {"grant_type": "", "client_id": ""}}, "grant_type and client_id left out"),
        ({"query": "?a=b"}, "something in the query"),
        ({"headers": {"Content-Type": "text/plain"}}, "the media type text/plain"),
        ({"headers": {"Authorization": "Basic eDp5"}}, "a Basic header"),
    ],
)
def test_what_is_not_documented_of_a_token_request_is_told(
    changes: dict[str, dict[str, str]], message: str
) -> None:
    class Undocumented(GoodClient):
        def fetch(self) -> Flow:
            form = {**self.form, **changes.get("form", {})}
            url = f"{self.token_url}{changes.get('query', '')}"
            return (yield Send(url, form=form, headers=changes.get("headers", {})))

    assert told("documented-request", Undocumented) == f"sent its token request with {message}"


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({}, "left out"),
        ({"Content-Type": "Text/X; charset=utf-8"}, "text/x"),
        ({"Content-Type": f"x/{'y' * 59}"}, f"x/{'y' * 58}"),
    ],
)
def test_the_media_type_is_told_shortened_or_as_left_out(
    headers: dict[str, str], shown: str
) -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        check(lambda: requests.post(fake.token_url, data=b"a=b", headers=headers, timeout=5))

    assert f"sent its token request with the media type {shown}. " in told_of(
        "documented-request", try_it
    )


def test_a_scope_may_stand_beside_the_fields() -> None:
    class Scoped(GoodClient):
        def fetch(self) -> Flow:
            return (yield Send(self.token_url, form={**self.form, "scope": "openid"}))

    assert told("documented-request", Scoped) == "kept"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/apip/auth/v2/token", "kept"),
        ("/apip/auth/v2/token/", "kept"),
        ("/apip/auth/sntl/v1/token", "the media type application/json. In production: "),
    ],
)
def test_json_is_documented_on_v2_alone(path: str, said: str) -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        client = GoodClient(fake)

        def call() -> None:
            url = f"{fake.base_url}{path}"
            told = requests.post(url, json=client.form, timeout=5).json()
            bearer = {"Authorization": f"Bearer {told.get('access_token')}"}
            requests.post(client.api_url, headers=bearer, timeout=5)

        check(call)

    assert said in told_of("documented-request", try_it)


@pytest.mark.parametrize(
    ("method", "shown"), [("GET", "GET"), ("A" * 20, "A" * 20), ("A" * 21, "A" * 20)]
)
def test_a_token_request_that_is_no_post_is_told(method: str, shown: str) -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        check(lambda: requests.request(method, fake.token_url, timeout=5).raise_for_status())

    assert f"The client sent its token request with the method {shown}. " in told_of(
        "documented-request", try_it
    )


def test_an_api_request_without_the_token_is_told() -> None:
    class SendsItElsewhere(GoodClient):
        def ask(self, token: str | None) -> Flow:
            return (yield Send(self.api_url, headers={"X-Token": str(token)}))

    assert told("documented-request", SendsItElsewhere) == (
        "sent its API request without the token: refused: no bearer token"
    )


class OnV2(GoodClient):
    """At the older endpoint, which advertises 3600 s, in the media type ``json`` says."""

    def __init__(self, fake: FakeOptum) -> None:
        super().__init__(fake)
        self.token_url = f"{fake.base_url}/apip/auth/v2/token"


@pytest.mark.parametrize("promise", PROMISES)
def test_a_client_of_v2_is_judged_by_what_v2_advertises(promise: str) -> None:
    assert told(promise, OnV2) == "kept"


def test_on_v2_an_early_death_is_early_too() -> None:
    class TakesNoForAnAnswer(OnV2):
        def tries_again(self) -> bool:
            return False

    assert told("survives-early-death", TakesNoForAnAnswer) == (
        "raised Refused: status 401 when its token was dead"
    )


@pytest.mark.parametrize("settings", [{"lifetime": 60}, {"expires_in": 600}, {"clock_skew": 90}])
@pytest.mark.parametrize("promise", PROMISES)
def test_settings_of_the_test_change_no_verdict(promise: str, settings: dict[str, int]) -> None:
    assert told(promise, GoodClient, **settings) == "kept"


def test_timeouts_that_are_missing_are_told_by_request() -> None:
    class WaitsTwice(GoodClient):
        def fetch(self) -> Flow:
            return (yield Send(self.token_url, form=self.form, timeout=None))

        def ask(self, token: str | None) -> Flow:
            bearer = {"Authorization": f"Bearer {token}"}
            return (yield Send(self.api_url, headers=bearer, timeout=None))

    assert told("sets-timeout", WaitsTwice) == (
        "would wait for ever for the answer to POST …/sntl/v1/token and POST …/member"
    )


def test_the_repr_of_a_check_names_its_promise() -> None:
    def try_it(check: ClientCheck, _: FakeOptum) -> None:
        assert (repr(check), check.promise) == ("<ClientCheck of reuses-token>", "reuses-token")

    assert told_of("reuses-token", try_it) == "kept"


def test_long_texts_of_exceptions_are_cut_and_secrets_hidden() -> None:
    class Chatty(GoodClient):
        def keep(self, answer: object) -> None:
            raise Refused(f"{self.secret} {'x' * 200}")

    said = told("html-success", Chatty)

    assert re.fullmatch(r"raised Refused: \[client_secret\] x+… when the endpoint .* again", said)


def test_a_client_that_gives_up_waiting_is_judged_by_what_it_makes_of_it() -> None:
    class Impatient(GoodClient):
        def fetch(self) -> Flow:
            return (yield Send(self.token_url, form=self.form, timeout=0.01))

    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        fake.inject(faults.slow(0.05))
        check(in_threads(Impatient(fake), post_with_requests))

    assert told_of("html-success", try_it) == "kept"


@pytest.mark.parametrize("guard_stubs", [True, False])
@pytest.mark.parametrize("promise", ["reuses-token", "no-endless-401", "single-flight"])
def test_a_stub_may_answer_for_the_api(promise: str, guard_stubs: bool) -> None:
    class CallsAStub(GoodClient):
        def __init__(self, fake: FakeOptum) -> None:
            super().__init__(fake)
            self.api_url = f"{fake.base_url}/stub"
            fake.responses.post(self.api_url)

    assert told(promise, CallsAStub, guard_stubs=guard_stubs) == "kept"


@pytest.mark.parametrize(
    ("longer", "said"),
    [(0, "kept"), (1, "raised Refused: too early when the endpoint was well again")],
)
def test_a_client_keeps_away_until_the_limit_is_over_and_no_longer(longer: int, said: str) -> None:
    class KeepsAway(GoodClient):
        until = 0.0

        def fetch(self) -> Flow:
            if time.time() < self.until:
                raise Refused("too early")
            answer = yield from super().fetch()
            if answer.status == 429:
                self.until = time.time() + int(answer.headers["Retry-After"]) + longer
            return answer

    assert told("rate-limit", KeepsAway) == said
