"""A trial: the fake, the clock and the call of one check, and what a scenario does with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any, Final, TypeVar

from ..clock import Clock
from ..core.journal import Exchange, Exchanges, Journal
from ..core.tokens import Token
from ..core.waits import in_trio
from ..fake import FakeOptum
from ..faults import Fault
from ..live.redaction.redactor import Redactor
from ..transports.egress_guard import stopped_in
from .steps import Advance, Call, CallsAtOnce, EndlessCall, Outcome, Step, brief, count

T = TypeVar("T")
Asking = Generator[Step, Any, T]

# One call that sends more is stopped: every bound of a promise lies far below.
_MOST_EXCHANGES: Final = 100
# What the endpoint answers to a request that is wrong itself; no scenario brings them about.
_WRONG_REQUEST: Final = (400, 403, 405, 415)


class Broken(Exception):
    """The promise is broken: what the client did, as a sentence without subject."""


class WrongCall(Exception):
    """The call itself is wrong, so no promise can be judged by it."""


class NotJudged(Exception):
    """The promise cannot be tried here."""


class Trial:
    """What a scenario has at hand."""

    def __init__(self, fake: FakeOptum, clock: Clock, call: object) -> None:
        self.fake = fake
        self.clock = clock
        self.client_call = call
        self.state = fake.gateway.state
        self._fuse = self.state.journal = _Fuse(self.state.journal)
        clients = self.state.clients
        self.secrets = [clients.known(name).credentials.client_secret for name in clients]
        self.rotated = False
        # Promises are about what was advertised, and about tokens that somebody looks at.
        fake.lifetime = None
        fake.guard_stubs = True

    @property
    def token_requests(self) -> Exchanges:
        """All of the test, those before the check too: a client may have fetched early."""
        return self.fake.token_requests

    @property
    def in_trio(self) -> bool:
        """Whether the check runs in trio's event loop."""
        return in_trio()

    # Calls.

    def plain_call(self) -> Asking[Outcome]:
        """A call while nothing is broken: when it fails, the call itself is wrong."""
        outcome = yield from self.call()
        if not outcome.succeeded:
            raise self.wrong_call(outcome)
        return outcome

    def call(self) -> Asking[Outcome]:
        """A call in some trouble; the scenario says what is to come of it."""
        return self._judged((yield from self.any_call()))

    def any_call(self) -> Asking[Outcome]:
        """A call that the scenario alone judges."""
        outcome = yield from self.unbounded_call()
        if isinstance(outcome.error, EndlessCall):
            raise Broken(f"sent {_sent(outcome)} in one call and was stopped there")
        return outcome

    def unbounded_call(self) -> Asking[Outcome]:
        """A call of which nothing is judged, not even whether it ends by itself."""
        self._fuse.begin(_MOST_EXCHANGES)
        outcome: Outcome = yield Call()
        return outcome

    def calls_at_once(self, number: int) -> Asking[list[Outcome]]:
        """So many calls from threads or tasks of their own, while token requests are held."""
        self._fuse.begin(number * _MOST_EXCHANGES)
        outcomes: list[Outcome] = yield CallsAtOnce(number)
        # The exchanges are those of all of them together.
        self._judged(Outcome(None, outcomes[0].exchanges))
        return outcomes

    def first_call(self, fault: Fault, times: int | None = 1) -> Asking[Outcome]:
        """The first call of a client that has no token, while the token endpoint has a fault."""
        yield from self.forget()
        with self.fake.inject(fault, times=times):
            outcome = yield from self.call()
        self.asked_for_a_token(outcome)
        return outcome

    # What goes on around the calls.

    def forget(self) -> Asking[None]:
        """A token that was fetched before the check began is over: the client has none."""
        for token in self.fake.tokens[-1:]:
            yield from self.past_end(token)
            self.fake.revoke_all()

    def rotate_secret(self) -> None:
        """The client's secret is refused from now on."""
        for client_id in self.state.clients:
            self.secrets.append(self.fake.rotate_secret(client_id).client_secret)
        self.rotated = True

    def end_of(self, token: Token) -> dt.datetime:
        """When ``token`` ends by what was advertised, on the client's clock."""
        skew = dt.timedelta(seconds=self.fake.clock_skew)
        return token.issued_at + dt.timedelta(seconds=token.expires_in) - skew

    def to_end(self, token: Token, by: float = 0) -> Asking[None]:
        """Time goes on to ``by`` seconds after the end of ``token``."""
        yield from self.until(self.end_of(token) + dt.timedelta(seconds=by))

    def past_end(self, token: Token) -> Asking[None]:
        """Time goes on to the second after the end of ``token``."""
        yield from self.to_end(token, by=1)

    def until(self, moment: dt.datetime) -> Asking[None]:
        """Time goes on to ``moment``, if that lies ahead."""
        seconds = (moment - self.clock.now) / dt.timedelta(seconds=1)
        if seconds > 0:
            yield Advance(seconds)

    # Judging.

    def wrong_call(self, outcome: Outcome) -> WrongCall:
        """What to raise for a call that fails although nothing was broken."""
        wrong = self._wrong(outcome)
        if not wrong and outcome.error is None and not outcome.api_requests:
            wrong = "made no API request"
        if not wrong:
            seen = "; ".join(_answered(exchange) for exchange in outcome.exchanges[-3:])
            wrong = f"{outcome.told}{seen and f' ({seen})'}"
        return WrongCall(wrong)

    def asked_for_a_token(self, outcome: Outcome) -> None:
        """``WrongCall`` when a client without a token did not ask for one."""
        if not outcome.token_requests:
            raise WrongCall(f"made no token request; it {outcome.told}")

    def has_old_secret(self, outcome: Outcome) -> None:
        """``WrongCall`` when the endpoint took the client's secret after its rotation."""
        if any(exchange.status == 200 for exchange in outcome.token_requests):
            raise WrongCall(
                "knows the rotated secret: take optum_auth.credentials once, outside of the call"
            )

    def redactor(self) -> Redactor:
        """Finds the secrets, and the part of a token that makes it one, in a text."""
        redactor = Redactor()
        for secret in self.secrets:
            redactor.learn_secret("client_secret", secret)
        for token in self.fake.tokens:
            redactor.learn_secret("token", token.value.rpartition(".")[2])
        return redactor

    def _judged(self, outcome: Outcome) -> Outcome:
        """``outcome``; ``WrongCall`` when it shows that the call itself is wrong."""
        wrong = self._wrong(outcome)
        if wrong:
            raise WrongCall(wrong)
        return outcome

    def _wrong(self, outcome: Outcome) -> str:
        for exchange in outcome.exchanges:
            if exchange.kind == "token" and self._is_wrong_request(exchange):
                return f"asked for a token in a wrong way: {_answered(exchange)}"
            if exchange.kind == "api" and _refused_by_api(exchange):
                return f"reached no API that answers it: {_answered(exchange)}"
        if outcome.error is not None and outcome.ends_well:
            return f"raised {brief(outcome.error)} although the API had answered it"
        if not self.fake.exchanges:
            stopped = stopped_in(outcome.error)
            told = f"because {stopped}" if stopped else f"it {outcome.told}"
            return f"made no request to {self.fake.base_url}; {told}"
        return ""

    def _is_wrong_request(self, exchange: Exchange) -> bool:
        """Whether a token request was refused for a reason that no scenario brings about."""
        if exchange.status is None:
            return "fault" not in exchange.outcome and "gave up" not in exchange.outcome
        return exchange.status in _WRONG_REQUEST or (exchange.status == 401 and not self.rotated)


def _sent(outcome: Outcome) -> str:
    tokens = count(len(outcome.token_requests), "token request")
    return f"{tokens} and {count(len(outcome.api_requests), 'API request')}"


def _refused_by_api(exchange: Exchange) -> bool:
    """Whether the API refuses for another reason than the token."""
    if exchange.accepted:
        return exchange.status is None or exchange.status >= 400
    return exchange.status != 401


def _answered(exchange: Exchange) -> str:
    status = "no answer" if exchange.status is None else exchange.status
    return f"{exchange.request_line}: {status}, {exchange.outcome}"


class _Fuse(Journal):
    """A journal that ends a call which sends without end."""

    def __init__(self, journal: Journal) -> None:
        vars(self).update(vars(journal))
        self.begin(_MOST_EXCHANGES)

    def begin(self, most: int) -> None:
        """A call begins that may send so much."""
        self._last = len(self.exchanges) + most

    def record(self, exchange: Exchange) -> None:
        super().record(exchange)
        if len(self.exchanges) > self._last:
            raise EndlessCall("more requests in one call than any promise allows")
