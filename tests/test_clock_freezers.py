"""Other freezers beside ours, and what ours takes from freezegun's inside."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import threading
import time
from types import ModuleType
from typing import Any

import pytest
from freezegun import freeze_time
from inner_runs import Run
from token_requests import ask, call
from transports_under_test import Transport
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum
from pytest_optum_auth.clock.freezer import Freezer

NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
HIDDEN = (
    "another freezer (freeze_time, pytest-freezer or time-machine) has started while optum_clock "
    "runs and hides its moves: use one clock a test"
)


# The fake follows them.


def test_freezegun_used_directly_steers_the_fake(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")

    with freeze_time("2026-01-01") as frozen:
        token = ask(transport.send, optum_auth).json()["access_token"]
        good = call(transport.send, token)
        frozen.tick(dt.timedelta(seconds=7200))
        expired = call(transport.send, token)

    assert optum_auth.tokens[0].issued_at == NEW_YEAR
    assert (good.status, expired.status) == (200, 401)
    assert type(optum_auth.exchanges[0].at) is dt.datetime


def test_time_machine_used_directly_steers_the_fake(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    # Not on PyPy.
    time_machine = pytest.importorskip("time_machine")
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")

    with time_machine.travel(NEW_YEAR, tick=False) as traveller:
        token = ask(transport.send, optum_auth).json()["access_token"]
        good = call(transport.send, token)
        traveller.shift(7200)
        expired = call(transport.send, token)

    assert optum_auth.tokens[0].issued_at == NEW_YEAR
    assert (good.status, expired.status) == (200, 401)


def test_freezegun_steers_it_in_threads_too(optum_auth: FakeOptum) -> None:
    with freeze_time("2026-01-01"):
        thread = threading.Thread(target=ask, args=(send, optum_auth))
        thread.start()
        thread.join()

    assert optum_auth.tokens[0].issued_at == NEW_YEAR


def test_pytest_freezer_steers_it(run: Run) -> None:
    pytest.importorskip("pytest_freezer")

    result = run(
        """
def test_it(optum_auth, freezer):
    freezer.move_to("2026-01-01")
    token = optum_auth.issue_token()
    assert token.issued_at.isoformat() == "2026-01-01T00:00:00+00:00"
""",
        "-p",
        "pytest_freezer",
    )

    result.assert_outcomes(passed=1)


# One clock a test.


def test_another_freezer_under_the_clock_is_an_error_at_the_next_move(optum_clock: Clock) -> None:
    with freeze_time("2030-01-01"):
        for move in (
            optum_clock.tick,
            lambda: optum_clock.move_to(0),
            lambda: optum_clock.now,
        ):
            with pytest.raises(RuntimeError, match=whole(HIDDEN)):
                move()

    optum_clock.tick()


def test_pytest_freezer_under_the_clock_is_an_error(run: Run) -> None:
    pytest.importorskip("pytest_freezer")

    result = run(
        """
def test_it(optum_clock, freezer):
    optum_clock.tick()
""",
        "-p",
        "pytest_freezer",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E*RuntimeError: {HIDDEN}"])


@pytest.mark.parametrize("sleep_moves", [False, True])
def test_time_machine_under_the_clock_travels_and_is_an_error_at_the_next_move(
    sleep_moves: bool, optum_clock: Clock
) -> None:
    time_machine = pytest.importorskip("time_machine")
    optum_clock.sleep_moves = sleep_moves
    optum_clock.move_to("2031-01-01T00:00:00Z")

    with time_machine.travel(NEW_YEAR, tick=False):
        assert time.time() == dt.datetime.now(dt.timezone.utc).timestamp() == NEW_YEAR.timestamp()
        assert dt.datetime.now().timestamp() == NEW_YEAR.timestamp()
        with pytest.raises(RuntimeError, match=whole(HIDDEN)):
            optum_clock.tick()
        time.sleep(0.01)
        asyncio.run(asyncio.sleep(0.01))

    assert optum_clock.now.year == 2031
    assert optum_clock.time == time.time()


def test_a_clock_inside_a_travel_of_time_machine_is_a_clock() -> None:
    time_machine = pytest.importorskip("time_machine")

    with time_machine.travel(NEW_YEAR, tick=False):
        with Clock() as clock:
            clock.tick(5)
            assert clock.time == time.time() == NEW_YEAR.timestamp() + 5
            assert dt.datetime.now().timestamp() == NEW_YEAR.timestamp() + 5
            with clock.real():
                assert time.time() == NEW_YEAR.timestamp()
        assert time.time() == NEW_YEAR.timestamp()


def test_a_clock_inside_a_freezer_starts_where_that_one_stands() -> None:
    with freeze_time("2026-01-01") as outer:
        with Clock() as clock:
            assert clock.now == NEW_YEAR
            clock.tick(60)
            assert time.time() == NEW_YEAR.timestamp() + 60
        assert time.time() == NEW_YEAR.timestamp()
        outer.tick(dt.timedelta(seconds=5))
        assert time.time() == NEW_YEAR.timestamp() + 5


def test_a_freezer_after_the_clock_is_what_it_always_was() -> None:
    with Clock(0):
        pass

    with freeze_time("2026-01-01", tick=False):
        assert time.time() == NEW_YEAR.timestamp()


def test_a_thing_among_the_modules_that_has_no_names_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "no_module_at_all", object())

    with Clock(0):
        assert time.time() == 0


def test_a_thing_among_the_modules_that_has_nothing_to_show_now_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a proxy of werkzeug outside of a request."""

    class Proxy:
        @property
        def __dict__(self) -> dict[str, object]:
            raise RuntimeError("outside of a request")

    monkeypatch.setitem(sys.modules, "no_module_now", Proxy())

    with Clock(0):
        assert time.time() == 0


@pytest.mark.parametrize("name", ["client", "polars", "time_machine"])
def test_a_module_that_raises_on_each_look_at_it_is_no_trouble(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Raises(ModuleType):
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    module = Raises(name)
    monkeypatch.setitem(sys.modules, name, module)

    with Clock(0):
        assert time.time() == 0
    with pytest.raises(RuntimeError):
        module.anything  # noqa: B018


def test_a_freezer_is_on_top_until_another_starts() -> None:
    freezer = Freezer(NEW_YEAR)
    freezer.start()
    try:
        freezer.check_on_top()
        with freeze_time("2030-01-01"), pytest.raises(RuntimeError, match=whole(HIDDEN)):
            freezer.check_on_top()
    finally:
        freezer.stop()


def test_pytests_own_durations_are_real_under_the_clock(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
def test_it(optum_clock):
    optum_clock.tick(86400)
""",
        "--durations=0",
        "-vv",
    )

    shown = [
        line.split()[0] for line in result.outlines if line.endswith("::test_it") and "s " in line
    ]
    assert shown
    assert all(float(each.rstrip("s")) < 60 for each in shown)
