"""Promises about credentials: refused ones, rotated ones, and who gets to see them."""

from __future__ import annotations

from .. import faults
from .leaks import Listener, shown_of
from .promise import promise
from .steps import Outcome, Scenario, count
from .trial import Broken, Trial


@promise(
    check="Every token was revoked as soon as it was issued, and the check called the client",
    kept="the call ends in an exception, with at most 3 API requests and 2 token requests beyond "
    "the first",
    means="gateway and client keep each other busy without end: the service hangs, and the "
    "credentials are locked for the load.",
    mend="after a 401 ask for one new token and try once more; a second 401 has another reason: "
    "raise it.",
    source="RFC 6750 section 3.1; RFC 9110 section 15.5.2",
)
def no_endless_401(trial: Trial) -> Scenario:
    yield from trial.forget()
    trial.state.ledger.stillborn = True
    outcome = yield from trial.call()
    trial.asked_for_a_token(outcome)
    if outcome.error is None:
        raise Broken(outcome.told)
    for number, most, noun in (
        (len(outcome.api_requests), 3, "API request"),
        (len(outcome.token_requests), 3, "token request"),
    ):
        if number > most:
            raise Broken(f"made {count(number, noun)} in one call")


@promise(
    check="The client's secret was wrong, and the check called the client for the first time",
    kept="the call ends in an exception, with at most 2 token requests and no API request",
    means="accounts are locked after some wrong tries, for everybody who has the same "
    "credentials; and what the API says of a missing token hides the reason.",
    mend="raise when the token endpoint answers 400 or 401, at once: asking again changes nothing.",
    source="auth-only specification, 401; RFC 6749 section 5.2, invalid_client",
)
def wrong_secret(trial: Trial) -> Scenario:
    yield from trial.forget()
    trial.rotate_secret()
    outcome = yield from trial.call()
    _was_told(trial, outcome)


@promise(
    check="The check called the client, rotated its secret, let the token end, and called it again",
    kept="the call ends in an exception; after the refusal there is no API request with the old "
    "token, and there are at most 2 token requests",
    means="after a rotation the service goes on with a dead token and nobody is told why, or tries "
    "until the account is locked.",
    mend="raise the refusal of the token endpoint, with its reason, and forget the old token.",
    source="RFC 6749 section 5.2, invalid_client",
)
def rotated_secret_is_told(trial: Trial) -> Scenario:
    outcome = yield from trial.plain_call()
    trial.rotate_secret()
    yield from trial.past_end(outcome.used_token)
    outcome = yield from trial.call()
    _was_told(trial, outcome)


def _was_told(trial: Trial, outcome: Outcome) -> None:
    """The call raised what the token endpoint refused, and went on with nothing."""
    trial.asked_for_a_token(outcome)
    trial.has_old_secret(outcome)
    if outcome.error is None:
        raise Broken(outcome.told)
    made = len(outcome.token_requests)
    if made > 2:
        raise Broken(f"made {made} token requests in one call")
    refusal = outcome.exchanges.index(outcome.token_requests[0])
    after = [exchange for exchange in outcome.exchanges[refusal:] if exchange.kind == "api"]
    if after:
        raise Broken(f"made {count(len(after), 'API request')} after the refusal")


@promise(
    check="The check called the client while all was well, during a 503, during an endless 401 "
    "and with a wrong secret, with every logger at DEBUG",
    kept="no log record, exception text, warning or `repr(client)` (where the call is a bound "
    "method or closes over it) holds the secret or a token",
    means="logs are read by more people than may see credentials, kept for years, and sent to "
    "others: the secret has to be rotated, and the incident reported.",
    mend="log statuses and names, never bodies and headers; give the client a `__repr__` of its "
    "own, and the loggers of OAuth libraries a filter that drops DEBUG.",
    source="OWASP logging cheat sheet, data to exclude; RFC 6819 section 4.1.1",
)
def keeps_secrets(trial: Trial) -> Scenario:
    fake = trial.fake
    with Listener() as listener:
        yield from trial.plain_call()
        yield from trial.forget()
        with fake.inject(faults.http_error(503), times=None):
            errors = [(yield from trial.unbounded_call()).error]
        trial.state.ledger.stillborn = True
        errors.append((yield from trial.unbounded_call()).error)
        trial.state.ledger.stillborn = False
        yield from trial.forget()
        trial.rotate_secret()
        errors.append((yield from trial.unbounded_call()).error)
    redactor = trial.redactor()
    leaks = [
        where
        for where, text in (*listener.heard, *shown_of(errors, trial.client_call))
        if redactor.holds(text)
    ]
    if leaks:
        named = list(dict.fromkeys(leaks))
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        raise Broken(f"showed its secret or a token in {', '.join(named[:3])}{more}")
