"""``Clock``: time stands still, moves when told, and everybody sees the same."""

from __future__ import annotations

import calendar
import datetime as dt
import importlib
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime
from time import monotonic, time_ns
from typing import Any

import pytest
from token_requests import ask
from transports_under_test import send_with_requests as send

from pytest_optum_auth import Clock, FakeOptum

UTC = dt.timezone.utc


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


EPOCH_OF_NEW_YEAR = 1767225600


at_new_year = pytest.mark.optum_clock("2026-01-01T00:00:00Z")


def seconds(value: float) -> dt.timedelta:
    return dt.timedelta(seconds=value)


def test_it_starts_at_the_real_time_in_whole_seconds() -> None:
    before = time.time()
    with Clock() as clock:
        started = clock.time
    after = time.time()

    assert int(before) <= started <= after
    assert started == int(started)


@pytest.fixture
def far_east() -> Iterator[None]:
    """A machine whose local time is nine hours ahead of UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone is the machine's own")
@pytest.mark.usefixtures("far_east")
def test_the_real_time_that_it_starts_at_is_utc() -> None:
    before = time.time()
    with Clock() as clock:
        assert int(before) <= clock.time <= before + 60
    assert time.localtime(0).tm_hour == 9


@pytest.mark.parametrize(
    "start",
    [
        NEW_YEAR,
        datetime(2026, 1, 1, 1, tzinfo=dt.timezone(seconds(3600))),
        "2026-01-01T00:00:00Z",
        " 2026-01-01T01:00:00+01:00 ",
        "2025-12-31 19:00:00-05:00",
        "2026-01-01t00:00:00z",
        EPOCH_OF_NEW_YEAR,
        float(EPOCH_OF_NEW_YEAR),
    ],
    ids=repr,
)
def test_it_starts_at_any_spelling_of_a_moment(start: Any) -> None:
    with Clock(start) as clock:
        assert clock.now == NEW_YEAR
        assert clock.time == EPOCH_OF_NEW_YEAR


@at_new_year
def test_the_marker_starts_it_elsewhere(optum_clock: Clock) -> None:
    assert optum_clock.now == NEW_YEAR
    assert optum_clock.now.utcoffset() == seconds(0)


READINGS: dict[str, Callable[[], float]] = {
    "time.time": lambda: time.time(),
    "time.time_ns": lambda: time.time_ns() / 10**9,
    "imported time_ns": lambda: time_ns() / 10**9,
    "datetime.now": lambda: datetime.now(UTC).timestamp(),
    "datetime.now, local": lambda: datetime.now().timestamp(),
    "datetime.utcnow": lambda: calendar.timegm(time.gmtime()),
    "time.localtime": lambda: time.mktime(time.localtime()),
    "date.today": lambda: calendar.timegm(date.today().timetuple()),
}


@at_new_year
@pytest.mark.usefixtures("optum_clock")
@pytest.mark.parametrize("reading", READINGS)
def test_every_clock_of_the_standard_library_agrees(reading: str) -> None:
    assert READINGS[reading]() == EPOCH_OF_NEW_YEAR


@at_new_year
@pytest.mark.parametrize("reading", ["time.time", "time.time_ns", "datetime.now"])
def test_every_clock_moves_with_it(reading: str, optum_clock: Clock) -> None:
    optum_clock.tick(1.5)

    assert READINGS[reading]() == EPOCH_OF_NEW_YEAR + 1.5


@pytest.mark.parametrize(
    "read", [time.monotonic, time.perf_counter, monotonic], ids=["monotonic", "perf", "imported"]
)
@pytest.mark.usefixtures("optum_clock")
def test_a_monotonic_clock_kept_from_before_is_the_real_one(read: Callable[[], float]) -> None:
    """Functions kept in arguments or attributes cannot be frozen: the README says so."""
    first = read()
    time.sleep(0.001)

    assert read() > first


def test_monotonic_and_perf_counter_move_as_far_as_told(optum_clock: Clock) -> None:
    before = (time.monotonic(), time.perf_counter(), monotonic())
    optum_clock.tick(7.25)
    after = (time.monotonic(), time.perf_counter(), monotonic())

    assert [b - a for a, b in zip(before, after, strict=True)] == [7.25] * 3


def test_nothing_moves_by_itself(optum_clock: Clock) -> None:
    before = (time.time(), time.monotonic(), datetime.now(UTC), optum_clock.now)
    time.sleep(0.01)

    assert (time.time(), time.monotonic(), datetime.now(UTC), optum_clock.now) == before


@at_new_year
@pytest.mark.parametrize("delta", [90, 90.0, seconds(90)])
def test_tick_takes_seconds_and_timedeltas(delta: Any, optum_clock: Clock) -> None:
    optum_clock.tick(delta)

    assert optum_clock.now == NEW_YEAR + seconds(90)


@at_new_year
def test_tick_moves_by_a_second_when_nothing_is_said(optum_clock: Clock) -> None:
    optum_clock.tick()

    assert optum_clock.time == EPOCH_OF_NEW_YEAR + 1


@at_new_year
def test_many_small_ticks_add_up_exactly(optum_clock: Clock) -> None:
    for _ in range(1000):
        optum_clock.tick(0.001)

    assert optum_clock.now == NEW_YEAR + seconds(1)


@at_new_year
@pytest.mark.parametrize(
    "moment",
    ["2026-03-04T05:06:07+00:00", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), 1772600767],
    ids=repr,
)
def test_move_to_takes_any_spelling_of_a_moment(moment: Any, optum_clock: Clock) -> None:
    optum_clock.move_to(moment)

    assert optum_clock.now == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@at_new_year
@pytest.mark.parametrize("move", ["tick", "move_to"])
def test_moving_back_takes_monotonic_along_and_is_said(
    move: str, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    before = time.monotonic()
    if move == "tick":
        optum_clock.tick(-3600)
    else:
        optum_clock.move_to("2025-12-31T23:00:00Z")

    assert time.monotonic() == before - 3600
    assert time.time() == EPOCH_OF_NEW_YEAR - 3600
    assert optum_auth.timeline() == "-3600 s  -- clock -3600 s (back)"


@at_new_year
def test_moves_are_said_in_the_timeline_where_they_happened(
    optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_clock.tick(0)
    optum_clock.tick(0.25)
    ask(send, optum_auth)
    optum_clock.move_to("2026-01-02T00:00:00Z")

    assert optum_auth.timeline().splitlines() == [
        "+0.250 s  -- clock +0.25 s",
        "+0.250 s  requests  POST …/sntl/v1/token  200  issued token #1",
        "+86400 s  -- clock +86399.75 s",
    ]


def test_a_clock_that_starts_inside_a_fake_says_where(optum_auth: FakeOptum) -> None:
    with Clock("2026-01-01T00:00:00.500000Z"):
        told = optum_auth.timeline()

    assert told.endswith("-- clock starts at 2026-01-01T00:00:00.500000Z")


def test_time_runs_again_afterwards() -> None:
    real = (time.time, time.monotonic, time.sleep, dt.datetime, datetime)
    with Clock(0):
        assert time.time() == 0
    first = time.monotonic()
    time.sleep(0.001)

    assert time.monotonic() > first
    assert time.time() > EPOCH_OF_NEW_YEAR
    assert (time.time, time.monotonic, time.sleep, dt.datetime, datetime) == real


def test_a_module_imported_under_the_clock_runs_again_afterwards(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"late_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text("from time import time\nfrom datetime import datetime\n")
    monkeypatch.syspath_prepend(tmp_path)

    with Clock(0):
        late = importlib.import_module(name)
        assert (late.time(), late.datetime.now(UTC).timestamp()) == (0, 0)

    assert late.time is time.time
    assert late.datetime is dt.datetime
    del sys.modules[name]


def test_entering_a_clock_twice_is_harmless() -> None:
    with Clock(0) as clock:
        with clock as again:
            assert again is clock
        assert time.time() == 0
    assert time.time() > 0


def test_leaving_a_clock_twice_is_harmless() -> None:
    clock = Clock(0)
    with clock:
        pass
    clock.__exit__(None, None, None)

    with clock:
        assert time.time() == 0


def test_it_tells_what_it_is() -> None:
    clock = Clock("2026-01-01T00:00:00Z")
    before = repr(clock)
    with clock:
        inside = repr(clock)

    assert (before, inside, repr(clock)) == (
        "<Clock, not running>",
        "<Clock at 2026-01-01T00:00:00Z>",
        "<Clock, not running>",
    )
