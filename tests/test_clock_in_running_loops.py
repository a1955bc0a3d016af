"""A clock that starts inside a running event loop, and the plugins for coroutine tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import inner_runs
import pytest

from pytest_optum_auth import Clock


def test_a_timer_armed_before_the_clock_does_not_jump() -> None:
    called: list[str] = []

    async def main() -> None:
        handle = asyncio.get_running_loop().call_later(60, called.append, "timer")
        with Clock(0) as clock:
            clock.tick(3600)
            await asyncio.sleep(0.01)
            await clock.advance(3600)
        await asyncio.sleep(0)
        handle.cancel()

    asyncio.run(main())

    assert called == []


def test_a_timer_armed_under_the_clock_goes_off_after_it_in_real_time() -> None:
    order: list[str] = []

    async def main() -> None:
        with Clock(0):
            asyncio.get_running_loop().call_later(0.02, order.append, "timer")
        order.append("end of the clock")
        await asyncio.sleep(0.04)

    asyncio.run(main())

    assert order == ["end of the clock", "timer"]


def test_loops_are_themselves_again_afterwards() -> None:
    names = ("call_at", "call_later", "call_soon", "run_in_executor", "time")

    def methods() -> list[Callable[..., object]]:
        return [getattr(asyncio.BaseEventLoop, name) for name in names]

    async def main() -> None:
        with Clock(0) as clock:
            await clock.advance(1)

    before = methods()
    asyncio.run(main())

    assert methods() == before


TEST = """
import asyncio
import anyio
import pytest
import httpx

@pytest.mark.{plugin}
@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
async def test_it(optum_auth, optum_clock):
    async with httpx.AsyncClient() as client:
        assert (await client.post(optum_auth.token_url)).status_code == 415
    await anyio.sleep(0.01)
    await optum_clock.advance(7200)
    assert optum_clock.now.isoformat() == "2026-01-01T02:00:00+00:00"
"""


@pytest.mark.parametrize(
    ("plugin", "options", "passed"),
    [
        (
            "asyncio",
            ["-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function"],
            1,
        ),
        ("anyio", ["-p", "anyio.pytest_plugin"], 2),
    ],
    ids=["pytest-asyncio", "anyio in both loops"],
)
def test_a_test_that_awaits_runs_with_the_fixtures(
    plugin: str,
    options: list[str],
    passed: int,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(TEST.format(plugin=plugin))

    # In a process of its own: the plugins leave a loop to the garbage collector, of which an older
    # pytest complains in whatever test runs by then.
    result = pytester.runpytest_subprocess(*inner_runs.OPTIONS, *options)

    result.assert_outcomes(passed=passed)
