"""asyncio's timers under a frozen clock: a sleeper is woken when the clock reaches its time.

Event loops keep the real time, so that sleeps and timeouts go on working. While a clock runs,
each timer that is armed is remembered together with the moment on the frozen clock at which it is
due. Timers that were armed before the clock started are left alone.
"""

from __future__ import annotations

import asyncio
import contextvars
import datetime as dt
import threading
from collections.abc import Callable
from typing import Any, Final

from ..patching import Interception, Method
from .freezer import Freezer

# How often in a row the loop must have nothing to do before it counts as settled, and how many
# turns that may take: a task that never waits would keep the loop busy for ever.
_IDLE_TURNS: Final = 3
_MOST_TURNS: Final = 10_000
_NEVER: Final = dt.datetime.max.replace(tzinfo=dt.timezone.utc)


class _Timer:
    """One call that a loop was asked to make later; it is made once."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        due: dt.datetime,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> None:
        self.loop = loop
        self.due = due
        self.handle: asyncio.TimerHandle
        self._callback = callback
        self._args = args
        self._context = context

    def __call__(self) -> None:
        # Cancelled by whoever armed it, or by us since it has gone off already.
        if not self.handle.cancelled():
            self.handle.cancel()
            self._callback(*self._args)

    def fire(self) -> None:
        """Go off in the loop's next turn, instead of when the real time comes."""
        self.loop.call_soon(self, context=self._context)


class Timers:
    """The timers armed while a clock runs."""

    def __init__(self, freezer: Freezer) -> None:
        self._freezer = freezer
        self._timers: list[_Timer] = []
        self._delay = threading.local()
        self._calls = 0
        self._jobs: list[asyncio.Future[Any]] = []
        loop = asyncio.BaseEventLoop
        self._arming = [
            Interception(loop, "call_at", self._around_call_at),
            Interception(loop, "call_later", self._around_call_later),
        ]
        self._watching = [
            Interception(loop, "call_soon", self._around_call_soon),
            Interception(loop, "run_in_executor", self._around_run_in_executor),
        ]

    def install(self) -> None:
        """Remember what is armed from now on."""
        for interception in self._arming:
            interception.install()

    def remove(self) -> None:
        """Undo :meth:`install`."""
        for interception in self._arming:
            interception.remove()

    def next_due(self, until: dt.datetime) -> dt.datetime | None:
        """When the first pending timer of the running loop is due, if not after ``until``."""
        self._timers = [timer for timer in self._timers if not timer.handle.cancelled()]
        loop = asyncio.get_running_loop()
        due = [timer.due for timer in self._timers if timer.loop is loop and timer.due <= until]
        return min(due, default=None)

    async def fire(self, moment: dt.datetime) -> None:
        """Let go off what is due at ``moment``; return when it is finished or waits again."""
        loop = asyncio.get_running_loop()
        for timer in [t for t in self._timers if t.loop is loop and t.due <= moment]:
            timer.fire()
        await self.settle()

    async def settle(self) -> None:
        """Give the running loop turns until it has nothing left to do."""
        for interception in self._watching:
            interception.install()
        try:
            idle = 0
            for _ in range(_MOST_TURNS):
                self._calls = 0
                await asyncio.sleep(0)
                while any(not job.done() for job in self._jobs):
                    await asyncio.wait(self._jobs)
                # One call is this very coroutine's.
                idle = idle + 1 if self._calls <= 1 else 0
                if idle == _IDLE_TURNS:
                    return
        finally:
            self._jobs.clear()
            for interception in self._watching:
                interception.remove()

    def _due(self, delay: float) -> dt.datetime:
        try:
            return self._freezer.now() + dt.timedelta(seconds=delay)
        except (OverflowError, ValueError):
            # Infinite, or beyond the calendar: a sleep that is to last for ever.
            return _NEVER

    def _around_call_at(self, beneath: Method) -> Method:
        def call_at(
            loop: Any, when: float, callback: Any, *args: Any, context: Any = None
        ) -> asyncio.TimerHandle:
            # What call_later was asked for is exact; a difference of two readings is not.
            delay = getattr(self._delay, "seconds", None)
            span = round(when - loop.time(), 3) if delay is None else delay
            timer = _Timer(loop, self._due(span), callback, args, context)
            timer.handle = beneath(loop, when, timer, context=context)
            self._timers.append(timer)
            return timer.handle

        return call_at

    def _around_call_later(self, beneath: Method) -> Method:
        def call_later(loop: Any, delay: float, *args: Any, **kwargs: Any) -> Any:
            self._delay.seconds = delay
            try:
                return beneath(loop, delay, *args, **kwargs)
            finally:
                self._delay.seconds = None

        return call_later

    def _around_call_soon(self, beneath: Method) -> Method:
        def call_soon(loop: Any, *args: Any, **kwargs: Any) -> Any:
            self._calls += 1
            return beneath(loop, *args, **kwargs)

        return call_soon

    def _around_run_in_executor(self, beneath: Method) -> Method:
        def run_in_executor(loop: Any, *args: Any, **kwargs: Any) -> Any:
            job = beneath(loop, *args, **kwargs)
            self._jobs.append(job)
            return job

        return run_in_executor
