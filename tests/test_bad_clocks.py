"""Moments, spans and clocks that make no sense are refused."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum
from pytest_optum_auth.clock.freezegun_internals import Freeze
from pytest_optum_auth.clock.names import Names
from pytest_optum_auth.clock.timers import Timers

NO_MOMENT = (
    "is no moment: give an aware datetime, a string such as '2026-01-01T00:00:00Z', or seconds "
    "since 1970"
)


NAIVE = (
    "is naive and could mean any time zone: add one, as in '2026-01-01T00:00:00Z' or "
    "datetime(2026, 1, 1, tzinfo=timezone.utc)"
)


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("2026-01-01", NAIVE),
        ("2026-01-01T00:00:00", NAIVE),
        ("noon", "is no moment: write it as in '2026-01-01T00:00:00Z'"),
        ("", "is no moment: write it as in '2026-01-01T00:00:00Z'"),
        (dt.date(2026, 1, 1), NO_MOMENT),
        (True, NO_MOMENT),
        (float("nan"), NO_MOMENT),
        (b"2026", NO_MOMENT),
        (10**15, "lies outside the calendar (years 1 to 9999)"),
        (-(10**15), "lies outside the calendar (years 1 to 9999)"),
        (1e300, "lies outside the calendar (years 1 to 9999)"),
        (10**400, "lies outside the calendar (years 1 to 9999)"),
    ],
    ids=lambda value: f"{value!r:.40}",
)
def test_what_is_no_moment_is_refused(moment: Any, reason: str) -> None:
    message = whole(f"{moment!r} {reason}")

    with pytest.raises(ValueError, match=message):
        Clock(moment)
    with Clock(0) as clock:
        with pytest.raises(ValueError, match=message):
            clock.move_to(moment)
        assert clock.time == 0


@pytest.mark.parametrize("name", ["tick", "sleep_moves"])
@pytest.mark.parametrize("value", [5, "no", None])
def test_what_is_no_flag_is_refused(name: str, value: Any) -> None:
    message = whole(f"{name}={value!r}: {name} must be True or False")

    with pytest.raises(ValueError, match=message):
        Clock(0, **{name: value})


def test_a_naive_datetime_is_refused_by_its_digits_also_under_the_clock(optum_clock: Clock) -> None:
    with pytest.raises(ValueError, match=whole(f"'2026-01-01 00:00:00' {NAIVE}")):
        optum_clock.move_to(dt.datetime(2026, 1, 1))


@pytest.mark.parametrize("delta", ["60", None, True, float("inf"), float("nan")])
def test_what_is_no_span_is_refused(delta: Any, optum_clock: Clock) -> None:
    message = whole(f"{delta!r} is no span of time: give seconds or a timedelta")
    before = optum_clock.now

    with pytest.raises(ValueError, match=message):
        optum_clock.tick(delta)

    assert optum_clock.now == before


@pytest.mark.parametrize(
    "delta",
    [10**15, -(10**15), 1e300, 10**400, dt.timedelta.max],
    ids=lambda value: f"{value!r:.40}",
)
def test_a_tick_beyond_the_calendar_is_refused(delta: Any, optum_clock: Clock) -> None:
    before = optum_clock.now

    message = f"a move by {delta!r} leads outside the calendar (years 1 to 9999)"

    with pytest.raises(ValueError, match=whole(message)):
        optum_clock.tick(delta)

    assert optum_clock.now == before


@pytest.mark.parametrize(
    ("name", "keyword"), [("expire_token", "by"), ("nearly_expire_token", "margin")]
)
def test_a_negative_margin_is_refused(
    name: str, keyword: str, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.issue_token()

    with pytest.raises(
        ValueError, match=whole(f"{keyword}=-1: {keyword} must be 0 or more seconds")
    ):
        getattr(optum_clock, name)(**{keyword: -1})


@pytest.mark.parametrize("name", ["expire_token", "nearly_expire_token"])
@pytest.mark.parametrize("value", [10**15, 10**400], ids=["a long time", "beyond every float"])
def test_a_margin_beyond_the_calendar_is_refused(
    value: int, name: str, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.issue_token()
    keyword = "by" if name == "expire_token" else "margin"
    message = f"a move by {value} leads outside the calendar (years 1 to 9999)"

    with pytest.raises(ValueError, match=whole(message)):
        getattr(optum_clock, name)(**{keyword: value})


NOT_RUNNING = (
    "this Clock does not run: use it inside `with Clock() as clock:`, or ask for the fixture "
    "optum_clock"
)


@pytest.mark.parametrize("state", ["before", "after"])
@pytest.mark.parametrize(
    "use",
    [
        lambda clock: clock.now,
        lambda clock: clock.time,
        lambda clock: clock.tick(),
        lambda clock: clock.move_to(0),
    ],
    ids=["now", "time", "tick", "move_to"],
)
def test_a_clock_that_does_not_run_says_so(use: Callable[[Clock], Any], state: str) -> None:
    clock = Clock(0)
    if state == "after":
        with clock:
            use(clock)

    with pytest.raises(RuntimeError, match=whole(NOT_RUNNING)):
        use(clock)


def test_a_second_clock_inside_a_running_one_is_an_error(optum_clock: Clock) -> None:
    message = (
        "a Clock is running already: one clock a test, use that one (the fixture optum_clock, or "
        "the Clock around this one)"
    )
    second = Clock(0)

    with pytest.raises(RuntimeError, match=whole(message)):
        second.__enter__()

    optum_clock.tick()
    second.__exit__(None, None, None)
    optum_clock.tick()


@pytest.mark.parametrize(
    ("owner", "name"), [(Freeze, "start"), (Names, "replace_everywhere"), (Timers, "install")]
)
def test_a_clock_that_could_not_start_leaves_nothing(
    owner: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            Clock(0).__enter__()

    assert time.time() > 0
    with Clock(0):
        assert time.time() == 0
    assert time.time() > 0


def test_a_clock_that_was_refused_inside_another_runs_after_it() -> None:
    second = Clock(0)
    with Clock(1), pytest.raises(RuntimeError, match="a Clock is running already"):
        second.__enter__()

    with second:
        assert second.time == 0
