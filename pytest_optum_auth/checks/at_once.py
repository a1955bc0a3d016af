"""Promises about many callers and about waiting."""

from __future__ import annotations

from .promise import promise
from .steps import Scenario, brief, count
from .trial import Asking, Broken, NotJudged, Trial

_CALLERS = 8


@promise(
    check="The check called the client once and looked for how long it would wait",
    kept="token and API request carry a finite timeout (in-process transports; on https it cannot "
    "be seen)",
    means="a gateway that accepts connections and says nothing takes all workers of the service, "
    "one after the other, and none ever comes back.",
    mend="give every request a timeout, that for the token too: requests has none by default, and "
    "a request that an httpx auth flow builds itself does not get the client's.",
    source="requests, Advanced Usage, Timeouts; httpx, Timeouts; aiohttp, Client Quickstart",
)
def sets_timeout(trial: Trial) -> Scenario:
    yield from trial.plain_call()
    seen = [e for e in trial.fake.exchanges if e.transport != "https"]
    waits = [e.request_line for e in seen if e.timeout is None]
    if waits:
        raise Broken(f"would wait for ever for the answer to {' and '.join(dict.fromkeys(waits))}")
    if len(seen) < len(trial.fake.exchanges):
        raise NotJudged("over real HTTPS the client's timeouts cannot be seen")


@promise(
    check=f"The check called the client {_CALLERS} times at once, before the first token and "
    "after its end, while token requests were held",
    kept="there is one token request each time",
    means="whenever a token ends, every worker asks for one at the same moment; the endpoint "
    "answers 429, and tokens that were good a moment ago are replaced again and again.",
    mend="fetch the token under a lock, and look again under the lock whether somebody else has "
    "fetched it; in coroutines an asyncio.Lock.",
    source="RFC 6749 section 5.1; golang.org/x/oauth2, ReuseTokenSource",
)
def single_flight(trial: Trial) -> Scenario:
    yield from trial.forget()
    yield from _one_request(trial, "before the first token")
    for token in trial.fake.tokens[-1:]:
        yield from trial.past_end(token)
    yield from _one_request(trial, "after its end")


def _one_request(trial: Trial, when: str) -> Asking[None]:
    outcomes = yield from trial.calls_at_once(_CALLERS)
    together = outcomes[0]
    if not trial.token_requests:
        trial.asked_for_a_token(together)
    made = len(together.token_requests)
    if made > 1:
        raise Broken(f"made {count(made, 'token request')} for {_CALLERS} callers {when}")
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    served = sum(exchange.accepted for exchange in together.api_requests)
    if errors or served < _CALLERS:
        told = f": {brief(errors[0])}" if errors else ""
        failed = max(len(errors), _CALLERS - served)
        raise Broken(f"let {failed} of {_CALLERS} callers fail {when}{told}")
