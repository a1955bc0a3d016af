"""What stands in for the clock functions and classes of the standard library while a clock runs.

One of each for all clocks: who keeps one, in a class attribute or a container, gets the time of
whatever clock runs when he asks, and the real time when none does. Dates and times that they hand
out are the genuine ones: libraries in C take no others.
"""

from __future__ import annotations

import datetime as dt
import functools
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final, Protocol

from .freezegun_internals import GENUINE, THEIRS, Genuine, Their
from .moments import EPOCH

_SECOND: Final = 10**9
_FOREVER: Final = float("inf")
_NOTHING: Final = ((), (None,))
# Of the clocks of an operating system those that stand still; the others count processor time.
_MOVED: Final = {
    getattr(time, name)
    for name in ("CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME")
    if hasattr(time, name)
}


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


def _clock_for(frame: FrameType) -> Frozen | None:
    clock = SHOWN.clock
    return None if clock is None or clock.is_real_for(frame) else clock


class Reading:
    """A function of ``time``; ``takes`` is the number of arguments before the moment.

    An object, since a class that keeps a function in an attribute would bind it.
    """

    def __init__(self, name: str, frozen: Callable[..., Any], takes: int = 0) -> None:
        self.genuine: Callable[..., Any] = GENUINE.get(name) or getattr(time, name)
        self._theirs = THEIRS.get(name, self.genuine)
        self._frozen = frozen
        self._takes = takes
        functools.update_wrapper(self, self.genuine)

    def __call__(self, *args: Any) -> Any:
        clock = SHOWN.clock
        if (
            clock is None
            or (args and args[self._takes :] not in _NOTHING)
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
        clock = _clock_for(sys._getframe(1))
        # All that the genuine one refuses, or returns from at once, is its own.
        moved = (
            clock is not None
            and len(args) == 1
            and 0 < args[0] < _FOREVER
            and clock.slept(float(args[0]))
        )
        self.genuine(*(0,) if moved else args)


class _StandIn(type):
    """A class that is its genuine one to everybody who asks; its own subclasses are as usual."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return type.__call__(_genuine(cls), *args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        return type.__instancecheck__(_genuine(cls), instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return type.__subclasscheck__(_genuine(cls), subclass)

    def __eq__(cls, other: object) -> bool:
        return _genuine(cls) is (_genuine(other) if isinstance(other, _StandIn) else other)

    def __hash__(cls) -> int:
        return type.__hash__(_genuine(cls))


def _genuine(cls: type) -> type:
    found: type = vars(cls).get("_stands_for", cls)
    return found


class date(Genuine.Date, metaclass=_StandIn):  # type: ignore[misc,valid-type]
    __module__ = "datetime"
    _stands_for = Genuine.Date

    @classmethod
    def today(cls) -> Any:
        clock = _clock_for(sys._getframe(1))
        if clock is None:
            return super().today()
        if not clock.is_on_top():
            return Their.Date.today()
        return cls.fromtimestamp(clock.nanoseconds() // _SECOND)


class datetime(Genuine.DateTime, metaclass=_StandIn):  # type: ignore[misc,valid-type]
    __module__ = "datetime"
    _stands_for = Genuine.DateTime

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        clock = _clock_for(sys._getframe(1))
        if clock is None:
            return super().now(tz)
        if not clock.is_on_top():
            return Their.DateTime.now(tz)
        return _as(cls, _local(clock) if tz is None else _utc(clock).astimezone(tz))

    @classmethod
    def today(cls) -> Any:
        clock = _clock_for(sys._getframe(1))
        if clock is None:
            return super().today()
        if not clock.is_on_top():
            return Their.DateTime.today()
        return _as(cls, _local(clock))

    @classmethod
    def utcnow(cls) -> Any:
        clock = _clock_for(sys._getframe(1))
        if clock is None:
            return super().utcnow()
        if not clock.is_on_top():
            return Their.DateTime.utcnow()
        return _as(cls, _utc(clock).replace(tzinfo=None))

    # These two would lose the fold on their way through a class that is not the genuine one.

    @classmethod
    def fromtimestamp(cls, *args: Any, **kwargs: Any) -> Any:
        clock = SHOWN.clock
        if clock is not None and not clock.is_on_top():
            # freezegun's own tells the time of the zone that it plays.
            return Their.DateTime.fromtimestamp(*args, **kwargs)
        return vars(Genuine.DateTime)["fromtimestamp"].__get__(None, _genuine(cls))(*args, **kwargs)

    @classmethod
    def combine(cls, *args: Any, **kwargs: Any) -> Any:
        return vars(Genuine.DateTime)["combine"].__get__(None, _genuine(cls))(*args, **kwargs)


def pickled(moment: dt.date) -> tuple[type, tuple[object, ...]]:
    """As a date is pickled without a clock, by names that hold the stand-ins now."""
    arguments: Any = moment.__reduce_ex__(4)
    return datetime if isinstance(moment, Genuine.DateTime) else date, arguments[1]


def _utc(clock: Frozen) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=clock.nanoseconds() // 1000)


class _Last:
    """The zone and the second that were asked for last, and their local time."""

    local: tuple[object, int, dt.datetime] = (None, 0, Genuine.DateTime.min)


def _local(clock: Frozen) -> dt.datetime:
    # Of a whole second, since a float would round; to replace takes longer than all the rest.
    second, rest = divmod(clock.nanoseconds(), _SECOND)
    zone, known, moment = _Last.local
    # `time.tzset` makes another tuple.
    if second != known or time.tzname is not zone:
        zone, moment = time.tzname, Genuine.DateTime.fromtimestamp(second)
        _Last.local = (zone, second, moment)
    return moment.replace(microsecond=rest // 1000) if rest else moment


def _as(cls: type[dt.datetime], moment: dt.datetime) -> dt.datetime:
    # A subclass that somebody has made under a clock.
    return moment if cls is datetime else cls.combine(moment.date(), moment.timetz())


def _readings() -> Iterator[Reading]:
    localtime, ctime = GENUINE["localtime"], time.ctime
    yield from (Reading(n, lambda ns: ns / _SECOND) for n in ("time", "monotonic", "perf_counter"))
    yield from (Reading(f"{n}_ns", lambda ns: ns) for n in ("time", "monotonic", "perf_counter"))
    yield Reading("localtime", lambda ns: localtime(ns // _SECOND))
    yield Reading("gmtime", lambda ns: GENUINE["gmtime"](ns // _SECOND))
    yield Reading("ctime", lambda ns: ctime(ns // _SECOND))
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
]
THEIRS_AND_STAND_IN: Final[list[tuple[object, object]]] = [
    (Their.Date, date),
    (Their.DateTime, datetime),
    *((theirs, FUNCTIONS[name]) for name, theirs in THEIRS.items()),
]
STAND_INS: Final[dict[str, object]] = {**FUNCTIONS, "date": date, "datetime": datetime}
