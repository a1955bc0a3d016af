"""What a user gives as a moment, a span of time or a flag, and how a moment is shown."""

from __future__ import annotations

import datetime as dt
import math
import numbers
from typing import Final, TypeGuard

__tracebackhide__ = True  # in the traceback of a test

Moment = dt.datetime | str | float
UTC: Final = dt.timezone.utc
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = dt.timedelta(seconds=1)


def as_moment(value: Moment) -> dt.datetime:
    """An aware UTC datetime of what a user gives as a moment."""
    try:
        if _is_number(value):
            return EPOCH + _span(value)
    except OverflowError:
        raise ValueError(f"{value!r} lies outside the calendar (years 1 to 9999)") from None
    moment: object = value
    if isinstance(value, str):
        try:
            # Python 3.10 does not read the Z, and none reads z (RFC 3339 has both).
            moment = dt.datetime.fromisoformat(value.strip().upper().replace("Z", "+00:00"))
        except ValueError:
            raise ValueError(
                f"{value!r} is no moment: write it as in '2026-01-01T00:00:00Z'"
            ) from None
    if not isinstance(moment, dt.datetime):
        raise ValueError(
            f"{value!r} is no moment: give an aware datetime, a string such as "
            "'2026-01-01T00:00:00Z', or seconds since 1970"
        )
    if moment.tzinfo is None:
        raise ValueError(
            f"{str(value)!r} is naive and could mean any time zone: add one, as in "
            "'2026-01-01T00:00:00Z' or datetime(2026, 1, 1, tzinfo=timezone.utc)"
        )
    return EPOCH + (moment - EPOCH)


def shifted(moment: dt.datetime, delta: float | dt.timedelta) -> dt.datetime:
    """``moment`` and ``delta`` (seconds or a timedelta) later."""
    try:
        return moment + _span(delta)
    except OverflowError:
        raise ValueError(
            f"a move by {delta!r} leads outside the calendar (years 1 to 9999)"
        ) from None


def span_from(start: dt.datetime, value: float, name: str) -> dt.timedelta:
    """The span that argument ``name`` gives; ``ValueError`` when it is negative."""
    span = shifted(start, value) - start
    if span < dt.timedelta(0):
        raise ValueError(f"{name}={value!r}: {name} must be 0 or more seconds")
    return span


def flag(value: bool, name: str) -> bool:
    """What argument ``name`` gives; ``ValueError`` when it is neither True nor False."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}={value!r}: {name} must be True or False")
    return value


def shown(moment: dt.datetime) -> str:
    """A moment in UTC, as in ``2026-01-01T00:00:00Z``."""
    return moment.isoformat().replace("+00:00", "Z")


def _span(delta: float | dt.timedelta) -> dt.timedelta:
    if isinstance(delta, dt.timedelta):
        return delta
    if _is_number(delta):
        return dt.timedelta(seconds=float(delta))
    raise ValueError(f"{delta!r} is no span of time: give seconds or a timedelta")


def _is_number(value: object) -> TypeGuard[float]:
    """Whether it is finite; ``OverflowError`` for a whole number beyond every float."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
