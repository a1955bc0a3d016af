"""Promises about a token's life: asked for as documented, used, and replaced in time."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..core import facts
from ..core.journal import Exchange
from .promise import promise
from .steps import Outcome, Scenario, count
from .trial import Broken, Trial

_PAGE = 'developer.optum.com, "Security and Authorization v3"'


@promise(
    check="The check called the client once",
    kept="the token request is a form with the three fields (on v2 also JSON; `scope` may stand "
    "beside them), with nothing in the query and no Basic header; the API request carries "
    "`Bearer` and that token",
    means="what is not documented may be refused from one day to the next, and credentials in a "
    "URL or in a header end up in the logs of every proxy on the way.",
    mend="send grant_type, client_id and client_secret as form fields, and nothing else; "
    "libraries call it client_secret_post.",
    source=f"{_PAGE}; RFC 6749 section 2.3.1; RFC 6750 section 2.1",
)
def documented_request(trial: Trial) -> Scenario:
    outcome = yield from trial.any_call()
    for exchange in trial.token_requests:
        wrong = _undocumented(exchange)
        if wrong:
            raise Broken(f"sent its token request with {wrong}")
    for exchange in outcome.api_requests:
        if exchange.status == 401 and not exchange.accepted:
            raise Broken(f"sent its API request without the token: {exchange.outcome}")
    if not outcome.succeeded:
        raise trial.wrong_call(outcome)


def _undocumented(exchange: Exchange) -> str:
    media_type = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
    v2 = exchange.path.rstrip("/") == facts.V2_TOKEN_PATH
    if exchange.method != "POST":
        return f"the method {exchange.method[:20]}"
    if urlsplit(exchange.url).query:
        return "something in the query"
    if exchange.headers.get("authorization", "").lower().startswith("basic"):
        return "a Basic header"
    if media_type != facts.FORM and not (v2 and media_type == facts.JSON):
        return f"the media type {media_type[:60] or 'left out'}"
    fields = exchange.form
    missing = [name for name in facts.REQUIRED_FIELDS if not fields.get(name)]
    others = sorted(fields.keys() - {*facts.REQUIRED_FIELDS, "scope"})
    if missing:
        return f"{' and '.join(missing)} left out"
    return f"the field {others[0][:40]!r} beside the documented ones" if others else ""


@promise(
    check="The check called the client five times in a row",
    kept="there is one token request",
    means="each call then takes two round trips, and the token endpoint sees the load of all "
    "calls: it answers 429, for everybody with these credentials.",
    mend="keep the token beside the time at which it ends, and ask for one only when there is "
    "none that is good; share it between all calls of the process.",
    source=f'{_PAGE}: "use it for all transactions of its life"',
)
def reuses_token(trial: Trial) -> Scenario:
    for _ in range(5):
        yield from trial.plain_call()
    if len(trial.token_requests) > 1:
        raise Broken(f"made {len(trial.token_requests)} token requests")


@promise(
    check="The check called the client, let time go on to the second at which the token ended, "
    "called it, and again one second later",
    kept="the calls succeed, and the token was replaced by one token request",
    means="two hours after its start the service answers nothing any more, until somebody starts "
    "it again.",
    mend="compare the time with that of the answer plus expires_in before each call; on or after "
    "that second the token is over (`now >= end`).",
    source="RFC 6749 section 5.1, expires_in; RFC 7519 section 4.1.4",
)
def renews_expired_token(trial: Trial) -> Scenario:
    token = (yield from trial.plain_call()).used_token
    before = len(trial.token_requests)
    yield from trial.to_end(token)
    outcome = yield from trial.call()
    if not outcome.succeeded:
        raise Broken(f"{outcome.told} at the second at which the token ended")
    made = len(trial.token_requests) - before
    if made != 1:
        raise Broken(f"made {count(made, 'token request')} to replace one token")
    yield from trial.past_end(token)
    outcome = yield from trial.call()
    if not outcome.succeeded:
        raise Broken(f"{outcome.told} one second after the token had ended")


@promise(
    check="The check called the client, let time go on to 5 s before the token's end, called it, "
    "and again at that end",
    kept="every call succeeds, and the API saw no expired token",
    means="calls that meet the end of a token fail, or cost a refusal, a token request and a "
    "second try; a queue of them fails at once.",
    mend="replace the token some seconds before its end (libraries take 20 to 60), so that none "
    "ends on its way.",
    source=f'{_PAGE}: "refresh it shortly before it expires"',
)
def renews_in_time(trial: Trial) -> Scenario:
    token = (yield from trial.plain_call()).used_token
    for seconds, when in ((-5, "5 s before the token's end"), (0, "at the token's end")):
        yield from trial.to_end(token, by=seconds)
        outcome = yield from trial.call()
        if not outcome.succeeded:
            raise Broken(f"{outcome.told} {when}")
        for exchange in outcome.api_requests:
            sent = exchange.token
            if sent and not exchange.accepted and exchange.at >= trial.end_of(sent):
                raise Broken(f"sent the expired token to the API {when}")


@promise(
    check="The check called the client, and again when the token had died, after half of the time "
    "that was advertised",
    kept="the call succeeds, with at most one 401, one new token and one more try",
    means="the documentation says both one hour and two. When the shorter one is true, every call "
    "of the second hour fails.",
    mend="take a 401 of an API as the end of the token: ask for another one and try once more, "
    "whatever the clock says.",
    source=f'{_PAGE}: "two hours", and "one hour" further down; RFC 6750 section 3.1',
)
def survives_early_death(trial: Trial) -> Scenario:
    yield from trial.forget()
    trial.fake.lifetime = trial.fake.expires_in // 2
    token = (yield from trial.plain_call()).used_token
    if token.expires_in != trial.fake.expires_in:
        # v2 advertises what it likes.
        trial.fake.lifetime = token.expires_in // 2
        yield from trial.forget()
        token = (yield from trial.plain_call()).used_token
    yield from trial.to_end(token, by=-(token.expires_in - token.expires_in // 2))
    _survived((yield from trial.call()))


@promise(
    check="The check called the client, revoked its token, and called it again",
    kept="the call succeeds, with at most one 401, one new token and one more try",
    means="when the gateway forgets its tokens, on a restart or when a key is changed, the service "
    "is down until the token would have ended, up to two hours.",
    mend="take a 401 of an API as the end of the token: ask for another one and try once more.",
    source="RFC 6750 section 3.1, invalid_token: the client may request a new token and retry",
)
def survives_revocation(trial: Trial) -> Scenario:
    yield from trial.plain_call()
    trial.fake.revoke_all()
    _survived((yield from trial.call()))


def _survived(outcome: Outcome) -> None:
    refused = [exchange for exchange in outcome.api_requests if exchange.status == 401]
    if not outcome.succeeded:
        raise Broken(f"{outcome.told} when its token was dead")
    for number, most, noun in (
        (len(refused), 1, "API request with the dead token"),
        (len(outcome.token_requests), 1, "token request"),
        (len(outcome.api_requests), 2, "API request"),
    ):
        if number > most:
            raise Broken(f"made {count(number, noun)} in one call")
