"""A request on its way through the gateway: what the gateway wants to know of whoever handles it.

A handler says whether its request would succeed (:meth:`Handler.check`) and how it does
(:meth:`Handler.succeed`); the gateway does what is the same for all: faults, waits, the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from .asking import Steps
from .fault import Fault
from .holds import Hold
from .injection import Injection
from .journal import Exchange
from .messages import Response


class Handler(Protocol):
    """A request on its way through the gateway."""

    exchange: Exchange
    # The requests of the same API, this one not yet among them.
    seen: list[Exchange] | None
    # What it waits for before it is looked at.
    holds: Sequence[Hold]

    @property
    def error_format(self) -> str:
        """How errors are written."""

    def alone(self) -> AbstractContextManager[object]:
        """Held while the answer is made and recorded."""

    def check(self) -> Response | None:
        """Why it is refused, or ``None``; also writes the exchange's outcome."""

    def claim(self, refused: bool) -> Injection | None:
        """The fault that the request meets, which nobody else then does."""

    def succeed(self, fault: Fault | None) -> Response | Steps:
        """The success, spoiled by ``fault`` where it does that; or the steps that lead to it."""

    def failed(self, error: BaseException) -> str:
        """What the test is told at its end when ``error`` came instead; empty: nothing."""


def spoiled(response: Response, fault: Fault | None, exchange: Exchange) -> Response:
    """``response`` as it is after ``fault``, and the fault in the exchange's outcome."""
    if fault is None:
        return response
    exchange.outcome = f"fault: {fault!r}, {exchange.outcome}".removesuffix(", ")
    if fault.spoil is None:
        return response
    spoilt = fault.spoil(response)
    # A stub may have told the length of what it answered.
    fields = tuple(field for field in spoilt.headers if field[0].lower() != "content-length")
    return Response(spoilt.status, fields, spoilt.body)


def failure(exchange: Exchange, where: str, error: BaseException) -> str:
    """What is told of an ``error`` that nobody has raised on purpose, also by the exchange."""
    exchange.outcome = f"{type(error).__name__} while the answer was made"
    return f"{where}: {type(error).__name__}: {error}"
