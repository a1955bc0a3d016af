"""``Clock``: time stands still and moves only when told."""

from __future__ import annotations

import datetime as dt
import math
import numbers
from typing import TYPE_CHECKING, Final, TypeGuard

from ..core import active
from ..core.waits import in_trio
from .freezer import Freezer, running
from .timers import Timers

if TYPE_CHECKING:
    from ..core.gateway import Gateway
    from ..core.tokens import Token

__tracebackhide__ = True  # in the traceback of a test

_UTC: Final = dt.timezone.utc
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=_UTC)
_SECOND: Final = dt.timedelta(seconds=1)

Moment = dt.datetime | str | float


class Clock:
    """A frozen clock for everything that reads the time through the standard library.

    A context manager. ``start`` is an aware datetime, an ISO 8601 string with a UTC offset, or
    seconds since 1970; ``None`` is the real time, in whole seconds. ``time.time``,
    ``time.monotonic``, ``datetime.now`` and their kin agree, in every thread. Sleeps, and waits
    with a timeout, elapse in real time.

    Raises ``ValueError`` for a naive datetime and for what is no moment, ``RuntimeError`` on
    entering it while another ``Clock`` runs.
    """

    def __init__(self, start: Moment | None = None) -> None:
        self._start = None if start is None else _moment(start)
        self._freezer: Freezer | None = None
        self._depth = 0

    @property
    def now(self) -> dt.datetime:
        """The time on this clock, an aware UTC datetime."""
        return self._running().now()

    @property
    def time(self) -> float:
        """The time on this clock in seconds since 1970."""
        return (self.now - _EPOCH) / _SECOND

    def tick(self, delta: float | dt.timedelta = 1) -> None:
        """Move by ``delta``, seconds or a timedelta; back when it is negative. Wakes nobody.

        Raises ``ValueError`` when it is neither, ``RuntimeError`` while the clock does not run or
        when another freezer has started on top of it, which would hide every move.
        """
        self._move(_shifted(self.now, delta))

    def move_to(self, moment: Moment) -> None:
        """Move to ``moment``: an aware datetime, an ISO 8601 string with offset, epoch seconds.

        Moving back is allowed and takes ``time.monotonic`` along. Raises as :meth:`tick`, and
        ``ValueError`` for a naive datetime.
        """
        self._move(_moment(moment))

    def expire_token(self, token: Token | None = None, *, by: float = 0) -> None:
        """Move to ``by`` seconds after the first second at which ``token`` is not honoured.

        ``token`` defaults to the one issued last; ``by=1`` suits libraries that compare with
        ``<``. Only ever moves forward. Raises ``ValueError`` before any token exists and for a
        negative ``by``.
        """
        end = self._end_of(token)
        self._forward(end + _positive(end, by, "by"))

    def nearly_expire_token(self, token: Token | None = None, *, margin: float = 1) -> None:
        """Move to ``margin`` seconds before ``token`` (default: the last one) expires.

        Raises ``ValueError`` before any token exists, for a negative ``margin``, and when the
        token has less than ``margin`` seconds left already.
        """
        end = self._end_of(token)
        span = _positive(end, margin, "margin")
        if span > end - self.now:
            raise ValueError(
                f"the token is within {margin} s of its end already: use move_to() to go back"
            )
        self._forward(end - span)

    async def advance(self, delta: float | dt.timedelta) -> None:
        """Move forward by ``delta`` and wake what sleeps until then, at the time it asked for.

        For asyncio: each timer that was armed under this clock and is due goes off at its own
        moment, so a sleeper that sleeps again is woken once for each of its periods; returns when
        what it woke is finished or waits again. Under trio it moves the time and yields. Raises
        ``ValueError`` for a negative ``delta``, otherwise as :meth:`tick`.
        """
        target = _shifted(self.now, delta)
        if target < self.now:
            raise ValueError(f"advance({delta!r}): advance goes forward; use tick() or move_to()")
        if in_trio():
            self._move(target)
            import trio

            # trio shuffles the tasks of each turn: after two turns every one has had its own.
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()
            return
        await self._timers.settle()
        while (moment := self._timers.next_due(target)) is not None:
            self._forward(moment)
            await self._timers.fire(moment)
        self._forward(target)

    def __enter__(self) -> Clock:
        self._depth += 1
        if self._depth > 1:
            return self
        if running() is not None:
            self._depth = 0
            raise RuntimeError(
                "a Clock is running already: one clock a test, use that one (the fixture "
                "optum_clock, or the Clock around this one)"
            )
        start = self._start or dt.datetime.now(_UTC).replace(microsecond=0)
        self._freezer = Freezer(start)
        self._freezer.start()
        self._timers = Timers(self._freezer)
        self._timers.install()
        if self._start is not None:
            self._note(f"clock starts at {_shown(start)}")
        return self

    def __exit__(self, *_: object) -> None:
        self._depth = max(0, self._depth - 1)
        if self._freezer is not None and not self._depth:
            self._timers.remove()
            self._freezer.stop()
            self._freezer = None

    def _running(self) -> Freezer:
        if self._freezer is None:
            raise RuntimeError(
                "this Clock does not run: use it inside `with Clock() as clock:`, or ask for the "
                "fixture optum_clock"
            )
        self._freezer.check_on_top()
        return self._freezer

    def _forward(self, moment: dt.datetime) -> None:
        if moment > self.now:
            self._move(moment)

    def _move(self, moment: dt.datetime) -> None:
        before = self.now
        self._running().move_to(moment)
        delta = (moment - before) / _SECOND
        if delta:
            back = " (back)" if delta < 0 else ""
            self._note(f"clock {delta:+.15g} s{back}")

    def _note(self, text: str) -> None:
        for gateway in active.gateways():
            gateway.state.note(text)

    def _end_of(self, token: Token | None) -> dt.datetime:
        """The local time at which ``token`` stops being honoured."""
        gateways = active.gateways()
        if not gateways:
            raise ValueError("no FakeOptum is active: ask for optum_auth as well")
        gateway = gateways[0] if token is None else _issuer(gateways, token)
        if token is None:
            if not gateway.state.ledger.tokens:
                raise ValueError(
                    "no token was issued yet: let the client make a request or use "
                    "optum_auth.issue_token() first"
                )
            token = gateway.state.ledger.tokens[-1]
        return token.expires_at - dt.timedelta(seconds=gateway.state.settings.clock_skew)

    def __repr__(self) -> str:
        if self._freezer is None:
            return "<Clock, not running>"
        return f"<Clock at {_shown(self._freezer.now())}>"


def _issuer(gateways: list[Gateway], token: Token) -> Gateway:
    for gateway in gateways:
        if gateway.state.ledger.find(token.value) is token:
            return gateway
    raise ValueError(f"{token!r} was not issued by a fake that is active")


def _shown(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _positive(start: dt.datetime, value: float, name: str) -> dt.timedelta:
    span = _shifted(start, value) - start
    if span < dt.timedelta(0):
        raise ValueError(f"{name}={value!r}: {name} must be 0 or more seconds")
    return span


def _is_number(value: object) -> TypeGuard[float]:
    """Whether it is finite; ``OverflowError`` for a whole number beyond every float."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _span(delta: float | dt.timedelta) -> dt.timedelta:
    if isinstance(delta, dt.timedelta):
        return delta
    if _is_number(delta):
        return dt.timedelta(seconds=float(delta))
    raise ValueError(f"{delta!r} is no span of time: give seconds or a timedelta")


def _shifted(moment: dt.datetime, delta: float | dt.timedelta) -> dt.datetime:
    try:
        return moment + _span(delta)
    except OverflowError:
        raise ValueError(
            f"a move by {delta!r} leads outside the calendar (years 1 to 9999)"
        ) from None


def _moment(value: Moment) -> dt.datetime:
    """An aware UTC datetime of what a user gives as a moment."""
    try:
        if _is_number(value):
            return _EPOCH + _span(value)
    except OverflowError:
        raise ValueError(f"{value!r} lies outside the calendar (years 1 to 9999)") from None
    moment: object = value
    if isinstance(value, str):
        try:
            # Python 3.10 does not read the Z.
            moment = dt.datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
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
    return _EPOCH + (moment - _EPOCH)
