"""Promises about a token endpoint on a bad day: what the client makes of it, and afterwards."""

from __future__ import annotations

import datetime as dt

from .. import faults
from .promise import promise
from .steps import Outcome, Scenario, count
from .trial import Asking, Broken, NotJudged, Trial

_TRIES = "ask again, with a growing pause, two or three times; then raise, and start afresh."
_READ = "look at status, media type and access_token before anything of the answer is kept."


@promise(
    check="The token endpoint answered 503 while the check called the client, and was well again "
    "when it called it once more",
    kept="the first call fails, or succeeds; the next one succeeds; at most 10 token requests and "
    "no API request without a good token",
    means="a minute's outage of the token endpoint becomes one that lasts until somebody starts "
    "the service again, or hundreds of clients ask without a pause and prolong it.",
    mend=f"{_TRIES} Keep neither the answer nor the exception.",
    source="auth-only specification, 500; RFC 9110 section 15.6.4",
)
def outage_is_not_cached(trial: Trial) -> Scenario:
    first = yield from trial.first_call(faults.http_error(503), times=None)
    made = len(first.token_requests)
    if made > 10:
        raise Broken(f"made {made} token requests in one call")
    yield from _recovers(trial, first)


@promise(
    check="The token endpoint answered the client's token request with 429 and Retry-After: 30, "
    "once, and the check called the client again 30 s later",
    kept="within the same instant there is no second token request, unless the client slept; the "
    "next call succeeds",
    means="who asks again at once stays over the limit, and keeps everybody there who has the "
    "same credentials.",
    mend="wait as long as Retry-After says before the next token request, or raise and let the "
    "caller decide.",
    source="v2 specification, 429; RFC 6585 section 4; RFC 9110 section 10.2.3",
)
def rate_limit(trial: Trial) -> Scenario:
    if trial.in_trio:
        raise NotJudged("under trio a sleep of the client cannot be made a move of the clock")
    first = yield from trial.first_call(faults.rate_limited(retry_after=30))
    refused, *further = [exchange.at for exchange in first.token_requests]
    made = further.count(refused)
    if made:
        raise Broken(f"made {count(made, 'token request')} more within the same instant")
    yield from trial.until(refused + dt.timedelta(seconds=30))
    yield from _recovers(trial, first, only_good_tokens=False)


@promise(
    check="The token endpoint answered 200 with an HTML page, once, and the check called the "
    "client again",
    kept="there is no API request without a good token; the next call succeeds",
    means="a proxy's login or maintenance page becomes the token; every call after it is refused, "
    "long after the proxy is well again.",
    mend=f"{_READ} Raise an error that names the media type.",
    source="RFC 6749 section 5.1: the answer is application/json",
)
def html_success(trial: Trial) -> Scenario:
    yield from _recovers(trial, (yield from trial.first_call(faults.not_json())))


@promise(
    check="The token endpoint answered 200 without access_token, once, and the check called the "
    "client again",
    kept="there is no API request without a good token; the next call succeeds",
    means="the client sends `Bearer None`, or holds an empty token for good for two hours.",
    mend=f"{_READ} An answer without access_token is an error.",
    source="RFC 6749 section 5.1: access_token is required",
)
def no_access_token(trial: Trial) -> Scenario:
    yield from _recovers(trial, (yield from trial.first_call(faults.without("access_token"))))


@promise(
    check="The connection to the token endpoint broke once, and the check called the client again",
    kept="the first call raises or succeeds; the next one succeeds",
    means="one lost connection, of which there are some every day, ends the service.",
    mend="raise what the HTTP library raises, or ask once more; release locks in `finally`.",
    source="RFC 9110 section 9.2.2: a client may repeat a request whose connection closed",
)
def connection_lost(trial: Trial) -> Scenario:
    first = yield from trial.first_call(faults.disconnect())
    yield from _recovers(trial, first, only_good_tokens=False)


def _recovers(trial: Trial, first: Outcome, *, only_good_tokens: bool = True) -> Asking[None]:
    """The first call raised or succeeded, and the next one succeeds."""
    if first.error is None and not first.succeeded:
        raise Broken(first.told)
    following = yield from trial.call()
    if only_good_tokens:
        for exchange in (*first.api_requests, *following.api_requests):
            if not exchange.accepted:
                raise Broken(f"sent an API request without a good token ({exchange.outcome})")
    if not following.succeeded:
        raise Broken(f"{following.told} when the endpoint was well again")


@promise(
    check="No answer of the token endpoint had expires_in, and the check called the client twice",
    kept="the calls succeed",
    means="the day the field is left out, as the standard allows, every call fails with a "
    "KeyError.",
    mend="without expires_in, take a short life for granted (five minutes), and a 401 for the end.",
    source="RFC 6749 section 5.1: expires_in is recommended only",
)
def no_expires_in(trial: Trial) -> Scenario:
    yield from _calls_succeed(trial, faults.without("expires_in"))


@promise(
    check='The token endpoint answered expires_in as the string "7200", and the check called the '
    "client, and again after the token's end",
    kept="the calls succeed, and the token is renewed after its end",
    means="a gateway that writes numbers as strings, which some do, makes every call fail with a "
    "TypeError, or a token that is never replaced.",
    mend='read it with int(), so that 7200 and "7200" are the same.',
    source="RFC 6749 appendix A.14 defines digits; gateways differ in how they write them",
)
def string_expires_in(trial: Trial) -> Scenario:
    advertised = trial.fake.expires_in
    string = faults.replacing(expires_in=str(advertised))
    yield from trial.forget()
    with trial.fake.inject(string, times=None):
        outcome = yield from trial.call()
        trial.asked_for_a_token(outcome)
        if not outcome.succeeded:
            raise Broken(outcome.told)
        token = outcome.used_token
        yield from trial.until(token.issued_at + dt.timedelta(seconds=advertised + 1))
        outcome = yield from trial.call()
    if not outcome.succeeded:
        raise Broken(f"{outcome.told} after the token's end")


@promise(
    check="The token endpoint answered with the token_type bearer, and the check called the "
    "client twice",
    kept="the calls succeed",
    means="the page says Bearer, the newer specification bearer: when the gateway follows, every "
    "call fails.",
    mend='compare token_type without case, or not at all, and send "Bearer".',
    source="RFC 6749 section 7.1 and 5.1: the value is case-insensitive; auth-only specification",
)
def lower_case_bearer(trial: Trial) -> Scenario:
    yield from _calls_succeed(trial, faults.replacing(token_type="bearer"))


def _calls_succeed(trial: Trial, answer: faults.Fault) -> Asking[None]:
    """Two calls succeed while every answer of the token endpoint is ``answer``."""
    yield from trial.forget()
    with trial.fake.inject(answer, times=None):
        outcome = yield from trial.call()
        trial.asked_for_a_token(outcome)
        if outcome.succeeded:
            outcome = yield from trial.call()
    if not outcome.succeeded:
        raise Broken(outcome.told)
