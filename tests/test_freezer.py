"""The private side of freezegun that the clock relies on: each of these breaks when it changes."""

from __future__ import annotations

import datetime as dt
import sys
import time
from types import ModuleType
from typing import Any

import freezegun
import pytest
from freezegun import api

from pytest_optum_auth.clock.freezer import _KEEP, Freezer

NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


@pytest.fixture
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the user's, loaded and empty, of a name that nothing has met yet."""
    module = ModuleType(request.node.name)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def frozen_places(freeze: Any) -> set[tuple[str, str]]:
    changes = freeze.undo_changes
    return {(module.__name__, name) for module, name, _ in changes}


def when_frozen(module: ModuleType) -> float:
    """The time that ``module`` tells in a freeze at the new year."""
    freezer = Freezer(NEW_YEAR)
    freezer.start()
    now: float = module.now()
    freezer.stop()
    return now


def test_the_same_places_are_frozen_as_by_freezegun_alone() -> None:
    alone = freezegun.freeze_time("2026-01-01", ignore=list(_KEEP))
    with freezegun.freeze_time("2026-01-01"):
        """Looking at every name, freezegun loads what a module would have loaded later."""
    alone.start()
    expected = frozen_places(alone)
    alone.stop()

    freezer = Freezer(NEW_YEAR)
    freezer.start()
    places = frozen_places(freezer._freeze)
    freezer.stop()

    assert places == expected
    assert len(places) > 5


def test_a_clock_function_that_a_module_gets_between_two_freezes_is_found(
    module: ModuleType,
) -> None:
    first = Freezer(NEW_YEAR)
    first.start()
    first.stop()
    vars(module)["now"] = time.time

    assert when_frozen(module) == NEW_YEAR.timestamp()
    assert module.now is time.time


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
    before = (api.sys, api.call_stack_inspection_limit, list(api.ignore_lists), time.time)
    freezer = Freezer(NEW_YEAR)
    freezer.start()
    during = (api.sys, api.call_stack_inspection_limit, list(api.ignore_lists), time.time)
    freezer.stop()
    after = (api.sys, api.call_stack_inspection_limit, list(api.ignore_lists), time.time)

    assert after == before
    assert during != before
    assert during[0] is sys
