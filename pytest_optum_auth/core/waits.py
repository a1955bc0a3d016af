"""Waiting at the endpoint, for threads and coroutines alike.

A :class:`Wait` is over when it calls back; it knows neither threads that block nor event loops.
:func:`block` waits in a thread, :func:`suspend` in a coroutine of asyncio or trio. All of them
wait in real time, also while a clock is frozen.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

Wake = Callable[[], None]


class Wait(Protocol):
    """Something that ends."""

    def subscribe(self, wake: Wake) -> Wake:
        """Call ``wake`` once it is over, from any thread; returns what unsubscribes."""
        ...


class Pause:
    """A real wait of ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def subscribe(self, wake: Wake) -> Wake:
        timer = threading.Timer(self.seconds, wake)
        timer.daemon = True
        timer.start()

        def unsubscribe() -> None:
            timer.cancel()
            if timer is not threading.current_thread():
                timer.join()

        return unsubscribe


class Deadline:
    """One limit for all that a client waits for: ``seconds`` of real time from the first wait on.

    A thread keeps the time, no reading of it: a clock may be frozen, and moved.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._over = False
        self._wake: Wake = lambda: None
        self._cancel: Wake | None = None

    def subscribe(self, wake: Wake) -> Wake:
        """As a :class:`Wait`; one subscriber at a time."""
        self._wake = wake
        if self._cancel is None and self._seconds is not None:
            self._cancel = Pause(self._seconds).subscribe(self._strike)
        elif self._over:
            wake()
        return self._forget

    def cancel(self) -> None:
        """Strike no more."""
        if self._cancel is not None:
            self._cancel()

    def _strike(self) -> None:
        self._over = True
        self._wake()

    def _forget(self) -> None:
        self._wake = lambda: None


def block(wait: Wait, limit: Wait | None = None) -> bool:
    """Wait in this thread; ``False`` when ``limit`` was over first."""
    done = threading.Event()
    with _first_of(wait, limit, done.set) as ended:
        done.wait()
    return ended[0] is wait


async def suspend(wait: Wait, limit: Wait | None = None) -> bool:
    """:func:`block` in a coroutine."""
    sleeper, wake = _sleeper()
    with _first_of(wait, limit, wake) as ended:
        await sleeper()
    return ended[0] is wait


@contextlib.contextmanager
def _first_of(wait: Wait, limit: Wait | None, wake: Wake) -> Iterator[list[Wait]]:
    """Call ``wake`` when one of both is over; yields what is over, the first one first."""
    ended: list[Wait] = []

    def over(which: Wait) -> None:
        ended.append(which)
        wake()

    subscriptions = [
        each.subscribe(functools.partial(over, each)) for each in (wait, limit) if each is not None
    ]
    try:
        yield ended
    finally:
        for unsubscribe in subscriptions:
            unsubscribe()


def _sleeper() -> tuple[Callable[[], Awaitable[object]], Wake]:
    """What a coroutine awaits, and what wakes it from any thread."""
    if in_trio():
        import trio

        event = trio.Event()
        token = trio.lowlevel.current_trio_token()

        def wake_trio() -> None:
            # The run may have ended while a timer was on its way.
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(event.set)

        return event.wait, wake_trio
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()

    def wake_asyncio() -> None:
        # The loop may have been closed while a timer was on its way.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(woken.set)

    return woken.wait, wake_asyncio


def in_coroutine() -> bool:
    """Whether the caller runs inside an event loop of asyncio or trio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return in_trio()
    return True


def in_trio() -> bool:
    """Whether the caller runs inside trio's event loop."""
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_trio_token()
    except RuntimeError:
        return False
    return True
