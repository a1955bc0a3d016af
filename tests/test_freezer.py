"""The private side of freezegun that the clock relies on: each of these breaks when it changes."""

from __future__ import annotations

import copyreg
import datetime as dt
import sys
import time
from types import ModuleType

import freezegun
import pytest
from freezegun import api, config

from pytest_optum_auth import Clock
from pytest_optum_auth.clock.dates import pickled
from pytest_optum_auth.clock.freezegun_internals import FUNCTIONS
from pytest_optum_auth.clock.freezer import Freezer
from pytest_optum_auth.clock.readings import STAND_INS
from pytest_optum_auth.clock.real_time import RealTime

NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


@pytest.fixture
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the user's, loaded and empty, of a name that nothing has met yet."""
    module = ModuleType(request.node.name)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def when_frozen(module: ModuleType) -> float:
    """The time that ``module`` tells in a freeze at the new year."""
    freezer = Freezer(NEW_YEAR)
    freezer.start()
    now: float = module.now()
    freezer.stop()
    return now


def test_who_asks_freezegun_is_told_the_time_of_the_clock() -> None:
    with Clock(NEW_YEAR) as clock:
        clock.tick(60)

        assert api.freeze_factories[-1]() == clock.now.replace(tzinfo=None)


def test_the_same_places_are_frozen_as_by_freezegun_alone() -> None:
    alone = freezegun.freeze_time("2026-01-01")
    with freezegun.freeze_time("2026-01-01"):
        """Looking at every name, freezegun loads what a module would have loaded later."""
    frozen = alone.start()
    assert frozen is api.freeze_factories[-1]
    expected = {
        (module.__name__, name)
        for module, name, _ in alone.undo_changes
        if isinstance(module, ModuleType) and not RealTime().keeps(module.__name__)
    }
    alone.stop()

    with Clock(NEW_YEAR):
        places = {
            (name, key)
            for name, module in list(sys.modules.items())
            for key, value in list(vars(module).items())
            if any(value is stand_in for stand_in in STAND_INS.values())
        }

    assert expected <= places
    assert len(expected) > 5


def test_a_clock_function_that_a_module_gets_between_two_freezes_is_found(
    module: ModuleType,
) -> None:
    first = Freezer(NEW_YEAR)
    first.start()
    first.stop()
    vars(module)["now"] = time.time

    assert when_frozen(module) == NEW_YEAR.timestamp()
    assert module.now is time.time


def test_a_clock_function_that_was_patched_away_in_an_earlier_freeze_is_found(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    vars(module)["time"] = time.time
    with monkeypatch.context() as patch:
        patch.setattr(module, "time", lambda: 5)
        with Clock(NEW_YEAR):
            assert module.time() == 5

    with Clock(NEW_YEAR):
        assert module.time() == NEW_YEAR.timestamp()


def test_a_module_that_has_taken_the_place_of_another_is_found(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    vars(module)["now"] = print
    with Clock(NEW_YEAR):
        pass
    again = ModuleType(module.__name__)
    monkeypatch.setitem(sys.modules, module.__name__, again)
    vars(again)["now"] = time.time

    assert when_frozen(again) == NEW_YEAR.timestamp()


def test_a_module_that_is_loaded_in_another_freeze_than_ours_is_frozen_later(
    module: ModuleType,
) -> None:
    inner = Freezer(NEW_YEAR)
    with freezegun.freeze_time("2030-01-01"):
        vars(module)["now"] = time.time
        inner.start()
        inner.stop()
    vars(module)["now"] = time.time

    assert when_frozen(module) == NEW_YEAR.timestamp()


def test_a_module_that_is_loaded_while_the_time_is_frozen_gets_the_real_functions_back() -> None:
    freezer = Freezer(NEW_YEAR)
    freezer.start()
    module = ModuleType("loaded_later")
    vars(module)["now"] = time.time
    sys.modules["loaded_later"] = module
    freezer.stop()
    del sys.modules["loaded_later"]

    assert module.now is time.time


def test_everything_of_freezegun_is_as_before_after_a_freeze() -> None:
    before = (dict(vars(api)), list(api.freeze_factories), time.time)
    freezer = Freezer(NEW_YEAR)
    freezer.start()
    during = (dict(vars(api)), list(api.freeze_factories), time.time)
    freezer.stop()
    after = (dict(vars(api)), list(api.freeze_factories), time.time)

    assert after == before
    assert during[1] == [freezer]
    assert during[2] is STAND_INS["time"]


def test_freezegun_has_the_names_that_we_take_from_its_inside() -> None:
    for name in FUNCTIONS:
        assert getattr(api, f"real_{name}") is getattr(time, name)
        assert callable(getattr(api, f"fake_{name}"))
    assert (api.real_date, api.real_datetime) == (dt.date, dt.datetime)
    assert issubclass(api.FakeDate, dt.date)
    assert issubclass(api.FakeDatetime, dt.datetime)
    assert callable(api.pickle_fake_date)
    assert callable(api.pickle_fake_datetime)
    assert callable(api.FrozenDateTimeFactory)
    assert api.sys is sys
    assert api.freeze_factories == []
    assert config.settings.default_ignore_list[:3] == config.DEFAULT_IGNORE_LIST[:3]


def test_it_installs_the_names_that_we_put_in_their_place() -> None:
    """A stand-in for each of them, so that nobody meets freezegun's own for a moment."""
    with Clock(NEW_YEAR):
        for name in FUNCTIONS:
            assert getattr(time, name) is STAND_INS[name]
        assert dt.datetime is STAND_INS["datetime"]
        assert dt.date is STAND_INS["date"]
        assert copyreg.dispatch_table[api.real_datetime] is pickled
        assert copyreg.dispatch_table[api.real_date] is pickled


def test_a_freezer_that_somebody_tears_down_fails_one_test_alone() -> None:
    clock = Clock(NEW_YEAR)
    clock.__enter__()
    api.freeze_factories.clear()
    with pytest.raises(IndexError):
        clock.__exit__(None, None, None)
    for stack in (api.ignore_lists, api.tick_flags, api.tz_offsets):
        stack.clear()

    with Clock(5) as clock:
        assert time.time() == clock.time == 5
    assert time.time() > 5
