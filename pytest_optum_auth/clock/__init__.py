"""``Clock``: time stands still and moves only when told."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..core.waits import in_trio
from . import active_fakes
from .freezer import STUCK, Freezer
from .moments import EPOCH, SECOND, UTC, Moment, as_moment, flag, shifted, shown, span_from
from .timers import Timers

if TYPE_CHECKING:
    from ..core.tokens import Token

__tracebackhide__ = True  # in the traceback of a test

# What the marker takes, the first of them without its name too.
KEYWORDS: Final = ("start", "tick", "sleep_moves")

# The one that runs, of the whole process as the time is.
_clocks: Final[list[Clock]] = []


class Clock:
    """A frozen clock for everything that reads the time through the standard library.

    A context manager. ``start`` is an aware datetime, an ISO 8601 string with a UTC offset, or
    seconds since 1970; ``None`` is the real time, in whole seconds. ``time.time``,
    ``time.monotonic``, ``datetime.now`` and their kin agree, in every thread. Sleeps, and waits
    with a timeout, elapse in real time.

    With ``tick`` time runs on from the start. With ``sleep_moves`` (an attribute too)
    ``time.sleep`` and ``asyncio.sleep`` return at once and move the clock by what they were asked
    for, so that the deadlines, backoffs and ``Retry-After`` of a client come true. Waits with a
    timeout in threads are left alone.

    Raises ``ValueError`` for a naive datetime and for what is no moment or no flag,
    ``RuntimeError`` on entering it while another ``Clock`` runs.
    """

    # Another attribute would change nothing, and the test not test what it says.
    __slots__ = (
        "__weakref__",
        "_depth",
        "_freezer",
        "_lock",
        "_moved",
        "_start",
        "_ticks",
        "_timers",
        "sleep_moves",
    )

    sleep_moves: bool
    """Whether sleeps move the clock instead of waiting; may be set at any time."""

    def __init__(
        self, start: Moment | None = None, *, tick: bool = False, sleep_moves: bool = False
    ) -> None:
        self._ticks = flag(tick, "tick")
        self.sleep_moves = flag(sleep_moves, "sleep_moves")
        self._lock = threading.RLock()
        self._start = None if start is None else as_moment(start)
        self._freezer: Freezer | None = None
        self._depth = 0
        self._moved = 0.0

    @property
    def now(self) -> dt.datetime:
        """The time on this clock, an aware UTC datetime."""
        return self._running().now()

    @property
    def time(self) -> float:
        """The time on this clock in seconds since 1970."""
        return (self.now - EPOCH) / SECOND

    def tick(self, delta: float | dt.timedelta = 1) -> None:
        """Move by ``delta``, seconds or a timedelta; back when it is negative. Wakes nobody.

        Raises ``ValueError`` when it is neither, ``RuntimeError`` while the clock does not run or
        when another freezer has started on top of it, which would hide every move.
        """
        with self._lock:
            self._move(shifted(self.now, delta))

    def move_to(self, moment: Moment) -> None:
        """Move to ``moment``: an aware datetime, an ISO 8601 string with offset, epoch seconds.

        Moving back is allowed and takes ``time.monotonic`` along. Raises as :meth:`tick`, and
        ``ValueError`` for a naive datetime.
        """
        self._move(as_moment(moment))

    def expire_token(self, token: Token | None = None, *, by: float = 0) -> None:
        """Move to ``by`` seconds after the first second at which ``token`` is not honoured.

        ``token`` defaults to the one issued last; ``by=1`` suits libraries that compare with
        ``<``. Only ever moves forward. Raises ``ValueError`` before any token exists and for a
        negative ``by``.
        """
        end = active_fakes.end_of(token)
        self._forward(end + span_from(end, by, "by"))

    def nearly_expire_token(self, token: Token | None = None, *, margin: float = 1) -> None:
        """Move to ``margin`` seconds before ``token`` (default: the last one) expires.

        Raises ``ValueError`` before any token exists, for a negative ``margin``, and when the
        token has less than ``margin`` seconds left already.
        """
        end = active_fakes.end_of(token)
        span = span_from(end, margin, "margin")
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
        target = shifted(self.now, delta)
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
        if _clocks:
            self._depth = 0
            raise RuntimeError(
                "a Clock is running already: one clock a test, use that one (the fixture "
                "optum_clock, or the Clock around this one)"
            )
        self._moved = 0.0
        start = self._start or as_moment(dt.datetime.now(UTC).replace(microsecond=0))
        self._freezer = Freezer(start, ticks=self._ticks, slept=self._slept, stuck=self._stuck)
        self._timers = Timers(
            self._freezer.now,
            moved=lambda: self._moved,
            sleeps_move=self._sleeps_move,
            sleep_to=lambda moment: self._forward(moment, " (sleep)"),
            held=active_fakes.held,
        )
        _clocks.append(self)
        try:
            self._freezer.start()
            self._timers.install()
        except BaseException:
            self.__exit__()
            raise
        if self._start is not None:
            active_fakes.note(f"clock starts at {shown(start)}")
        return self

    def __exit__(self, *_: object) -> None:
        self._depth = max(0, self._depth - 1)
        if self._freezer is not None and not self._depth:
            freezer, self._freezer = self._freezer, None
            # First, so that a freezer that somebody has torn down fails this test alone.
            _clocks.remove(self)
            self._timers.remove()
            freezer.stop()

    @contextlib.contextmanager
    def real(self) -> Iterator[None]:
        """Inside, everybody sees the real time and the genuine classes; this clock waits.

        For a library that must see them. It holds for all threads; a move inside shows afterwards.
        """
        freezer = self._running()
        was_shown = freezer.is_shown
        freezer.stop()
        try:
            yield
        finally:
            # Unless the clock has been left meanwhile, or another `real()` is around this one.
            if was_shown and self._freezer is freezer:
                freezer.start()

    def _running(self) -> Freezer:
        if self._freezer is None:
            raise RuntimeError(
                "this Clock does not run: use it inside `with Clock() as clock:`, or ask for the "
                "fixture optum_clock"
            )
        self._freezer.check_on_top()
        return self._freezer

    def _forward(self, moment: dt.datetime, why: str = "") -> None:
        if moment > self.now:
            self._move(moment, why)

    def _move(self, moment: dt.datetime, why: str = "") -> None:
        with self._lock:
            before = self.now
            self._running().move_to(moment)
            delta = (moment - before) / SECOND
            self._moved += max(0.0, delta)
            if delta:
                active_fakes.note(f"clock {delta:+.15g} s{' (back)' if delta < 0 else why}")

    def _sleeps_move(self) -> bool:
        freezer = self._freezer
        return self.sleep_moves and freezer is not None and freezer.is_seen()

    def _slept(self, seconds: float) -> bool:
        """Move by a sleep of a thread, if sleeps move."""
        with self._lock:
            if self._sleeps_move():
                self._forward(shifted(self.now, seconds), " (sleep)")
                return True
            return False

    def _stuck(self) -> None:
        active_fakes.note(
            f"the same time was read {STUCK:,} times in a row: a loop that waits for another one "
            "never ends while the clock stands still (sleep_moves=True lets its sleeps move it)"
        )

    def __repr__(self) -> str:
        if self._freezer is None:
            return "<Clock, not running>"
        return f"<Clock at {shown(self._freezer.now())}>"
