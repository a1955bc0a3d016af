"""Waiting at the endpoint, for threads and coroutines alike.

A :class:`Wait` is over when it calls back; it knows neither threads that block nor event loops.
:func:`block` waits in a thread, :func:`suspend` in a coroutine of asyncio or trio. All of them
wait in real time, also while a clock is frozen.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Awaitable, Callable
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


def block(wait: Wait, timeout: float | None = None) -> bool:
    """Wait in this thread; ``False`` when ``timeout`` (real seconds) struck first."""
    done = threading.Event()
    unsubscribe = wait.subscribe(done.set)
    try:
        return done.wait(timeout)
    finally:
        unsubscribe()


async def suspend(wait: Wait, timeout: float | None = None) -> bool:
    """Wait in this coroutine; ``False`` when ``timeout`` (real seconds) struck first.

    A thread keeps the time, not the loop: a loop's own time stands still under some clocks.
    """
    woken: list[str] = []
    sleeper, wake = _sleeper()

    def over(reason: str) -> None:
        woken.append(reason)
        wake()

    subscriptions = [wait.subscribe(lambda: over("wait"))]
    if timeout is not None:
        subscriptions.append(Pause(timeout).subscribe(lambda: over("timeout")))
    try:
        await sleeper()
    finally:
        for unsubscribe in subscriptions:
            unsubscribe()
    return woken[0] == "wait"


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
