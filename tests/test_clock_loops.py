"""Event loops under a clock keep turning in real time."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import time
from typing import Any

import anyio
import httpx
import pytest
import trio
from token_requests import fields
from transports_under_test import TLS

from pytest_optum_auth import Clock, FakeOptum

START = 1767225600


pytestmark = pytest.mark.optum_clock("2026-01-01T00:00:00Z")


class RealTime:
    """The real clock, kept where freezegun does not look."""

    read = staticmethod(functools.partial(time.perf_counter))


async def sleep_in_asyncio() -> None:
    await asyncio.sleep(0.02)


async def sleep_in_anyio() -> None:
    await anyio.sleep(0.02)


async def time_out_in_asyncio() -> None:
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 0.02)


async def time_out_in_anyio() -> None:
    with pytest.raises(TimeoutError):
        with anyio.fail_after(0.02):
            await anyio.sleep_forever()


async def wait_in_asyncio() -> None:
    task = asyncio.ensure_future(asyncio.Event().wait())
    _, pending = await asyncio.wait([task], timeout=0.02)
    assert pending == {task}
    task.cancel()


@pytest.mark.parametrize(
    "wait",
    [
        sleep_in_asyncio,
        time_out_in_asyncio,
        wait_in_asyncio,
        sleep_in_anyio,
        time_out_in_anyio,
    ],
    ids=lambda wait: wait.__name__,
)
def test_sleeps_and_timeouts_of_asyncio_elapse_in_real_time(wait: Any, optum_clock: Clock) -> None:
    started = RealTime.read()
    asyncio.run(wait())

    assert RealTime.read() - started >= 0.015
    assert optum_clock.time == START


async def sleep_in_trio() -> None:
    await trio.sleep(0.02)


async def time_out_in_trio() -> None:
    with trio.move_on_after(0.02) as scope:
        await trio.sleep_forever()
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    "wait",
    [sleep_in_trio, time_out_in_trio, sleep_in_anyio, time_out_in_anyio],
    ids=lambda wait: wait.__name__,
)
def test_so_do_those_of_trio(wait: Any, optum_clock: Clock) -> None:
    started = RealTime.read()
    trio.run(wait)

    assert RealTime.read() - started >= 0.015
    assert optum_clock.time == START


def test_a_coroutine_sees_the_time_of_the_test(optum_clock: Clock) -> None:
    async def read() -> tuple[float, float, float, float]:
        optum_clock.tick(5)
        in_thread = await asyncio.to_thread(time.time)
        in_executor = await asyncio.get_running_loop().run_in_executor(None, time.time)
        return time.time(), dt.datetime.now(dt.timezone.utc).timestamp(), in_thread, in_executor

    assert asyncio.run(read()) == (START + 5,) * 4


def test_a_task_of_trio_sees_the_time_of_the_test(optum_clock: Clock) -> None:
    async def read() -> tuple[float, float]:
        optum_clock.tick(5)
        return time.time(), await trio.to_thread.run_sync(time.time)

    assert trio.run(read) == (START + 5,) * 2


@pytest.mark.parametrize("run", [asyncio.run, lambda main: trio.run(lambda: main)])
def test_httpx_works_in_both(run: Any, optum_auth: FakeOptum) -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(verify=TLS) as client:
            answer = await client.post(optum_auth.token_url, data=fields(optum_auth))
        assert answer.status_code == 200

    run(ask())

    assert len(optum_auth.tokens) == 1
