"""Holding requests at the endpoint, to see how many of them there are at once."""

from __future__ import annotations

import threading

from .fault import real_wait
from .waits import Pause, Wait, Wake, block, in_coroutine, suspend
from .whole_numbers import is_whole


class Hold:
    """Keeps token requests waiting at the endpoint until :meth:`release`.

    A context manager: leaving it releases. It proves single-flight refresh: start twenty
    callers, wait until one is here, release, and count the token requests.
    """

    # Another attribute would change nothing, and the test not test what it says.
    __slots__ = ("__weakref__", "_callers", "_endpoint", "_lock", "_released", "_watchers")

    def __init__(self, endpoint: list[Hold]) -> None:
        self._lock = threading.Lock()
        self._released = False
        # Where it stands in the way until it is released.
        self._endpoint = endpoint
        endpoint.append(self)
        self._callers: dict[object, Wake] = {}
        self._watchers: dict[object, tuple[int, Wake]] = {}

    @property
    def waiting(self) -> int:
        """How many requests wait now."""
        with self._lock:
            return len(self._callers)

    @property
    def released(self) -> bool:
        """Whether requests pass."""
        return self._released

    def release(self) -> None:
        """Let every request go on, those that wait and those to come. Harmless when repeated."""
        with self._lock:
            if self in self._endpoint:
                self._endpoint.remove(self)
            self._released = True
            callers = list(self._callers.values())
            self._callers.clear()
        for wake in callers:
            wake()

    def subscribe(self, wake: Wake) -> Wake:
        """Wait here as a caller."""
        key = object()
        with self._lock:
            arrived = not self._released
            if arrived:
                self._callers[key] = wake
            count = len(self._callers)
            watchers = [w for wanted, w in self._watchers.values() if count >= wanted]
        for watcher in watchers:
            watcher()
        if not arrived:
            wake()

        def unsubscribe() -> None:
            with self._lock:
                self._callers.pop(key, None)

        return unsubscribe

    def wait_for(self, count: int = 1, *, timeout: float = 5.0) -> None:
        """Block until ``count`` requests wait here.

        ``timeout`` is in real seconds; past it ``TimeoutError`` says how many of how many came.
        ``ValueError`` when ``count`` is not at least 1 or ``timeout`` not from 0 to 3600. In a
        coroutine use :meth:`wait_for_async`.
        """
        arrivals = self._arrivals(count)
        if not block(arrivals, Pause(real_wait(timeout))):
            error = self._too_few(count, timeout)
            if in_coroutine():
                error.args = (
                    f"{error}: in a coroutine use await hold.wait_for_async(), this one stops the "
                    "event loop in which they would arrive",
                )
            raise error

    async def wait_for_async(self, count: int = 1, *, timeout: float = 5.0) -> None:
        """:meth:`wait_for` without blocking the event loop (asyncio or trio)."""
        arrivals = self._arrivals(count)
        if not await suspend(arrivals, Pause(real_wait(timeout))):
            raise self._too_few(count, timeout)

    def _arrivals(self, count: int) -> Wait:
        if not is_whole(count, 1):
            raise ValueError(f"count={count!r}: count must be a whole number of at least 1")
        return _Arrivals(self, count)

    def _too_few(self, count: int, timeout: float) -> TimeoutError:
        return TimeoutError(
            f"{self.waiting} of {count} token requests arrived at the hold within {timeout:g} s"
        )

    def watch(self, count: int, wake: Wake) -> Wake:
        """Call ``wake`` when ``count`` requests wait; returns what unsubscribes."""
        key = object()
        with self._lock:
            there = len(self._callers) >= count
            if not there:
                self._watchers[key] = (count, wake)
        if there:
            wake()

        def unsubscribe() -> None:
            with self._lock:
                self._watchers.pop(key, None)

        return unsubscribe

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Hold {'released' if self._released else f'with {self.waiting} waiting'}>"


class _Arrivals:
    def __init__(self, hold: Hold, count: int) -> None:
        self._hold = hold
        self._count = count

    def subscribe(self, wake: Wake) -> Wake:
        return self._hold.watch(self._count, wake)
