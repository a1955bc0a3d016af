"""What stands in for the clock functions of the standard library, and the table of all stand-ins.

One of each for all clocks: who keeps one, in a class attribute or a container, gets the time of
whatever clock runs when he asks, and the real time when none does.
"""

from __future__ import annotations

import functools
import operator
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from .dates import date, datetime
from .freezegun_internals import GENUINE, THEIRS, Genuine, Their
from .shown_clock import SHOWN, clock_for

_SECOND: Final = 10**9
# Of the clocks of an operating system those that count the time of a processor.
_OF_A_PROCESSOR: Final = ("CPUTIME", "CLOCK_PROF", "CLOCK_VIRTUAL")
_MOVED: Final = {
    number
    for name, number in vars(time).items()
    if name.startswith("CLOCK_") and not any(each in name for each in _OF_A_PROCESSOR)
}


class Reading:
    """A function of ``time``; ``takes`` is the number of arguments before the moment.

    ``or_none``: a moment of ``None`` is now, as none at all is.

    An object, since a class that keeps a function in an attribute would bind it.
    """

    def __init__(
        self, name: str, frozen: Callable[..., Any], takes: int = 0, *, or_none: bool = False
    ) -> None:
        self.genuine: Callable[..., Any] = GENUINE.get(name) or getattr(time, name)
        self._theirs = THEIRS.get(name, self.genuine)
        self._frozen = frozen
        self._takes = takes
        self._now: tuple[tuple[()] | tuple[None], ...] = ((), (None,)) if or_none else ((),)
        functools.update_wrapper(self, self.genuine)

    def __call__(self, *args: Any) -> Any:
        clock = SHOWN.clock
        if (
            clock is None
            or (args and args[self._takes :] not in self._now)
            or clock.is_real_for(sys._getframe(1))
        ):
            return self.genuine(*args)
        if not clock.is_on_top():
            return self._theirs(*args)
        return self._frozen(clock.nanoseconds(), *args[: self._takes])

    def __reduce__(self) -> str:
        # By its name, as the genuine one is.
        return self.genuine.__name__


class Sleep(Reading):
    """``time.sleep``, which may move the clock instead of waiting."""

    def __init__(self) -> None:
        super().__init__("sleep", time.sleep)

    def __call__(self, *args: Any) -> None:
        clock = clock_for(sys._getframe(1))
        # All that the genuine one refuses, or returns from at once, is its own.
        moved = (
            clock is not None
            and len(args) == 1
            and 0 < (seconds := _seconds(args[0])) < threading.TIMEOUT_MAX
            and clock.slept(seconds)
        )
        self.genuine(*(0,) if moved else args)


def _seconds(value: Any) -> float:
    # As the genuine one reads them; what it does not read is no sleep.
    if isinstance(value, float) or (_TAKES_EVERY_NUMBER and hasattr(value, "__float__")):
        return float(value)
    return operator.index(value) if hasattr(value, "__index__") else 0


_TAKES_EVERY_NUMBER: Final = sys.version_info >= (3, 15)


def _readings() -> Iterator[Reading]:
    localtime, ctime = GENUINE["localtime"], time.ctime
    yield from (Reading(n, lambda ns: ns / _SECOND) for n in ("time", "monotonic", "perf_counter"))
    yield from (Reading(f"{n}_ns", lambda ns: ns) for n in ("time", "monotonic", "perf_counter"))
    yield Reading("localtime", lambda ns: localtime(ns // _SECOND), or_none=True)
    yield Reading("gmtime", lambda ns: GENUINE["gmtime"](ns // _SECOND), or_none=True)
    yield Reading("ctime", lambda ns: ctime(ns // _SECOND), or_none=True)
    yield Reading("asctime", lambda ns: ctime(ns // _SECOND))
    yield Reading("strftime", lambda ns, f: GENUINE["strftime"](f, localtime(ns // _SECOND)), 1)
    yield Sleep()
    # Not every system has these.
    for name, unit in (("clock_gettime", _SECOND), ("clock_gettime_ns", None)):
        read = getattr(time, name, None)
        yield from [] if read is None else [_system_clock(name, read, unit)]


def _system_clock(name: str, read: Callable[[int], float], unit: int | None) -> Reading:
    def frozen(ns: int, which: int) -> float:
        if which not in _MOVED:
            return read(which)
        return ns if unit is None else ns / unit

    return Reading(name, frozen, 1)


FUNCTIONS: Final = {reading.genuine.__name__: reading for reading in _readings()}
# Who stands in for whom, and for whom of freezegun's when a clock runs inside another freezer.
GENUINE_AND_STAND_IN: Final[list[tuple[object, object]]] = [
    (Genuine.Date, date),
    (Genuine.DateTime, datetime),
    *((reading.genuine, reading) for reading in FUNCTIONS.values()),
    # As somebody keeps them, in the factory of a field above all.
    (Genuine.Date.today, date.today),
    (Genuine.DateTime.now, datetime.now),
    (Genuine.DateTime.today, datetime.today),
    (Genuine.DateTime.utcnow, datetime.utcnow),
]
THEIRS_AND_STAND_IN: Final[list[tuple[object, object]]] = [
    (Their.Date, date),
    (Their.DateTime, datetime),
    *((theirs, FUNCTIONS[name]) for name, theirs in THEIRS.items()),
]
STAND_INS: Final[dict[str, object]] = {**FUNCTIONS, "date": date, "datetime": datetime}
