"""``advance`` moves the clock and wakes what sleeps until then."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import Any

import httpx
import pytest
import trio
from token_requests import fields
from transports_under_test import TLS
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum

START = 1767225600


pytestmark = pytest.mark.optum_clock("2026-01-01T00:00:00Z")


def test_advance_wakes_a_sleeper_at_the_time_it_asked_for(optum_clock: Clock) -> None:
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(time.time() - START)

    async def main() -> None:
        tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (30, 10, 7200, 20.5)]
        await optum_clock.advance(60)
        assert woken == [10, 20.5, 30]
        assert optum_clock.time == START + 60
        assert not tasks[2].done()
        await optum_clock.advance(7140)
        assert woken == [10, 20.5, 30, 7200]

    asyncio.run(main())


def test_a_sleeper_a_second_short_is_not_woken(optum_clock: Clock) -> None:
    async def main() -> bool:
        task = asyncio.create_task(asyncio.sleep(60))
        await optum_clock.advance(59)
        done = task.done()
        await optum_clock.advance(1)
        assert task.done()
        return done

    assert asyncio.run(main()) is False


def test_a_sleeper_that_re_arms_itself_is_woken_once_a_period_at_its_time(
    optum_clock: Clock,
) -> None:
    woken: list[float] = []

    async def every(seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            woken.append(time.time() - START)

    async def main() -> None:
        task = asyncio.create_task(every(600))
        await optum_clock.advance(dt.timedelta(hours=1))
        task.cancel()

    asyncio.run(main())

    assert woken == [600, 1200, 1800, 2400, 3000, 3600]
    assert optum_clock.time == START + 3600


def test_two_sleepers_take_turns_in_the_order_of_their_times(optum_clock: Clock) -> None:
    woken: list[tuple[str, float]] = []

    async def every(name: str, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            woken.append((name, time.time() - START))

    async def main() -> None:
        tasks = [asyncio.create_task(every("a", 2)), asyncio.create_task(every("b", 3))]
        await optum_clock.advance(6)
        for task in tasks:
            task.cancel()

    asyncio.run(main())

    assert woken[:3] == [("a", 2), ("b", 3), ("a", 4)]
    assert sorted(woken[3:]) == [("a", 6), ("b", 6)]


def test_advance_returns_when_what_it_woke_is_finished(
    optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    async def refresh() -> None:
        async with httpx.AsyncClient(verify=TLS) as client:
            while True:
                await client.post(optum_auth.token_url, data=fields(optum_auth))
                await asyncio.sleep(7200 - 60)

    async def main() -> None:
        task = asyncio.create_task(refresh())
        await optum_clock.advance(0)
        assert len(optum_auth.token_requests) == 1
        await optum_clock.advance(7139)
        assert len(optum_auth.token_requests) == 1
        await optum_clock.advance(1)
        assert len(optum_auth.token_requests) == 2
        task.cancel()

    asyncio.run(main())

    assert [exchange.at.timestamp() - START for exchange in optum_auth.exchanges] == [0, 7140]
    assert len(optum_auth.needless_token_requests) == 0


def test_advance_waits_for_work_in_an_executor(optum_clock: Clock) -> None:
    done: list[float] = []

    async def worker() -> None:
        await asyncio.sleep(10)
        await asyncio.to_thread(time.sleep, 0.05)
        done.append(time.time() - START)

    async def main() -> None:
        task = asyncio.create_task(worker())
        await optum_clock.advance(10)
        assert done == [10]
        await task

    asyncio.run(main())


@pytest.mark.parametrize("seconds", [float("inf"), 1e12])
def test_a_sleeper_that_sleeps_for_ever_is_never_woken(seconds: float, optum_clock: Clock) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        handle = loop.call_later(seconds, woken.append, seconds)
        loop.call_later(10**9, woken.append, 10**9)
        await optum_clock.advance(10**9)
        handle.cancel()

    woken: list[float] = []
    asyncio.run(main())

    assert woken == [10**9]


def test_a_task_that_never_waits_does_not_hold_advance_for_ever(optum_clock: Clock) -> None:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    async def main() -> None:
        task = asyncio.create_task(spin())
        await optum_clock.advance(1)
        task.cancel()

    asyncio.run(main())

    assert optum_clock.time == START + 1


def test_a_cancelled_sleeper_is_not_woken(optum_clock: Clock) -> None:
    woken: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(5, woken.append, "cancelled").cancel()
        loop.call_later(5, woken.append, "kept")
        await optum_clock.advance(10)

    asyncio.run(main())

    assert woken == ["kept"]


def test_a_timer_is_called_once_though_its_real_time_comes_too(optum_clock: Clock) -> None:
    called: list[str] = []

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.03, called.append, "timer")
        await optum_clock.advance(10)
        await asyncio.sleep(0.05)

    asyncio.run(main())

    assert called == ["timer"]


def test_of_two_timers_for_one_moment_the_first_may_cancel_the_second(
    optum_clock: Clock,
) -> None:
    called: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def first() -> None:
            called.append("first")
            second.cancel()

        loop.call_later(10, first)
        second = loop.call_later(10, called.append, "second")
        await optum_clock.advance(10)

    asyncio.run(main())

    assert called == ["first"]


def test_a_timer_may_be_armed_for_a_moment_of_the_loop(optum_clock: Clock) -> None:
    called: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() + 30, lambda: called.append(time.time() - START))
        await optum_clock.advance(60)

    asyncio.run(main())

    assert called == [30]


def test_a_wait_in_flight_times_out_when_the_clock_advances_past_it(optum_clock: Clock) -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.wait_for(asyncio.Event().wait(), 5))
        await asyncio.sleep(0)
        await optum_clock.advance(3600)
        with pytest.raises(asyncio.TimeoutError):
            await task

    asyncio.run(main())


def test_tick_wakes_nobody(optum_clock: Clock) -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        optum_clock.tick(3600)
        await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()

    asyncio.run(main())


def test_sleepers_of_another_loop_are_left_alone(optum_clock: Clock) -> None:
    other = asyncio.new_event_loop()
    called: list[str] = []
    handle = other.call_later(10, called.append, "other")

    asyncio.run(advance(optum_clock, 60))

    assert called == []
    handle.cancel()
    other.close()


async def advance(clock: Clock, seconds: float) -> None:
    await clock.advance(seconds)


def test_the_timeline_tells_every_step(optum_clock: Clock, optum_auth: FakeOptum) -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(20))
        await optum_clock.advance(60)
        await task

    asyncio.run(main())

    assert optum_auth.timeline() == "+20 s  -- clock +20 s\n+60 s  -- clock +40 s"


def test_under_trio_advance_moves_the_time_and_yields(optum_clock: Clock) -> None:
    ran: list[float] = []

    async def other() -> None:
        ran.append(time.time() - START)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            await optum_clock.advance(60)
            assert ran == [60]

    trio.run(main)

    assert optum_clock.time == START + 60


@pytest.mark.parametrize("run", [asyncio.run, lambda main: trio.run(lambda: main)])
def test_advance_goes_forward_only(run: Any, optum_clock: Clock) -> None:
    message = whole("advance(-1): advance goes forward; use tick() or move_to()")

    with pytest.raises(ValueError, match=message):
        run(advance(optum_clock, -1))

    assert optum_clock.time == START
