"""What a scenario asks for, and what it gets: it is written once, for threads and coroutines."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.journal import Exchange
from ..core.tokens import Token


@dataclass(frozen=True)
class Call:
    """One call of the client; gives an :class:`Outcome`."""


@dataclass(frozen=True)
class CallsAtOnce:
    """So many calls at once, held at the token endpoint; gives the :class:`Outcome` of each."""

    count: int


@dataclass(frozen=True)
class Advance:
    """So many seconds go by; what sleeps in the client's event loop is woken."""

    seconds: float


Step = Call | CallsAtOnce | Advance
Scenario = Generator[Step, Any, None]


class EndlessCall(BaseException):
    """Ends a call that sends one request after the other; no ``Exception``, to get through."""


class Unfinished(Exception):
    """A call that did not come back, though everybody was answered."""


@dataclass(frozen=True)
class Outcome:
    """How a call ended, and the exchanges meanwhile.

    ``error`` is what it raised, if it did.
    """

    error: BaseException | None
    exchanges: Sequence[Exchange]

    @property
    def token_requests(self) -> list[Exchange]:
        """The exchanges with the token endpoint."""
        return [exchange for exchange in self.exchanges if exchange.kind == "token"]

    @property
    def api_requests(self) -> list[Exchange]:
        """The exchanges with APIs."""
        return [exchange for exchange in self.exchanges if exchange.kind == "api"]

    @property
    def succeeded(self) -> bool:
        """It returned, and its last API exchange is below 400."""
        return self.error is None and bool(self.api_requests) and _is_good(self.api_requests[-1])

    @property
    def used_token(self) -> Token:
        """The token with which the call succeeded."""
        token = self.api_requests[-1].token
        assert token is not None, "a call that succeeds has presented a token"
        return token

    @property
    def ends_well(self) -> bool:
        """The last that the client saw is an API's success, whatever it made of it."""
        return bool(self.exchanges) and _is_good(self.exchanges[-1])

    @property
    def told(self) -> str:
        """How it ended, in words that follow "the call"."""
        if self.error is not None:
            return f"raised {brief(self.error)}"
        if self.succeeded:
            return "succeeded"
        if not self.api_requests:
            return "returned as if all was well, without an API request"
        # An API that gave no answer at all has shown the call to be wrong before.
        status = self.api_requests[-1].status
        return f"returned as if all was well, though the API's last answer was {status}"


def _is_good(exchange: Exchange) -> bool:
    return exchange.kind == "api" and exchange.status is not None and exchange.status < 400


def brief(error: BaseException) -> str:
    """An exception in one short line."""
    kind, text = type(error).__name__, " ".join(str(error).split())
    return f"{kind}: {text[:119]}…" if len(text) > 120 else f"{kind}: {text}".rstrip(": ")


def count(number: int, noun: str) -> str:
    """``1 token request``, ``2 token requests``."""
    return f"{number} {noun if number == 1 else noun.replace('request', 'requests')}"
