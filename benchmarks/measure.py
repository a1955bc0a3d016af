"""Interleaved pairs and medians: what makes two measurements comparable on a busy machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

Timed = Callable[[], float]
# The baseline against itself: how far from 1 that is, the noise is at least.
CONTROL: Final = "control"


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, against what, and how the peers do.

    ``bound`` is the most that ``value`` may be; ``unit`` is empty for a ratio.
    """

    name: str
    value: float
    bound: float
    peers: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""

    @property
    def missed(self) -> bool:
        """Whether the figure is above its bound."""
        return self.value > self.bound


def cpu_seconds(run: Callable[[], object], calls: int) -> float:
    """CPU seconds of this process for one call of ``run``, other people's load left out."""
    started = time.process_time_ns()
    for _ in range(calls):
        run()
    return (time.process_time_ns() - started) / calls / 1e9


def ratios(baseline: Timed, contenders: Mapping[str, Timed], rounds: int) -> dict[str, float]:
    """Of each contender the median of its ratios to the baseline of the same round.

    The order changes from round to round, so that nobody always runs first.
    """
    timed = {"": baseline, **contenders}
    names = list(timed)
    for name in names:
        timed[name]()  # the first time is for caches and imports
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        turn = number % len(names)
        seconds = {name: timed[name]() for name in (*names[turn:], *names[:turn])}
        for name in contenders:
            seen[name].append(seconds[name] / seconds[""])
    return {name: statistics.median(values) for name, values in seen.items()}


def compared(name: str, baseline: Timed, contender: Timed, *, bound: float, rounds: int) -> Figure:
    """One contender against its baseline, with the control beside it."""
    seen = ratios(baseline, {"contender": contender, CONTROL: baseline}, rounds)
    return Figure(name, seen.pop("contender"), bound, seen)
