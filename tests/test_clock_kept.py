"""Clock functions that a client has kept since it was loaded: they tell the time of the clock."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import functools
import sched
import time
from collections.abc import Callable
from datetime import datetime
from types import CellType, FunctionType
from typing import ClassVar, NamedTuple

import pytest

from pytest_optum_auth import Clock

UTC = dt.timezone.utc
NEW_YEAR = datetime(2031, 1, 1, tzinfo=UTC)

utcnow = datetime.utcnow


def by_default(now: Callable[[], float] = time.time) -> float:
    return now()


def by_a_keyword(*, now: Callable[[], float] = time.time) -> float:
    return now()


def by_the_class(of: type[datetime] = datetime) -> float:
    return of.now(UTC).timestamp()


async def in_a_coroutine(now: Callable[[], float] = time.time) -> float:
    return now()


def made_by(now: Callable[[], float]) -> Callable[[], float]:
    return lambda: now()


in_a_closure = made_by(time.time)


def decorated(function: Callable[[], float]) -> Callable[[], float]:
    @functools.wraps(function)
    def call() -> float:
        return function()

    return call


@decorated
def by_a_default_under_a_decorator(now: Callable[[], float] = time.time) -> float:
    return now()


def bare(function: Callable[..., float]) -> Callable[..., float]:
    return lambda *args: function(*args)


@bare
def by_a_default_under_a_bare_decorator(now: Callable[[], float] = time.time) -> float:
    return now()


class Wrapper:
    """A decorator that is a class."""

    def __init__(self, function: Callable[[], float]) -> None:
        functools.update_wrapper(self, function)

    def __call__(self) -> float:
        read: Callable[[], float] = vars(self)["__wrapped__"]
        return read()


@Wrapper
def by_a_default_under_an_object(now: Callable[[], float] = time.time) -> float:
    return now()


@functools.lru_cache(maxsize=0)
def by_a_default_under_a_cache(now: Callable[[], float] = time.time) -> float:
    return now()


@dataclasses.dataclass
class Token:
    """As clients keep one."""

    at: float = dataclasses.field(default_factory=time.time)
    issued: datetime = dataclasses.field(default_factory=datetime.now)


class Named(NamedTuple):
    """What it is made by is of no module."""

    now: Callable[[], float] = time.time


class Client:
    now = time.time
    static = staticmethod(time.time)
    moment: ClassVar[type[datetime]] = datetime
    token = Token

    class Inner:
        now = time.time

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock

    def by_its_method(self, now: Callable[[], float] = time.time) -> float:
        return now()

    @property
    def by_a_property(self, now: Callable[[], float] = time.time) -> float:
        return now()

    @functools.cached_property
    def by_a_cached_property(self, now: Callable[[], float] = time.time) -> float:
        return now()

    @bare
    def by_a_decorated_method(self, now: Callable[[], float] = time.time) -> float:
        return now()

    @classmethod
    def by_its_class(cls, now: Callable[[], float] = time.time) -> float:
        return now()

    @staticmethod
    def by_nobody(now: Callable[[], float] = time.time) -> float:
        return now()


READS: dict[str, Callable[[], float]] = {
    "a default argument": lambda: by_default(),
    "a keyword's default": lambda: by_a_keyword(),
    "a default class": lambda: by_the_class(),
    "a coroutine's default": lambda: asyncio.run(in_a_coroutine()),
    "a closure": lambda: in_a_closure(),
    "a field's factory": lambda: Token().at,
    "a field's factory of the class": lambda: Token().issued.timestamp(),
    "an attribute of a class": lambda: Client().now(),
    "a static method": lambda: Client().static(),
    "a class in a class": lambda: Client.moment.now(UTC).timestamp(),
    "a default under a decorator": lambda: by_a_default_under_a_decorator(),
    "a default under a cache": lambda: by_a_default_under_a_cache(),
    "a default under a bare decorator": lambda: by_a_default_under_a_bare_decorator(),
    "a default under an object": lambda: by_a_default_under_an_object(),
    "a property's default": lambda: Client().by_a_property,
    "a cached property's default": lambda: Client().by_a_cached_property,
    "a decorated method's default": lambda: Client().by_a_decorated_method(),
    "a default of a class of another module's making": lambda: Named().now(),
    "an attribute of an inner class": lambda: Client.Inner().now(),
    "a default of __init__": lambda: Client().clock(),
    "a method's default": lambda: Client().by_its_method(),
    "a class method's default": lambda: Client.by_its_class(),
    "a static method's default": lambda: Client.by_nobody(),
    "a method of the class": lambda: utcnow().replace(tzinfo=UTC).timestamp(),
}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")
@pytest.mark.parametrize("kept", list(READS))
def test_it_tells_the_time_of_each_clock_and_the_real_time_without_one(kept: str) -> None:
    for year in (2031, 2032):
        with Clock(datetime(year, 1, 1, tzinfo=UTC)) as clock:
            assert READS[kept]() == clock.time
            clock.tick(3600)
            assert READS[kept]() == clock.time
        assert abs(READS[kept]() - time.time()) < 60


class Stopwatch:
    read = staticmethod(time.perf_counter)


@pytest.mark.optum_clock(NEW_YEAR)
@pytest.mark.usefixtures("optum_clock")
def test_who_measures_by_what_he_has_kept_measures_in_real_time() -> None:
    assert Stopwatch.read() < Stopwatch.read() < time.perf_counter() == NEW_YEAR.timestamp()


def test_what_was_kept_is_the_genuine_one_again() -> None:
    with Clock(0):
        pass

    assert by_default.__defaults__ == Client.__init__.__defaults__ == (time.time,)
    assert by_a_keyword.__kwdefaults__ == {"now": time.time}
    assert vars(Client)["now"] is vars(Client)["static"].__func__ is time.time
    assert type(time.time) is type(len)


def test_a_client_that_was_made_under_a_clock_tells_the_real_time_after_it() -> None:
    with Clock(NEW_YEAR):
        client = Client()
        assert client.clock() == NEW_YEAR.timestamp()

    assert abs(client.clock() - time.time()) < 60


@pytest.mark.optum_clock(NEW_YEAR)
def test_a_class_of_the_standard_library_too(optum_clock: Clock) -> None:
    called: list[str] = []
    scheduler = sched.scheduler()
    scheduler.enter(60, 1, called.append, ("due",))
    scheduler.run(blocking=False)
    assert called == []
    optum_clock.tick(60)
    scheduler.run(blocking=False)

    assert called == ["due"]


def test_what_somebody_has_replaced_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "now", time.time)

    with Clock(0):
        monkeypatch.setattr(Client, "now", lambda _: 5.0)

    assert Client().now() == 5


too_early = FunctionType(in_a_closure.__code__, globals(), "too_early", None, (CellType(),))


def test_a_closure_that_holds_nothing_is_no_trouble() -> None:
    with Clock(0), pytest.raises(NameError):
        too_early()


class Incomparable(type):
    """Its classes have no hash, equal nothing that one could ask for, and tell nobody whose."""

    __module__ = property(lambda cls: 1 / 0)
    __dict__ = property(lambda cls: 1 / 0)
    __eq__ = None


class Marker(metaclass=Incomparable):
    """As expression languages have them."""

    __eq__ = None


marker = Marker()


class Holder:
    mark: ClassVar = marker

    def read(self, now: Callable[[], float] = time.time, mark: Marker = marker) -> float:
        return now()


def test_what_cannot_be_compared_is_no_trouble() -> None:
    with Clock(0):
        read = Holder().read()

    assert (read, Holder.mark is marker) == (0, True)


before_the_clock = {"now": time.time}
partial = functools.partial(time.time)
client_from_before = Client()


@pytest.mark.optum_clock(NEW_YEAR)
@pytest.mark.usefixtures("optum_clock")
@pytest.mark.parametrize(
    "read",
    [
        lambda: before_the_clock["now"](),
        lambda: partial(),
        lambda: client_from_before.clock(),
    ],
    ids=["a container", "a partial", "a client from before"],
)
def test_what_objects_have_kept_tells_the_real_time(read: Callable[[], float]) -> None:
    assert read() < NEW_YEAR.timestamp()
