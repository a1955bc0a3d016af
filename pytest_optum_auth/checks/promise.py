"""What a promise is: a scenario that tries it, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .steps import Scenario

if TYPE_CHECKING:
    from .trial import Trial


@dataclass(frozen=True)
class Promise:
    """A promise of a good client.

    ``name`` is the test's id. ``check`` says what the check does and ``kept`` when the promise is
    kept; ``means`` what breaking it means in production, ``mend`` how clients mend it, ``source``
    where it is asked for. ``scenario`` tries it: it asks for one step after the other.
    """

    name: str
    check: str
    kept: str
    means: str
    mend: str
    source: str
    scenario: Callable[[Trial], Scenario]


def promise(
    *, check: str, kept: str, means: str, mend: str, source: str
) -> Callable[[Callable[[Trial], Scenario]], Promise]:
    """Make a promise of a scenario; it has the scenario's name, with dashes."""

    def made(scenario: Callable[[Trial], Scenario]) -> Promise:
        name = scenario.__name__.replace("_", "-")
        return Promise(name, check, kept, means, mend, source, scenario)

    return made
