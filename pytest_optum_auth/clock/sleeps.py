"""``time.sleep`` while a clock runs: it waits, or it moves the clock instead."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from .names import Names
from .real_time import RealTime

_FOREVER: Final = float("inf")


class _Sleep:
    """What stands in for ``time.sleep``. An object, since a class would bind a function.

    One for all clocks: who patches ``time.sleep`` under a clock may put it back after its end.
    """

    def __init__(self) -> None:
        self.genuine = time.sleep
        self.moves: Callable[[float], bool] | None = None
        self.real = RealTime()

    def __call__(self, seconds: Any) -> None:
        # All that the genuine one refuses, or returns from at once, is its own.
        moved = (
            self.moves is not None
            and 0 < seconds < _FOREVER
            and not self.real.is_for(sys._getframe(1))
            and self.moves(float(seconds))
        )
        self.genuine(0 if moved else seconds)


_sleep: Final = _Sleep()


class Sleeps:
    """``time.sleep``, replaced in all modules; ``moves`` moves by its seconds, or says no."""

    def __init__(self, real: RealTime, moves: Callable[[float], bool]) -> None:
        self._real = real
        self._moves = moves
        self._names = Names([(_sleep.genuine, _sleep)])

    def install(self) -> None:
        """Stand in for it."""
        _sleep.real, _sleep.moves = self._real, self._moves
        self._names.replace_everywhere(self._real.keeps)

    def remove(self) -> None:
        """Undo :meth:`install`."""
        _sleep.moves = None
        self._names.put_back()
