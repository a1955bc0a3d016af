"""Loops and threads beside a clock: they never see its time, and their timers stay their own."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import gc
import heapq
import multiprocessing
import threading
import time
import weakref
from asyncio import futures
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from token_requests import fields
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum
from pytest_optum_auth.clock import timers


class RealTime:
    """The real clock, kept where no freezer looks."""

    read = staticmethod(functools.partial(time.perf_counter))


def test_asyncio_has_the_names_that_we_take_from_its_inside() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        timer: Any = loop.call_later(60, print)
        assert loop._scheduled == [timer]
        assert timer._scheduled is True
        heapq.heapify(loop._scheduled)
        before = len(loop._ready)
        loop.call_soon(int)
        assert len(loop._ready) == before + 1
        loop._ready[-1].cancel()
        timer.cancel()

    asyncio.run(main())
    assert callable(vars(futures)["_set_result_unless_cancelled"])


def test_threads_that_read_the_time_while_clocks_start_and_stop() -> None:
    stop = threading.Event()

    def read() -> bool:
        while not stop.is_set():
            time.time(), time.monotonic(), dt.datetime.now(), time.localtime()
        return True

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for _ in range(15):
            with Clock() as clock:
                clock.tick()
        stop.set()
        assert all(reader.result() for reader in readers)


def test_a_loop_in_another_thread_never_reads_the_frozen_time() -> None:
    """Else a server of the suite would sleep for decades."""
    seen: set[bool] = set()
    turns = 0
    stop = threading.Event()

    async def serve() -> None:
        nonlocal turns
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            turns += 1
            seen.add(loop.time() < 10**9)
            await asyncio.sleep(0)

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    for _ in range(20):
        with Clock("2031-01-01T00:00:00Z"):
            time.sleep(0.0005)
    stop.set()
    thread.join(5)

    assert not thread.is_alive()
    assert turns > 20
    assert seen == {True}


def test_a_condition_of_multiprocessing_ends_by_its_timeout(optum_clock: Clock) -> None:
    condition = multiprocessing.get_context("spawn").Condition()
    with condition:
        assert condition.wait_for(lambda: False, timeout=0.02) is False


# `advance` is bounded.


def test_advance_returns_while_what_it_woke_waits_at_a_hold(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    def refresh() -> requests.Response:
        return requests.post(optum_auth.token_url, data=fields(optum_auth))

    async def refresher() -> requests.Response:
        await asyncio.sleep(3600)
        return await asyncio.to_thread(refresh)

    async def main() -> int:
        tasks = [asyncio.create_task(refresher()) for _ in range(3)]
        with optum_auth.hold() as hold:
            started = RealTime.read()
            await optum_clock.advance(3600)
            assert RealTime.read() - started < timers._A_MOMENT
            await hold.wait_for_async(3)
        return sum([(await task).status_code for task in tasks])

    assert asyncio.run(main()) == 600


def test_advance_waits_a_moment_for_a_job_that_does_not_end(
    optum_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "_A_MOMENT", 0.05)
    release = threading.Event()

    async def worker() -> bool:
        await asyncio.sleep(10)
        return await asyncio.to_thread(release.wait, 5)

    async def main() -> bool:
        task = asyncio.create_task(worker())
        await optum_clock.advance(10)
        assert not task.done()
        release.set()
        return await task

    assert asyncio.run(main())


def test_advance_does_not_wait_for_a_loop_of_another_thread(optum_clock: Clock) -> None:
    stop, release = threading.Event(), threading.Event()

    async def polls() -> None:
        while not stop.is_set():
            await asyncio.get_running_loop().run_in_executor(None, release.wait, 0.001)

    async def main() -> list[str]:
        fired: list[str] = []
        asyncio.get_running_loop().call_later(5, fired.append, "fired")
        for _ in range(50):
            await optum_clock.advance(10)
        return fired

    other = threading.Thread(target=asyncio.run, args=[polls()])
    other.start()
    started = RealTime.read()
    assert asyncio.run(main()) == ["fired"]
    stop.set()
    other.join()
    assert RealTime.read() - started < 5


class BlindLoop(asyncio.SelectorEventLoop):
    """It keeps its timers in its own way, as loops of other libraries do."""

    call_at = None


def test_advance_on_a_loop_whose_timers_it_cannot_see_says_so(optum_clock: Clock) -> None:
    message = (
        f"advance() cannot see the timers of this event loop ({__name__}.BlindLoop), so it would "
        "wake nobody: run the test on asyncio's own loop, or move with tick() and call what the "
        "sleeper would do"
    )
    loop = BlindLoop()
    before = optum_clock.now
    try:
        with pytest.raises(RuntimeError, match=whole(message)):
            loop.run_until_complete(optum_clock.advance(3600))
    finally:
        loop.close()

    assert optum_clock.now == before


# Timers are the loop's own.


def test_a_timer_keeps_its_checks_in_debug_mode(optum_clock: Clock) -> None:
    async def coroutine() -> None: ...

    async def main() -> None:
        with pytest.raises(TypeError, match="coroutines cannot be used with call_at"):
            asyncio.get_running_loop().call_later(1, coroutine)

    asyncio.run(main(), debug=True)


def test_a_timer_that_went_off_was_not_cancelled(optum_clock: Clock) -> None:
    async def main() -> None:
        fired: list[int] = []
        loop = asyncio.get_running_loop()
        early, late = loop.call_later(5, fired.append, 5), loop.call_later(0.01, fired.append, 1)
        await optum_clock.advance(5)
        await asyncio.sleep(0.02)
        assert sorted(fired) == [1, 5]
        assert not early.cancelled()
        assert not late.cancelled()
        assert "append" in repr(early)

    asyncio.run(main())


def test_a_timer_that_is_cancelled_by_another_one_of_its_moment_stays_silent(
    optum_clock: Clock,
) -> None:
    async def main() -> list[int]:
        fired: list[int] = []
        loop = asyncio.get_running_loop()
        handles: list[asyncio.TimerHandle] = []
        loop.call_later(5, lambda: handles[0].cancel())
        handles.append(loop.call_later(5, fired.append, 5))
        await optum_clock.advance(5)
        return fired

    assert asyncio.run(main()) == []


@pytest.mark.parametrize("end", ["cancelled", "fired"])
def test_a_timer_that_is_over_lets_go_of_what_it_held(end: str, optum_clock: Clock) -> None:
    class Buffer:
        pass

    async def main() -> int:
        loop, seen = asyncio.get_running_loop(), []
        for _ in range(120):
            buffer = Buffer()
            seen.append(weakref.ref(buffer))
            timer = loop.call_later(60, id, buffer)
            if end == "cancelled":
                timer.cancel()
            del buffer, timer
        await optum_clock.advance(60)
        await asyncio.sleep(0)
        gc.collect()
        return sum(reference() is not None for reference in seen)

    assert asyncio.run(main()) == 0
    assert not optum_clock._timers._due
