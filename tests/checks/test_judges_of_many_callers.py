"""How single-flight is judged: callers that fail, hang, or fetch one too many."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import threading
from collections.abc import Callable

import pytest
import trio
from promising_clients import (
    Flow,
    GoodClient,
    Refused,
    in_tasks,
    in_threads,
    post_with_httpx_async,
    post_with_requests,
    told,
    told_of,
)

from pytest_optum_auth import ClientCheck, FakeOptum
from pytest_optum_auth.checks import runner, trial


@pytest.mark.parametrize("collects", [True, False])
def test_a_look_at_threads_leaves_no_room_for_a_garbage_collection(
    collects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile: list[bool] = []
    monkeypatch.setattr(sys, "_current_frames", lambda: meanwhile.append(gc.isenabled()) or {})
    if not collects:
        gc.disable()

    try:
        runner._positions([threading.current_thread()])
        assert (meanwhile, gc.isenabled()) == ([False], collects)
    finally:
        gc.enable()


def test_callers_that_fail_are_told() -> None:
    class OneAtATime(GoodClient):
        busy = 0

        def good_token(self, refused: str | None = None) -> Flow:
            self.busy += 1
            if self.busy > 1:
                raise Refused("somebody else is fetching")
            return (yield from super().good_token(refused))

    assert told("single-flight", OneAtATime) == (
        "let 7 of 8 callers fail before the first token: Refused: somebody else is fetching"
    )


def test_callers_that_return_without_an_answer_are_told() -> None:
    class LeavesQuietly(GoodClient):
        busy = 0

        def call(self) -> Flow:
            self.busy += 1
            if self.busy == 1:
                yield from super().call()

    assert told("single-flight", LeavesQuietly) == (
        "let 7 of 8 callers fail before the first token"
    )


def test_two_that_fetch_are_one_too_many() -> None:
    class TwoMayFetch(GoodClient):
        come = 0

        def good_token(self, refused: str | None = None) -> Flow:
            self.come += 1
            if self.come == 2:
                yield from self.fetch()
            return (yield from super().good_token(refused))

    assert told("single-flight", TwoMayFetch) == (
        "made 2 token requests for 8 callers before the first token"
    )


def test_a_stampede_at_the_end_of_a_token_is_told() -> None:
    class ForgetsItsLock(GoodClient):
        def good_token(self, refused: str | None = None) -> Flow:
            if not self.fetched_at:
                return (yield from super().good_token(refused))
            self.keep((yield from self.fetch()))
            return self.token

    assert told("single-flight", ForgetsItsLock) == (
        "made 8 token requests for 8 callers after its end"
    )


def test_a_caller_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_MOST_EXCHANGES", 10)

    class TheLastIsEndless(GoodClient):
        def __init__(self, fake: FakeOptum) -> None:
            super().__init__(fake)
            self.served = itertools.count(1)

        def call(self) -> Flow:
            yield from super().call()
            is_last = next(self.served) == 8
            while is_last:
                yield from self.ask(self.token)

    assert told("single-flight", TheLastIsEndless) == (
        "let 1 of 8 callers fail before the first token: EndlessCall: more requests in one call "
        "than any promise allows"
    )


def test_callers_that_hang_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_PATIENCE", 0.05)
    over = threading.Event()
    first = threading.Lock()

    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        call = in_threads(GoodClient(fake), post_with_requests)

        def only_one_comes_back() -> None:
            if not first.acquire(blocking=False):
                over.wait()
            call()

        check(only_one_comes_back)

    said = told_of("single-flight", try_it)
    over.set()

    assert "let 7 of 8 callers fail before the first token: Unfinished: it had not come " in said


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_tasks_that_hang_are_told(
    run: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_PATIENCE", 0.05)
    first = threading.Lock()

    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        async def main() -> None:
            call = in_tasks(GoodClient(fake), post_with_httpx_async, run_lock)

            async def only_one_comes_back() -> None:
                if not first.acquire(blocking=False):
                    await forever()
                await call()

            await check.run_async(only_one_comes_back)

        run(main) if run is trio.run else run(main())

    run_lock = trio.Lock if run is trio.run else asyncio.Lock
    forever = trio.sleep_forever if run is trio.run else asyncio.Event().wait

    said = told_of("single-flight", try_it)

    assert "let 7 of 8 callers fail before the first token: Unfinished: it had not come " in said


def test_what_ends_a_test_ends_it_from_a_thread_and_from_a_task_too() -> None:
    def fail() -> None:
        pytest.fail("by the call itself")

    async def fail_async() -> None:
        pytest.fail("by the call itself")

    def in_thread(check: ClientCheck, _: FakeOptum) -> None:
        check(fail)

    def in_task(check: ClientCheck, _: FakeOptum) -> None:
        asyncio.run(check.run_async(fail_async))

    for try_it in (in_thread, in_task):
        with pytest.raises(pytest.fail.Exception, match="by the call itself"):
            told_of("single-flight", try_it)
