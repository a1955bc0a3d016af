"""All readings of a clock that stands still agree, as on a real clock, in every time zone."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import freezegun
import hypothesis
import hypothesis.strategies
import pytest

from pytest_optum_auth import Clock

UTC = dt.timezone.utc
needs_zones = pytest.mark.skipif(
    not hasattr(time, "tzset"), reason="the time zone is the machine's own"
)
# Deprecated since Python 3.12, and client code is full of it.
calls_utcnow = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")
# A zone, and moments of it (UTC), those around each change of its clocks above all.
ZONES = {
    "UTC": ["2026-07-01T02:00:00Z"],
    # 02:00 becomes 03:00; 02:00 becomes 01:00 again.
    "America/New_York": [
        "2026-07-01T02:00:00Z",
        "2026-03-08T06:59:59Z",
        "2026-03-08T07:00:00Z",
        "2026-11-01T05:30:00Z",
        "2026-11-01T06:30:00Z",
    ],
    "Asia/Kolkata": ["2026-07-01T02:00:00Z"],
    # By half an hour.
    "Australia/Lord_Howe": [
        "2026-04-04T14:59:59Z",
        "2026-04-04T15:00:00Z",
        "2026-10-03T15:29:59Z",
        "2026-10-03T15:30:00Z",
    ],
}
# As numbers of seconds since 1970, each in its own way; all of a second that has begun.
WALL: dict[str, Callable[[], float]] = {
    "time.time": lambda: time.time(),
    "time.time_ns": lambda: time.time_ns() / 10**9,
    "datetime.now": lambda: dt.datetime.now().timestamp(),
    "datetime.now, aware": lambda: dt.datetime.now(UTC).timestamp(),
    "datetime.now, astimezone": lambda: dt.datetime.now().astimezone().timestamp(),
    "datetime.today": lambda: dt.datetime.today().timestamp(),
    "datetime.fromtimestamp": lambda: dt.datetime.fromtimestamp(time.time()).timestamp(),
    "time.localtime": lambda: time.mktime(time.localtime()),
    "time.localtime(None)": lambda: time.mktime(time.localtime(None)),
}
LOCAL: dict[str, Callable[[], str]] = {
    "datetime.now": lambda: dt.datetime.now().ctime(),
    "datetime.now, astimezone": lambda: dt.datetime.now(UTC).astimezone().ctime(),
    "time.ctime": lambda: time.ctime(),
    "time.asctime": lambda: time.asctime(),
    "time.strftime": lambda: time.strftime("%c"),
    "time.localtime": lambda: time.asctime(time.localtime()),
    "date.today": lambda: dt.date.today().ctime()[:10] + dt.datetime.now().ctime()[10:],
}
ABSOLUTE: dict[str, Callable[[], str]] = {
    "datetime.now, aware": lambda: dt.datetime.now(UTC).ctime(),
    "datetime.utcnow": lambda: dt.datetime.utcnow().ctime(),
    "time.gmtime": lambda: time.asctime(time.gmtime()),
}


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """``zone(name)``: the machine stands there."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@needs_zones
@calls_utcnow
@pytest.mark.parametrize(
    ("name", "moment"), [(name, moment) for name, moments in ZONES.items() for moment in moments]
)
def test_readings_agree(name: str, moment: str, zone: Callable[[str], None]) -> None:
    zone(name)
    with Clock(moment) as clock:
        wall = {reading: read() for reading, read in WALL.items()}
        local = {reading: read() for reading, read in LOCAL.items()}
        absolute = {reading: read() for reading, read in ABSOLUTE.items()}
        offset = dt.datetime.now().astimezone().utcoffset()
        shown = clock.time

    # Said without a clock: the genuine functions of the moment itself.
    assert wall == dict.fromkeys(wall, shown)
    assert local == dict.fromkeys(local, time.ctime(shown))
    assert absolute == dict.fromkeys(absolute, time.asctime(time.gmtime(shown)))
    assert offset == dt.timedelta(seconds=time.localtime(shown).tm_gmtoff)


@needs_zones
def test_the_hour_that_comes_twice_is_told_apart(zone: Callable[[str], None]) -> None:
    zone("America/New_York")
    with Clock("2026-11-01T05:30:00Z") as clock:
        first = dt.datetime.now()
        clock.tick(3600)
        second = dt.datetime.now()

    assert (first.fold, second.fold) == (0, 1)
    assert first == second
    assert second.timestamp() - first.timestamp() == 3600


@needs_zones
def test_a_token_that_a_client_keeps_in_local_time_is_renewed_in_time(
    zone: Callable[[str], None],
) -> None:
    zone("America/New_York")
    with Clock("2026-07-01T02:00:00Z") as clock:
        end = dt.datetime.now().astimezone() + dt.timedelta(seconds=7200)
        clock.tick(7199)
        assert dt.datetime.now(UTC) < end
        clock.tick(1)
        assert dt.datetime.now(UTC) >= end


MONOTONIC: dict[str, Callable[[], float]] = {
    "monotonic": lambda: time.monotonic(),
    "monotonic_ns": lambda: time.monotonic_ns() / 10**9,
    "perf_counter": lambda: time.perf_counter(),
    "perf_counter_ns": lambda: time.perf_counter_ns() / 10**9,
    "clock_gettime": lambda: time.clock_gettime(time.CLOCK_MONOTONIC),
    "clock_gettime_ns": lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC) / 10**9,
    "clock_gettime, wall": lambda: time.clock_gettime(time.CLOCK_REALTIME),
}


@pytest.mark.parametrize(
    "reading", [name for name in MONOTONIC if hasattr(time, name.partition(",")[0])]
)
def test_what_measures_moves_as_far_as_told(reading: str, optum_clock: Clock) -> None:
    before = MONOTONIC[reading]()
    optum_clock.tick(7.25)

    assert MONOTONIC[reading]() - before == 7.25


@pytest.mark.optum_clock(10**9)
@pytest.mark.usefixtures("optum_clock")
@pytest.mark.parametrize(
    "name",
    [name for name in vars(time) if name.startswith("CLOCK_") and "CPUTIME" not in name],
)
def test_every_clock_of_the_system_stands_still(name: str) -> None:
    assert time.clock_gettime(vars(time)[name]) == 10**9


@pytest.mark.skipif(not hasattr(time, "clock_gettime"), reason="not on this system")
def test_the_time_of_the_processor_is_real(optum_clock: Clock) -> None:
    before = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
    before_ns = time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)
    sum(range(100_000))

    assert time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) > before
    assert time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID) > before_ns


@pytest.mark.optum_clock("2026-07-01T02:00:00Z")
@pytest.mark.usefixtures("optum_clock")
def test_a_moment_that_is_given_is_that_moment() -> None:
    assert time.gmtime(0)[:6] == (1970, 1, 1, 0, 0, 0)
    assert time.localtime(0) == time.localtime(0.5)
    assert time.ctime(0) == time.asctime(time.localtime(0))
    assert time.strftime("%Y", time.gmtime(0)) == "1970"


@pytest.mark.usefixtures("optum_clock")
@pytest.mark.parametrize(
    "read",
    [
        lambda: time.time(1),
        lambda: time.asctime(None),
        lambda: time.strftime("%Y", None),
        lambda: time.strftime(),
    ],
    ids=["time", "asctime", "strftime", "strftime of nothing"],
)
def test_what_a_real_reading_refuses_is_refused(read: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        read()


# Dates are genuine, and the classes are to everybody who asks.


@pytest.mark.optum_clock("2026-07-01T02:00:00Z")
@pytest.mark.usefixtures("optum_clock")
@pytest.mark.parametrize(
    "make",
    [
        lambda: dt.datetime.now(),
        lambda: dt.datetime.now(UTC),
        lambda: dt.datetime.today(),
        lambda: dt.datetime(2026, 1, 1),
        lambda: dt.datetime.fromisoformat("2026-01-01"),
        lambda: dt.datetime.strptime("2026", "%Y"),
        lambda: dt.datetime.combine(dt.date(2026, 1, 1), dt.time()),
        lambda: dt.datetime.now() + dt.timedelta(1),
        lambda: dt.datetime.now().replace(year=2030),
        lambda: dt.datetime.now().astimezone(),
        lambda: dt.datetime.max,
        lambda: pickle.loads(pickle.dumps(dt.datetime.now(UTC))),
        lambda: copy.deepcopy(dt.datetime.now(UTC)),
    ],
    ids=range(13),
)
def test_a_datetime_is_a_genuine_one(make: Callable[[], object]) -> None:
    assert type(make()) is type(Genuine.moment)
    assert isinstance(make(), dt.datetime)
    assert isinstance(make(), dt.date)


class Genuine:
    """Made where no clock runs."""

    moment = dt.datetime(2026, 1, 1)
    day = dt.date(2026, 1, 1)


@pytest.mark.usefixtures("optum_clock")
def test_a_date_is_a_genuine_one() -> None:
    for made in (dt.date.today(), dt.date(2026, 1, 1), pickle.loads(pickle.dumps(Genuine.day))):
        assert type(made) is type(Genuine.day)
        assert isinstance(made, dt.date)
        assert not isinstance(made, dt.datetime)


@pytest.mark.usefixtures("optum_clock")
def test_the_classes_are_the_genuine_ones_to_everybody_who_asks() -> None:
    genuine = type(Genuine.moment)

    assert dt.datetime == genuine
    assert genuine == dt.datetime
    assert dt.datetime == dt.datetime
    assert dt.datetime != dt.date
    assert {genuine: "hook"}[dt.datetime] == {dt.datetime: "hook"}[genuine] == "hook"
    assert issubclass(genuine, dt.datetime)
    assert issubclass(dt.datetime, dt.date)
    assert not issubclass(dt.date, dt.datetime)
    assert repr(dt.datetime) == "<class 'datetime.datetime'>"


def test_what_is_pickled_under_a_clock_is_read_without_one() -> None:
    with Clock("2026-07-01T02:00:00Z") as clock:
        written = pickle.dumps([clock.now, dt.date.today(), dt.datetime, time.time, time.sleep])
    program = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()), *sys.modules)"

    read = subprocess.run(
        [sys.executable, "-S", "-c", program], input=written, capture_output=True, check=True
    ).stdout.decode()

    assert read.startswith("[datetime.datetime(2026, 7, 1, 2, 0, tzinfo=datetime.timezone.utc)")
    assert "freezegun" not in read


def test_a_thread_that_pickles_while_a_clock_stops_meets_the_genuine_classes(
    optum_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [optum_clock.now, dt.date.today()]
    for moment, name in zip(moments, ("datetime", "date"), strict=True):
        monkeypatch.setattr(dt, name, type(moment))

    assert pickle.loads(pickle.dumps(moments)) == moments


def test_a_subclass_that_is_made_under_a_clock() -> None:
    with Clock("2026-07-01T02:00:00Z") as clock:

        class Stamp(dt.datetime):
            pass

        class Day(dt.date):
            pass

        moments = [Stamp.now(UTC), Stamp.now(), Stamp.today(), Stamp(2026, 1, 1)]
        assert all(type(moment) is Stamp for moment in moments)
        assert moments[0] == clock.now
        assert type(Day.today()) is Day
        assert isinstance(moments[0], Stamp)
        assert not isinstance(clock.now, Stamp)
        assert issubclass(Stamp, dt.datetime)
        assert not issubclass(dt.datetime, Stamp)
        assert Stamp == Stamp != Day
        assert len({Stamp, Day, Stamp}) == 2

    assert abs(Stamp.now().timestamp() - time.time()) < 60
    assert abs(Stamp.today().timestamp() - time.time()) < 60
    assert Day.today() == dt.date.today()


@calls_utcnow
def test_what_somebody_keeps_from_a_clock_tells_the_real_time_after_it() -> None:
    with Clock(0):

        class Kept:
            time, sleep, moment, day = time.time, time.sleep, dt.datetime, dt.date

    first = Kept().time()
    Kept().sleep(0)
    assert abs(first - time.time()) < 60
    assert abs(Kept.moment.now().timestamp() - first) < 60
    assert abs(Kept.moment.utcnow().replace(tzinfo=UTC).timestamp() - first) < 60
    assert Kept.moment.today() - Kept.moment.now() < dt.timedelta(minutes=1)
    assert Kept.day.today() == dt.date.today()
    with Clock(5):
        assert Kept().time() == 5


@calls_utcnow
def test_under_another_freezer_the_readings_are_its(optum_clock: Clock) -> None:
    with freezegun.freeze_time("2030-01-01T12:00:00", tz_offset=-4):
        assert (dt.datetime.now().hour, dt.datetime.today().hour) == (8, 8)
        assert dt.datetime.utcnow().hour == 12
        assert dt.datetime.fromtimestamp(time.time()) == dt.datetime.now()
        assert dt.date.today().isoformat() == "2030-01-01"
        assert time.time() == 1893499200
        assert time.gmtime()[:4] == (2030, 1, 1, 12)

    assert time.time() == optum_clock.time


def test_inside_another_freezer_the_readings_are_the_clocks() -> None:
    with freezegun.freeze_time("2030-01-01") as outer:
        with Clock("2026-07-01T02:00:00Z") as clock:
            wall = [read() for read in WALL.values()]
            assert wall == [clock.time] * len(wall)
            assert type(dt.datetime.now()) is type(Genuine.moment)
        assert time.time() == outer().replace(tzinfo=UTC).timestamp()
        assert isinstance(dt.datetime.now(), freezegun.api.FakeDatetime)


def test_time_that_flows() -> None:
    with Clock("2026-07-01T02:00:00Z", tick=True) as clock:
        started = clock.now
        time.sleep(0.01)
        assert clock.now - started >= dt.timedelta(seconds=0.01)
        assert clock.now < dt.datetime(2026, 7, 1, 2, 1, tzinfo=UTC)
        clock.move_to("2031-01-01T00:00:00Z")
        clock.tick(60)
        first = time.time()
        assert 60 <= first - 1924992000 < 120
        time.sleep(0.01)
        assert time.time() >= first + 0.01


def test_the_real_time_inside_a_clock() -> None:
    genuine = dt.datetime
    with Clock(0) as clock:
        with clock.real():
            with clock.real():
                assert time.time() > 10**9
            assert dt.datetime is genuine
            clock.tick(5)
            assert clock.time == 5
        assert time.time() == 5
        with clock.real():
            clock.__exit__(None, None, None)
    assert dt.datetime is genuine


@pytest.mark.optum_clock(0, tick=True, sleep_moves=True)
def test_the_marker_takes_all_of_it(optum_clock: Clock) -> None:
    time.sleep(3600)
    assert 3600 <= optum_clock.time < 3660


def test_a_loop_that_spins_is_told(optum_clock: Clock, optum_auth: Any) -> None:
    deadline = time.monotonic() + 1
    turns = 0
    while time.monotonic() < deadline and turns < 10_500:
        turns += 1

    assert optum_auth.timeline().splitlines() == [
        "+0 s  -- the same time was read 10,000 times in a row: a loop that waits for another one "
        "never ends while the clock stands still (sleep_moves=True lets its sleeps move it)"
    ]


def test_a_clock_that_moves_is_not_stuck(optum_clock: Clock, optum_auth: Any) -> None:
    for _ in range(11):
        for _ in range(1000):
            time.time()
        optum_clock.tick(0.001)

    assert "in a row" not in optum_auth.timeline()


# Who sees the real time.


def module_of_the_user(name: str) -> Any:
    """With functions of its own that read the time."""
    module = types.ModuleType(name)
    source = "import time, datetime\ndef read(): return time.time()\n"
    source += "def today(): return datetime.datetime.now()\ndef call(f): return f()\n"
    exec(source, vars(module))
    return module


def read_for(module: Any) -> float:
    reading: float = module.read()
    return reading


@pytest.fixture
def waiter() -> Iterator[Any]:
    freezegun.configure(extend_ignore_list=["waiter_of"])
    yield module_of_the_user("waiter_of_the_user")
    freezegun.config.reset_config()


def test_the_ignore_list_of_the_user_counts(waiter: Any) -> None:
    with Clock("2026-07-01T02:00:00Z") as clock:
        assert abs(waiter.read() - clock.time) > 3600
        assert abs(waiter.today().timestamp() - clock.time) > 3600
        assert read_for(module_of_the_user("another")) == clock.time


def test_what_a_module_of_that_list_calls_sees_the_real_time_too(waiter: Any) -> None:
    """As with freezegun: up to five frames above."""
    with Clock("2026-07-01T02:00:00Z") as clock:
        assert abs(waiter.call(module_of_the_user("another").read) - clock.time) > 3600
        assert abs(waiter.call(lambda: waiter.read()) - clock.time) > 3600


def test_a_reader_near_the_end_of_the_stack_is_told(waiter: Any) -> None:
    found: list[float] = []
    with Clock(5):
        thread = threading.Thread(target=lambda: found.append(time.time()))
        thread.run = lambda: found.append(time.time())
        thread.start()
        thread.join()

    assert found == [5]


@pytest.mark.parametrize("name", ["github_client", "hypothesis_of_mine", "asyncio_client"])
def test_a_name_that_only_begins_like_a_library_is_frozen(name: str) -> None:
    with Clock(5):
        assert module_of_the_user(name).read() == 5


@pytest.mark.parametrize(
    "name", ["gi.repository", "hypothesis.core", "asyncio.base_events", "timeit"]
)
def test_what_waits_or_measures_sees_the_real_time(name: str) -> None:
    with Clock(5):
        assert module_of_the_user(name).read() > 5


@hypothesis.settings(deadline=200, max_examples=5)
@hypothesis.given(hypothesis.strategies.integers(1, 7200))
def test_the_deadline_of_hypothesis_does_not_see_a_moved_clock(seconds: int) -> None:
    with Clock() as clock:
        clock.tick(seconds)
