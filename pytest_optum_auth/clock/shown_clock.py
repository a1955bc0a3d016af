"""The clock that is shown now, to whoever asks for the time."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol


class Frozen(Protocol):
    """Who is asked for the time."""

    def nanoseconds(self) -> int:
        """Since 1970."""

    is_real_for: Callable[[FrameType], bool]
    """Whether a call from a frame is told the real time."""

    is_on_top: Callable[[], bool]
    """Whether no other freezer hides this one."""

    slept: Callable[[float], bool]
    """Whether a sleep has moved the clock, and need not wait."""


class _Shown:
    """The clock that is shown now."""

    clock: Frozen | None = None


SHOWN: Final = _Shown()


def clock_for(frame: FrameType) -> Frozen | None:
    """Who tells the time to a call from ``frame``; ``None``: it is told the real time."""
    clock = SHOWN.clock
    return None if clock is None or clock.is_real_for(frame) else clock
