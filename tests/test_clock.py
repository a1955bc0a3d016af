"""``Clock``: time stands still, moves when told, and everybody sees the same."""

from __future__ import annotations

import calendar
import datetime as dt
import importlib
import sys
import time
import uuid
from collections.abc import Callable
from datetime import date, datetime
from time import monotonic, time_ns
from typing import Any

import pytest
from token_requests import ask
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum

UTC = dt.timezone.utc
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH_OF_NEW_YEAR = 1767225600
at_new_year = pytest.mark.optum_clock("2026-01-01T00:00:00Z")


def seconds(value: float) -> dt.timedelta:
    return dt.timedelta(seconds=value)


# Standing still and moving.


def test_it_starts_at_the_real_time_in_whole_seconds() -> None:
    before = time.time()
    with Clock() as clock:
        started = clock.time
    after = time.time()

    assert int(before) <= started <= after
    assert started == int(started)


@pytest.mark.parametrize(
    "start",
    [
        NEW_YEAR,
        datetime(2026, 1, 1, 1, tzinfo=dt.timezone(seconds(3600))),
        "2026-01-01T00:00:00Z",
        " 2026-01-01T01:00:00+01:00 ",
        "2025-12-31 19:00:00-05:00",
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


# Tokens.


@pytest.mark.parametrize("by", [0, 1, 30])
@at_new_year
def test_expire_token_moves_to_the_first_second_it_is_not_honoured(
    by: int, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.issue_token()

    optum_clock.expire_token(by=by)

    assert optum_clock.now == NEW_YEAR + seconds(7200 + by)


@at_new_year
def test_it_knows_the_lifetime_and_the_clock_skew(
    optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.lifetime, optum_auth.clock_skew = 3600, 300
    optum_auth.issue_token()

    optum_clock.expire_token()

    assert optum_clock.now == NEW_YEAR + seconds(3600)


@at_new_year
def test_it_takes_another_token_than_the_last(optum_clock: Clock, optum_auth: FakeOptum) -> None:
    first = optum_auth.issue_token(expires_in=60)
    optum_auth.issue_token()

    optum_clock.expire_token(first)

    assert optum_clock.now == NEW_YEAR + seconds(60)


@at_new_year
def test_expire_token_only_ever_moves_forward(optum_clock: Clock, optum_auth: FakeOptum) -> None:
    optum_auth.issue_token(expires_in=60)
    optum_clock.tick(100)

    optum_clock.expire_token()

    assert optum_clock.now == NEW_YEAR + seconds(100)
    optum_clock.expire_token(by=50)
    assert optum_clock.now == NEW_YEAR + seconds(110)


@at_new_year
@pytest.mark.parametrize(("arguments", "left"), [({}, 1), ({"margin": 60}, 60), ({"margin": 0}, 0)])
def test_nearly_expire_token_leaves_a_margin(
    arguments: dict[str, int], left: int, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.issue_token()

    optum_clock.nearly_expire_token(**arguments)

    assert optum_clock.now == NEW_YEAR + seconds(7200 - left)


@at_new_year
def test_nearly_expire_token_past_its_margin_is_refused(
    optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.issue_token()
    optum_clock.nearly_expire_token(margin=30)

    with pytest.raises(ValueError, match=whole(
        "the token is within 31 s of its end already: use move_to() to go back"
    )):  # fmt: skip
        optum_clock.nearly_expire_token(margin=31)
    optum_clock.nearly_expire_token(margin=30)


@pytest.mark.parametrize("name", ["expire_token", "nearly_expire_token"])
def test_before_any_token_exists_there_is_nothing_to_expire(
    name: str, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    message = (
        "no token was issued yet: let the client make a request or use optum_auth.issue_token() "
        "first"
    )

    with pytest.raises(ValueError, match=whole(message)):
        getattr(optum_clock, name)()


@pytest.mark.parametrize("name", ["expire_token", "nearly_expire_token"])
def test_without_a_fake_there_is_nothing_to_expire(name: str, optum_clock: Clock) -> None:
    with pytest.raises(
        ValueError, match=whole("no FakeOptum is active: ask for optum_auth as well")
    ):
        getattr(optum_clock, name)()


@at_new_year
def test_the_token_of_a_fake_that_is_not_active_is_refused(
    optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    token = FakeOptum().issue_token()
    message = (
        "<Token #1 of 'optum-test-client-1', expires 2026-01-01 02:00:00+00:00> was not issued by "
        "a fake that is active"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_clock.expire_token(token)


@at_new_year
def test_the_token_of_an_outer_fake_is_known(optum_clock: Clock, optum_auth: FakeOptum) -> None:
    token = optum_auth.issue_token(expires_in=60)
    with FakeOptum():
        optum_clock.expire_token(token)

    assert optum_clock.now == NEW_YEAR + seconds(60)


# What makes no sense.

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
        (dt.datetime(2026, 1, 1), NAIVE),
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
    ],
)
def test_what_is_no_moment_is_refused(moment: Any, reason: str) -> None:
    message = whole(f"{moment!r} {reason}")

    with pytest.raises(ValueError, match=message):
        Clock(moment)
    with Clock(0) as clock:
        with pytest.raises(ValueError, match=message):
            clock.move_to(moment)
        assert clock.time == 0


@pytest.mark.parametrize("delta", ["60", None, True, float("inf"), float("nan")])
def test_what_is_no_span_is_refused(delta: Any, optum_clock: Clock) -> None:
    message = whole(f"{delta!r} is no span of time: give seconds or a timedelta")
    before = optum_clock.now

    with pytest.raises(ValueError, match=message):
        optum_clock.tick(delta)

    assert optum_clock.now == before


@pytest.mark.parametrize("delta", [10**15, -(10**15), 1e300, dt.timedelta.max])
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
