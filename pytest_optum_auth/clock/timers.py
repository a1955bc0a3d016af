"""asyncio's timers under a frozen clock: a sleeper is woken when the clock reaches its time.

Event loops keep the real time, so that sleeps and timeouts go on working: who asks one for its time
is told how far the clock was moved forward as well, but the loop itself never is. While a clock
runs, each timer that is armed is remembered together with the moment on the frozen clock at which
it is due, and nothing else of it. Timers that were armed before the clock started are left alone.

Four names of asyncio's inside stand here and nowhere else, with a test that fails when one of them
changes: ``_ready`` and ``_scheduled`` of a loop and ``_scheduled`` of a timer, since a timer whose
moment has come is handed over just as its loop does it, and
``asyncio.futures._set_result_unless_cancelled``, by which a sleep is told from other timers.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import heapq
import sys
import threading
import time
import weakref
from asyncio import base_events, futures
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from ..patching import Interception, Method

# How often in a row the loop must have nothing to do before it counts as settled, and how many
# turns that may take: a task that never waits would keep the loop busy for ever.
_IDLE_TURNS: Final = 3
_MOST_TURNS: Final = 10_000
# Real seconds for a job in a thread that was started by what a move has woken.
_A_MOMENT: Final = 1.0
_A_LOOK: Final = 0.02
_NEVER: Final = dt.datetime.max.replace(tzinfo=dt.timezone.utc)
_ENDS_A_SLEEP: Final = vars(futures)["_set_result_unless_cancelled"]


class Timers:
    """The timers armed while a clock runs.

    ``now`` is the time on the clock, ``moved`` the seconds that it was moved forward. While
    ``sleeps_move`` says so, a sleep of asyncio takes the clock on to its end with ``sleep_to``.
    ``held`` is how many requests wait at a hold.
    """

    def __init__(
        self,
        now: Callable[[], dt.datetime],
        *,
        moved: Callable[[], float],
        sleeps_move: Callable[[], bool],
        sleep_to: Callable[[dt.datetime], None],
        held: Callable[[], int],
    ) -> None:
        self._now = now
        self._moved = moved
        self._sleeps_move = sleeps_move
        self._sleep_to = sleep_to
        self._held = held
        self._due: dict[int, tuple[dt.datetime, bool, weakref.ref[asyncio.TimerHandle]]] = {}
        self._delay = threading.local()
        self._sleeping: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self._jobs: list[asyncio.Future[Any]] = []
        loop = asyncio.BaseEventLoop
        self._arming = [
            Interception(loop, "call_at", self._around_call_at),
            Interception(loop, "call_later", self._around_call_later),
        ]
        # Not intercepted: an event loop asks for it in each of its turns, and who asks is asked.
        self._genuine_time = loop.time
        self._loop_time = self._time_of(loop.time)
        self._working = Interception(loop, "run_in_executor", self._around_run_in_executor)
        self._installed = False
        self._settling = False

    def install(self) -> None:
        """Remember what is armed from now on."""
        self._installed = True
        # To a type checker nobody replaces a method, here and below.
        asyncio.BaseEventLoop.time = self._loop_time  # type: ignore[method-assign]
        for interception in self._arming:
            interception.install()

    def remove(self) -> None:
        """Undo :meth:`install`."""
        self._installed = False
        if asyncio.BaseEventLoop.time is self._loop_time:
            asyncio.BaseEventLoop.time = self._genuine_time  # type: ignore[method-assign]
        for interception in self._arming:
            interception.remove()
        self._due.clear()

    def next_due(self, until: dt.datetime) -> dt.datetime | None:
        """When the first pending timer of the running loop is due, if not after ``until``."""
        due = [due for due, _, _ in self._pending(_running_loop()) if due <= until]
        return min(due, default=None)

    async def fire(self, moment: dt.datetime) -> None:
        """Let go off what is due at ``moment``; return when it is finished or waits again."""
        self._hand_over(_running_loop(), moment)
        await self.settle()

    async def settle(self) -> None:
        """Give the running loop turns until it has nothing left to do, at most for a moment."""
        loop = _running_loop()
        self._working.install()
        self._settling = True
        end = time.monotonic() + _A_MOMENT
        held = self._held()
        idle = 0
        try:
            for _ in range(_MOST_TURNS):
                await asyncio.sleep(0)
                # One of them may be ours, which waits for the same.
                busy = len(loop._ready) > (loop in self._sleeping)
                idle = 0 if busy else idle + 1
                if idle < _IDLE_TURNS:
                    continue
                jobs = [job for job in self._jobs if not job.done() and job.get_loop() is loop]
                if len(jobs) <= self._held() - held or time.monotonic() > end:
                    return
                await asyncio.wait(jobs, timeout=_A_LOOK, return_when=asyncio.FIRST_COMPLETED)
                idle = 0
        finally:
            self._settling = False
            self._working.remove()
            self._jobs.clear()

    def _pending(self, loop: Any) -> list[tuple[dt.datetime, bool, asyncio.TimerHandle]]:
        """When it is due, whether it is a sleep, and the timer."""
        return [
            (*self._due[id(timer)][:2], timer)
            for timer in loop._scheduled
            if id(timer) in self._due and not timer.cancelled()
        ]

    def _hand_over(self, loop: Any, moment: dt.datetime) -> None:
        """What is due goes off in the loop's next turn, instead of when the real time comes."""
        due: list[tuple[dt.datetime, Any]] = [
            (due, timer) for due, _, timer in self._pending(loop) if due <= moment
        ]
        gone = {id(timer) for _, timer in due}
        loop._scheduled[:] = [timer for timer in loop._scheduled if id(timer) not in gone]
        heapq.heapify(loop._scheduled)
        for _, timer in sorted(due, key=lambda pair: (pair[0], pair[1].when())):
            timer._scheduled = False
            loop._ready.append(timer)

    def _wake_sleepers(self, loop: Any, idle: int = 0, turns: int = 0) -> None:
        """Once the loop has nothing else to do, move on to the end of its first sleep.

        What else is due until then, a timeout above all, goes off at its own moment before.
        """
        idle = 0 if loop._ready or self._settling else idle + 1
        if idle < _IDLE_TURNS and turns < _MOST_TURNS:
            loop.call_soon(self._wake_sleepers, loop, idle, turns + 1)
            return
        pending = self._pending(loop) if self._installed and self._sleeps_move() else []
        if any(is_sleep for _, is_sleep, _ in pending):
            moment = min(due for due, _, _ in pending)
            self._sleep_to(moment)
            self._hand_over(loop, moment)
            loop.call_soon(self._wake_sleepers, loop)
        else:
            self._sleeping.discard(loop)

    def _is_due(self, delay: float) -> dt.datetime:
        try:
            return self._now() + dt.timedelta(seconds=delay)
        except (OverflowError, ValueError):
            # Infinite, or beyond the calendar: a sleep that is to last for ever.
            return _NEVER

    def _around_call_at(self, beneath: Method) -> Method:
        def call_at(
            loop: Any, when: float, callback: Any, *args: Any, context: Any = None
        ) -> asyncio.TimerHandle:
            # What call_later was asked for is exact; a difference of two readings is not.
            delay = getattr(self._delay, "seconds", None)
            if delay is None:
                # A loop that keeps a time of its own does not tell how far the clock was moved.
                self._delay.told = 0.0
                span = when - loop.time()
                delay = round(span, 2 if span > 1 else 3)
                when -= self._delay.told
            due = self._is_due(delay)
            timer: asyncio.TimerHandle = beneath(loop, when, callback, *args, context=context)
            is_sleep = callback is _ENDS_A_SLEEP
            key = id(timer)
            forget = weakref.ref(timer, lambda _: self._due.pop(key, None))
            self._due[key] = (due, is_sleep, forget)
            if is_sleep and due < _NEVER and self._sleeps_move() and loop not in self._sleeping:
                self._sleeping.add(loop)
                loop.call_soon(self._wake_sleepers, loop)
            return timer

        return call_at

    def _around_call_later(self, beneath: Method) -> Method:
        def call_later(loop: Any, delay: float, *args: Any, **kwargs: Any) -> Any:
            self._delay.seconds = delay
            try:
                return beneath(loop, delay, *args, **kwargs)
            finally:
                self._delay.seconds = None

        return call_later

    def _time_of(self, beneath: Method) -> Method:
        @functools.wraps(beneath)
        def loop_time(loop: asyncio.BaseEventLoop) -> Any:
            if _asks_itself(sys._getframe(1)):
                return beneath(loop)
            self._delay.told = moved = self._moved()
            return beneath(loop) + moved

        return loop_time

    def _around_run_in_executor(self, beneath: Method) -> Method:
        def run_in_executor(loop: Any, *args: Any, **kwargs: Any) -> Any:
            job = beneath(loop, *args, **kwargs)
            self._jobs.append(job)
            return job

        return run_in_executor


def _asks_itself(frame: FrameType | None) -> bool:
    # By the time() of a class that is derived from it, too.
    while frame is not None and frame.f_code.co_name == "time":
        frame = frame.f_back
    return frame is not None and frame.f_globals is vars(base_events)


def _running_loop() -> Any:
    """The loop; ``RuntimeError`` when its timers cannot be seen."""
    loop = asyncio.get_running_loop()
    if (
        not isinstance(loop, asyncio.BaseEventLoop)
        or type(loop).call_at is not asyncio.BaseEventLoop.call_at
    ):
        raise RuntimeError(
            f"advance() cannot see the timers of this event loop ({type(loop).__module__}."
            f"{type(loop).__name__}), so it would wake nobody: run the test on asyncio's own loop, "
            "or move with tick() and call what the sleeper would do"
        )
    return loop
