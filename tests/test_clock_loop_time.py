"""The time of an event loop, as its users ask for it: it goes on, and moves with the clock."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import anyio
import pytest

from pytest_optum_auth import Clock

START = 1767225600
at_new_year = pytest.mark.optum_clock("2026-01-01T00:00:00Z")
sleeps_move = pytest.mark.optum_clock("2026-01-01T00:00:00Z", sleep_moves=True)


async def tick(clock: Clock) -> None:
    clock.tick(3600)


async def move(clock: Clock) -> None:
    clock.move_to(START + 3600)


async def move_back_first(clock: Clock) -> None:
    for _ in range(10):
        clock.tick(-720)
    clock.tick(3600)


async def advance(clock: Clock) -> None:
    await clock.advance(3600)


async def sleep(clock: Clock) -> None:
    clock.sleep_moves = True
    await asyncio.sleep(3600)


async def sleep_in_this_thread(clock: Clock) -> None:
    clock.sleep_moves = True
    time.sleep(3600)


@at_new_year
@pytest.mark.parametrize(
    "pass_an_hour",
    [tick, move, move_back_first, advance, sleep, sleep_in_this_thread],
    ids=lambda way: way.__name__,
)
def test_it_moves_as_far_as_the_clock_is_moved_forward(
    pass_an_hour: Callable[[Clock], Awaitable[None]], optum_clock: Clock
) -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        before = loop.time(), anyio.current_time()
        await pass_an_hour(optum_clock)
        return loop.time() - before[0], anyio.current_time() - before[1]

    assert asyncio.run(main()) == pytest.approx((3600, 3600), abs=5)


@at_new_year
def test_it_goes_on_while_the_clock_stands_still(optum_clock: Clock) -> None:
    async def main() -> float:
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(0.01)
        return asyncio.get_running_loop().time() - before

    assert 0 < asyncio.run(main()) < 5
    assert optum_clock.time == START


@at_new_year
def test_a_timer_for_a_moment_of_the_loop_goes_off_in_real_time(optum_clock: Clock) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        called = asyncio.Event()
        optum_clock.tick(3600)
        loop.call_at(loop.time() + 0.01, called.set)
        await asyncio.wait_for(called.wait(), 5)

    asyncio.run(main())


@at_new_year
def test_a_move_makes_no_timer_of_the_loop_due(optum_clock: Clock) -> None:
    async def main() -> None:
        called: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(60, called.append, "later")
        loop.call_at(loop.time() + 60, called.append, "at")
        optum_clock.tick(3600)
        await asyncio.sleep(0.01)
        assert called == []

    asyncio.run(main())


class Measured(asyncio.SelectorEventLoop):
    """A loop of a user, who looks at its time before he hands it on."""

    def time(self) -> float:
        return super().time()


# A container, so that no clock finds it.
real = {"monotonic": time.monotonic}


class OfItsOwn(asyncio.SelectorEventLoop):
    """A loop that does not ask asyncio's for the time."""

    def time(self) -> float:
        return real["monotonic"]() - 1000


OWN_LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [Measured, OfItsOwn]


@at_new_year
@pytest.mark.parametrize("loop", OWN_LOOPS)
def test_a_loop_that_tells_another_time_keeps_its_timers(
    loop: Callable[[], asyncio.AbstractEventLoop], optum_clock: Clock
) -> None:
    async def main() -> bool:
        called = asyncio.Event()
        asyncio.get_running_loop().call_later(60, called.set)
        optum_clock.tick(3600)
        await asyncio.wait_for(asyncio.sleep(0.01), 5)
        return called.is_set()

    running = loop()
    try:
        assert not running.run_until_complete(main())
    finally:
        running.close()


def test_a_timeout_that_the_loop_sets_for_itself_is_not_over(optum_clock: Clock) -> None:
    async def main() -> None:
        optum_clock.tick(3600)
        await asyncio.to_thread(len, "")

    # At its end it waits for its threads, for 300 seconds at most, and warns when they are over.
    asyncio.run(main())


async def until_a_deadline_of_the_loop() -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 30
    while loop.time() < deadline:
        await asyncio.sleep(4)


async def until_a_deadline_of_anyio() -> None:
    with anyio.move_on_after(32) as scope:
        while True:
            await anyio.sleep(10)
    assert scope.cancelled_caught


async def until_a_timeout_of_anyio() -> None:
    with pytest.raises(TimeoutError), anyio.fail_after(32):
        await anyio.sleep(100)


@sleeps_move
@pytest.mark.parametrize(
    "retry",
    [until_a_deadline_of_the_loop, until_a_deadline_of_anyio, until_a_timeout_of_anyio],
    ids=lambda retry: retry.__name__,
)
def test_a_deadline_by_it_comes_true(
    retry: Callable[[], Awaitable[None]], optum_clock: Clock
) -> None:
    asyncio.run(asyncio.wait_for(retry(), 3600))

    assert optum_clock.time == pytest.approx(START + 32, abs=0.01)


@at_new_year
def test_advance_makes_no_callback_a_slow_one(
    optum_clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        asyncio.get_running_loop().slow_callback_duration = 60
        await optum_clock.advance(3600)

    with caplog.at_level(logging.WARNING, "asyncio"):
        asyncio.run(main(), debug=True)

    assert caplog.messages == []


def test_it_is_the_loops_own_after_the_clock() -> None:
    genuine = asyncio.BaseEventLoop.time

    with Clock(0):
        assert asyncio.BaseEventLoop.time is not genuine

    assert asyncio.BaseEventLoop.time is genuine


def test_what_somebody_else_has_put_in_its_place_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_another_tool(loop: asyncio.BaseEventLoop) -> float:
        return 5.0

    # So that it is put back.
    monkeypatch.setattr(asyncio.BaseEventLoop, "time", asyncio.BaseEventLoop.time)

    with Clock(0):
        asyncio.BaseEventLoop.time = of_another_tool

    assert asyncio.BaseEventLoop.time is of_another_tool
    loop = asyncio.new_event_loop()
    loop.close()
    assert loop.time() == 5
