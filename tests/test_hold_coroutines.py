"""Holding the token requests of coroutines, without blocking their event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
import trio
from token_requests import fields
from transports_under_test import TLS

from pytest_optum_auth import FakeOptum

LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda lib: lib.__name__)


async def ask_async(client: Any, optum_auth: FakeOptum) -> int:
    status: int = (await client.post(optum_auth.token_url, data=fields(optum_auth))).status_code
    return status


@LIBRARIES
def test_coroutines_wait_and_the_loop_keeps_turning(
    library: ModuleType, optum_auth: FakeOptum
) -> None:
    async def main() -> list[int]:
        async with library.AsyncClient(verify=TLS) as client:
            with optum_auth.hold() as hold:
                tasks = [asyncio.create_task(ask_async(client, optum_auth)) for _ in range(3)]
                await hold.wait_for_async(3)
                for _ in range(20):
                    await asyncio.sleep(0.001)
                assert not any(task.done() for task in tasks)
                assert hold.waiting == 3
            return list(await asyncio.gather(*tasks))

    assert asyncio.run(main()) == [200] * 3


@LIBRARIES
def test_those_of_trio_too(library: ModuleType, optum_auth: FakeOptum) -> None:
    got: list[int] = []

    async def main() -> None:
        async with library.AsyncClient(verify=TLS) as client, trio.open_nursery() as nursery:

            async def one() -> None:
                got.append(await ask_async(client, optum_auth))

            with optum_auth.hold() as hold:
                for _ in range(3):
                    nursery.start_soon(one)
                await hold.wait_for_async(3)
                for _ in range(20):
                    await trio.sleep(0.001)
                assert (hold.waiting, got) == (3, [])

    trio.run(main)

    assert got == [200] * 3


def test_a_thread_releases_coroutines(optum_auth: FakeOptum) -> None:
    async def main() -> int:
        async with httpx.AsyncClient(verify=TLS) as client:
            hold = optum_auth.hold()

            def release_from_a_thread() -> None:
                hold.wait_for(1)
                hold.release()

            thread = threading.Thread(target=release_from_a_thread)
            thread.start()
            status = await ask_async(client, optum_auth)
            thread.join()
            return status

    assert asyncio.run(main()) == 200


def test_a_coroutine_that_is_cancelled_leaves_the_hold(optum_auth: FakeOptum) -> None:
    async def main() -> int:
        async with httpx.AsyncClient(verify=TLS) as client:
            with optum_auth.hold() as hold:
                task = asyncio.create_task(ask_async(client, optum_auth))
                await hold.wait_for_async(1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                return hold.waiting

    assert asyncio.run(main()) == 0
    assert [e.outcome for e in optum_auth.token_requests] == ["the client gave up during hold()"]


@pytest.mark.parametrize("run", [asyncio.run, lambda main: trio.run(lambda: main)])
def test_a_loop_that_is_gone_does_not_disturb_the_release(
    run: Callable[[Any], None], optum_auth: FakeOptum
) -> None:
    """The wake-up of a wait in a coroutine whose loop has ended goes nowhere."""
    from pytest_optum_auth.core.waits import _sleeper

    async def main() -> Any:
        return _sleeper()[1]

    wakes: list[Any] = []

    async def keep() -> None:
        wakes.append(await main())

    run(keep())
    wakes[0]()

    assert len(wakes) == 1
