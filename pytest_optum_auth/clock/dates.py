"""What stands in for the classes ``date`` and ``datetime`` while a clock runs.

Dates and times that they hand out are the genuine ones: libraries in C take no others.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from typing import Any, Final

from .freezegun_internals import Genuine, Their
from .moments import EPOCH
from .shown_clock import SHOWN, Frozen, clock_for

_SECOND: Final = 10**9


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


# Its base, like that of the next one, is a variable to a type checker.
class date(Genuine.Date, metaclass=_StandIn):  # type: ignore[misc,valid-type]
    __module__ = "datetime"
    _stands_for = Genuine.Date

    @classmethod
    def today(cls) -> Any:
        clock = clock_for(sys._getframe(1))
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
        clock = clock_for(sys._getframe(1))
        if clock is None:
            return super().now(tz)
        if not clock.is_on_top():
            return Their.DateTime.now(tz)
        return _as(cls, _local(clock) if tz is None else _utc(clock).astimezone(tz))

    @classmethod
    def today(cls) -> Any:
        clock = clock_for(sys._getframe(1))
        if clock is None:
            return super().today()
        if not clock.is_on_top():
            return Their.DateTime.today()
        return _as(cls, _local(clock))

    @classmethod
    def utcnow(cls) -> Any:
        clock = clock_for(sys._getframe(1))
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
    """As a date is pickled without a clock, by a name that holds the stand-in now.

    Or the genuine class, in another thread while a clock stops.
    """
    arguments: Any = moment.__reduce_ex__(4)
    return dt.datetime if isinstance(moment, Genuine.DateTime) else dt.date, arguments[1]


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
