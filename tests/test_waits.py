"""Waiting without a loop or a client: what ends it, and from where."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest
import trio

from pytest_optum_auth.core.holds import Hold
from pytest_optum_auth.core.waits import Deadline, Pause, block, in_trio, suspend


@pytest.mark.parametrize(("seconds", "timeout", "over"), [(0.01, None, True), (30, 0.01, False)])
def test_a_wait_ends_by_itself_or_by_its_timeout(
    seconds: float, timeout: float | None, over: bool
) -> None:
    assert block(Pause(seconds), Deadline(timeout)) is over
    assert asyncio.run(suspend(Pause(seconds), Deadline(timeout))) is over
    assert trio.run(suspend, Pause(seconds), Deadline(timeout)) is over


def test_a_deadline_is_one_for_several_waits() -> None:
    deadline = Deadline(0.05)

    assert block(Pause(0.01), deadline) is True
    assert block(Pause(30), deadline) is False
    # It has struck: nothing is waited for any more.
    assert block(Pause(30), deadline) is False


def test_a_deadline_strikes_between_two_waits_as_well() -> None:
    deadline = Deadline(0.02)
    deadline.subscribe(lambda: None)()
    time.sleep(0.05)

    assert block(Pause(30), deadline) is False


def test_a_deadline_that_is_cancelled_leaves_no_thread() -> None:
    before = threading.active_count()
    deadline = Deadline(30)

    assert block(Pause(0.01), deadline) is True
    deadline.cancel()

    assert threading.active_count() == before


def test_what_a_pause_wakes_may_cancel_it() -> None:
    done = threading.Event()
    cancel = []

    started = threading.Lock()

    def wake() -> None:
        with started:
            cancel[0]()
        done.set()

    with started:
        cancel.append(Pause(0.01).subscribe(wake))

    assert done.wait(5)


def test_a_pause_that_is_cancelled_wakes_nobody() -> None:
    woken: list[str] = []
    cancel = Pause(30).subscribe(lambda: woken.append("woken"))
    before = threading.active_count()

    cancel()

    assert woken == []
    assert threading.active_count() == before - 1


def test_a_hold_that_was_released_in_the_meantime_lets_a_caller_go_at_once() -> None:
    """Between the look at the hold and the wait at it, another thread may release."""
    hold = Hold([])
    hold.release()
    woken: list[str] = []

    unsubscribe = hold.subscribe(lambda: woken.append("woken"))
    unsubscribe()

    assert woken == ["woken"]
    assert hold.waiting == 0


def test_only_inside_trio_is_trio() -> None:
    async def inside() -> bool:
        return in_trio()

    assert trio.run(inside) is True
    assert asyncio.run(inside()) is False
    assert in_trio() is False


def test_a_program_that_never_loaded_trio_is_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trio")

    assert in_trio() is False
