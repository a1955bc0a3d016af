"""``sleep_moves``: sleeps return at once and move the clock by what they asked for."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from time import sleep
from typing import Any

import anyio
import freezegun
import pytest
from token_requests import ask
from transports_under_test import Transport

from pytest_optum_auth import Clock, FakeOptum, faults

START = 1767225600
at_new_year = pytest.mark.optum_clock("2026-01-01T00:00:00Z")
sleeps_move = pytest.mark.optum_clock("2026-01-01T00:00:00Z", sleep_moves=True)


class RealTime:
    """The real clock, kept where no freezer looks."""

    read = staticmethod(functools.partial(time.perf_counter))


@sleeps_move
def test_a_retry_with_a_deadline_comes_to_its_end(
    transport: Transport, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.inject(faults.server_error(), times=None)
    deadline = time.monotonic() + 30
    while ask(transport.send, optum_auth).status == 500 and time.monotonic() < deadline:
        time.sleep(4)

    assert (len(optum_auth.token_requests), optum_clock.time - START) == (9, 32)


@pytest.mark.parametrize("seconds", [3600, 0.25])
@pytest.mark.parametrize(
    "call", [lambda s: time.sleep(s), lambda s: sleep(s)], ids=["time.sleep", "imported sleep"]
)
@sleeps_move
def test_a_sleep_moves_the_clock_by_what_it_asked_for(
    call: Callable[[float], None], seconds: float, optum_clock: Clock
) -> None:
    call(seconds)

    assert time.time() == optum_clock.time == START + seconds


@sleeps_move
def test_a_sleep_under_another_freezer_waits(optum_clock: Clock) -> None:
    with freezegun.freeze_time("2030-01-01"):
        started = RealTime.read()
        time.sleep(0.01)
        assert RealTime.read() - started >= 0.01

    assert optum_clock.time == START


@at_new_year
def test_it_is_an_attribute_too(optum_clock: Clock) -> None:
    optum_clock.sleep_moves = True
    time.sleep(60)
    optum_clock.sleep_moves = False
    time.sleep(0.001)

    assert optum_clock.time == START + 60


@sleeps_move
def test_it_is_said_in_the_timeline(optum_auth: FakeOptum) -> None:
    async def main() -> None:
        await asyncio.sleep(2.5)

    time.sleep(4)
    asyncio.run(main())

    assert optum_auth.timeline().splitlines() == [
        "    +4 s  -- clock +4 s (sleep)",
        "+6.500 s  -- clock +2.5 s (sleep)",
    ]


@sleeps_move
@pytest.mark.parametrize(
    ("seconds", "error"),
    [
        (-1, ValueError),
        (float("inf"), OverflowError),
        (float("nan"), ValueError),
        (1e30, OverflowError),
        pytest.param(10**400, OverflowError, id="beyond every float"),
        ("4", TypeError),
        (None, TypeError),
        *([] if sys.version_info >= (3, 15) else [(Decimal(4), TypeError)]),
    ],
    ids=repr,
)
def test_what_a_real_sleep_refuses_is_refused(
    seconds: Any, error: type[Exception], optum_clock: Clock
) -> None:
    with pytest.raises(error):
        time.sleep(seconds)

    assert optum_clock.time == START


class Retries:
    """What is a whole number to who asks for one."""

    def __index__(self) -> int:
        return 4


@sleeps_move
@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(4, id="int"),
        pytest.param(4.0, id="float"),
        pytest.param(Retries(), id="index"),
        *([pytest.param(Decimal(4), id="decimal")] if sys.version_info >= (3, 15) else []),
    ],
)
def test_what_a_real_sleep_takes_moves_the_clock(seconds: Any, optum_clock: Clock) -> None:
    time.sleep(seconds)

    assert optum_clock.time == START + 4


@sleeps_move
def test_a_sleep_of_nothing_moves_nothing(optum_clock: Clock) -> None:
    time.sleep(0)

    assert optum_clock.time == START


@sleeps_move
def test_waits_in_threads_and_processes_are_left_alone(optum_clock: Clock) -> None:
    started = RealTime.read()

    assert threading.Event().wait(0.02) is False
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)
        process.communicate(b"\n")

    assert RealTime.read() - started >= 0.04
    assert optum_clock.time == START


@sleeps_move
def test_sleeps_of_threads_add_up(optum_clock: Clock) -> None:
    threads = [threading.Thread(target=time.sleep, args=(60,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert optum_clock.time == START + 300


@sleeps_move
@pytest.mark.parametrize("sleep", [asyncio.sleep, anyio.sleep], ids=["asyncio", "anyio"])
def test_coroutines_that_sleep_at_once_wake_in_their_order(
    sleep: object, optum_clock: Clock
) -> None:
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await sleep(seconds)
        woken.append(time.time() - START)

    async def main() -> None:
        await asyncio.gather(*map(sleeper, (10, 4, 4, 7200.5)))

    asyncio.run(main())

    assert woken == [4, 4, 10, 7200.5]


@sleeps_move
def test_a_deadline_of_asyncio_comes_true(optum_clock: Clock) -> None:
    tries: list[float] = []

    async def retry() -> None:
        while True:
            tries.append(time.time() - START)
            await asyncio.sleep(4)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(retry(), 30)

    asyncio.run(main())

    assert tries == [0, 4, 8, 12, 16, 20, 24, 28]
    assert optum_clock.time == START + 30


@sleeps_move
def test_a_timeout_alone_elapses_in_real_time(optum_clock: Clock) -> None:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.02)

    asyncio.run(main())

    assert optum_clock.time == START


@sleeps_move
def test_a_sleep_that_is_cancelled_moves_nothing(optum_clock: Clock) -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)

    asyncio.run(main())

    assert optum_clock.time == START


@sleeps_move
def test_advance_goes_its_way_beside_a_sleeper(optum_clock: Clock) -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        await optum_clock.advance(10)
        assert optum_clock.time == START + 10
        await task

    asyncio.run(main())

    assert optum_clock.time == START + 60


def test_a_sleep_that_outlives_the_clock_elapses_in_real_time() -> None:
    async def main() -> None:
        with Clock(0, sleep_moves=True):
            task = asyncio.create_task(asyncio.sleep(0.02))
            await asyncio.sleep(0)
        started = RealTime.read()
        await task
        assert RealTime.read() - started >= 0.01

    asyncio.run(main())


def test_sleep_is_itself_again_afterwards() -> None:
    genuine = time.sleep
    with Clock(0):
        assert time.sleep is not genuine

    assert time.sleep is sleep is genuine


def test_a_sleep_that_a_test_replaces_is_left_alone() -> None:
    slept: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        with Clock(0, sleep_moves=True) as clock:
            patch.setattr(time, "sleep", slept.append)
            time.sleep(5)
            assert clock.time == 0
        time.sleep(6)
    # What the patch has put back is ours, of a clock that is over.
    time.sleep(0.001)
    with Clock(0, sleep_moves=True) as clock:
        time.sleep(7)
        assert clock.time == 7

    assert slept == [5, 6]
    assert time.sleep is sleep
