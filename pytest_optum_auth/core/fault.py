"""What a fault is: a deviation from the documented answer, as data."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from .messages import Response

__tracebackhide__ = True  # in the traceback of a test

_LONGEST_WAIT: Final = 3600.0


@dataclass(frozen=True, slots=True, repr=False)
class Fault:
    """A deviation from the documented answer; ``repr`` says what it does.

    A fault either answers itself (``response``), cuts the network (``network``), spoils a
    success (``spoil``) or only waits.
    """

    description: str
    response: Callable[[str], Response] | None = None
    network: str | None = None
    spoil: Callable[[Response], Response] | None = None
    # Fields of the success that the client never gets to see as they are, and those among them
    # that the success must have had for the fault to mean anything.
    hides: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    wait: float = 0.0

    def after(self, seconds: float) -> Fault:
        """The same fault after a real wait of ``seconds``.

        Raises ``ValueError`` for a wait that is negative, longer than an hour or not a number.
        """
        return replace(
            self, description=f"{self.description}.after({seconds!r})", wait=real_wait(seconds)
        )

    def check_keys(self, keys: Iterable[str]) -> None:
        """``ValueError`` when the fault removes a key that an answer with ``keys`` lacks."""
        keys = list(keys)
        for key in sorted(self.removes.difference(keys)):
            raise ValueError(
                f"{self.description}: the answer has no key {key!r}; it has "
                f"{', '.join(map(repr, keys)) or 'none'}"
            )

    @property
    def hides_token(self) -> bool:
        """Whether the client does not learn the access token."""
        return "access_token" in self.hides

    def __repr__(self) -> str:
        return self.description


def real_wait(seconds: float) -> float:
    """``seconds``; ``ValueError`` when that is negative, over an hour or not a number."""
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, numbers.Real)
        or not math.isfinite(seconds)
        or not 0 <= seconds <= _LONGEST_WAIT
    ):
        raise ValueError(
            f"a wait of {seconds!r}: a wait is a number of seconds from 0 to 3600, and it is real"
        )
    return float(seconds)
