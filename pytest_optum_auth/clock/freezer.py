"""freezegun, as this project needs it.

Five things that freezegun's public interface does not offer stand here and nowhere else, with a
test each that fails when freezegun changes:

* ``freezegun.api.call_stack_inspection_limit``: freezegun looks five frames up the stack for
  modules that are to see the real time. ``threading`` is one of them, so in a thread of the
  client under test ``time.time()`` would be real. While a clock runs, only the immediate caller
  counts: a wait inside ``threading`` still times out, the code that a thread runs is frozen.
* ``freezegun.api.ignore_lists``: which modules those are. freezegun's own list holds whole packages
  (``multiprocessing``), through which a function handed to a pool would see the real time.
* ``freezegun.api.freeze_factories``: which freezer is on top.
* ``freezegun.api.sys``: the modules that freezegun goes through.
* ``freezegun.api.real_datetime``: the class that it replaces.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import freezegun
from freezegun import api

_UTC: Final = dt.timezone.utc
# Modules that keep the clock functions which they imported: they wait with a timeout, or, as
# pytest does, measure how long a test takes.
_KEEP: Final = ["subprocess", "socketserver", "trio.", "_pytest."]
# Modules that look the clock functions up when they call them. The dot keeps a user's
# `asyncio_client` frozen: freezegun compares beginnings.
_REAL_FOR: Final = (
    "asyncio.",
    "concurrent.futures._base",
    "multiprocessing.connection",
    "multiprocessing.managers",
    "multiprocessing.queues",
    "trio._core.",
    "_pytest.",
)


class Freezer:
    """The frozen time. Not reentrant: :class:`~pytest_optum_auth.Clock` sees to that."""

    def __init__(self, start: dt.datetime) -> None:
        self._freeze = freezegun.freeze_time(start.replace(tzinfo=None), ignore=list(_KEEP))
        self._factory: Any = None
        self._limit = 0

    def start(self) -> None:
        """Freeze the time."""
        self._limit = api.call_stack_inspection_limit
        self._names = set(sys.modules)
        # Inside another freezer freezegun replaces nothing, and a look would find its replacements.
        readers = {} if api.freeze_factories else _clock_readers()
        with _only_modules(readers):
            self._factory = self._freeze.start()
        api.call_stack_inspection_limit = 1
        api.ignore_lists[-1] = _REAL_FOR
        _running.append(self)

    def stop(self) -> None:
        """Let time run again."""
        _running.remove(self)
        api.call_stack_inspection_limit = self._limit
        loaded = {name: sys.modules[name] for name in sys.modules.keys() - self._names}
        with _only_modules(loaded):
            self._freeze.stop()

    def now(self) -> dt.datetime:
        """The frozen time (aware UTC)."""
        moment: dt.datetime = self._factory()
        return moment.replace(tzinfo=_UTC)

    def move_to(self, moment: dt.datetime) -> None:
        """Set the frozen time."""
        # A timedelta, since freezegun parses what else it is given.
        self._factory.tick(moment - self.now())

    def is_on_top(self) -> bool:
        """Whether no other freezer hides this one."""
        return api.freeze_factories[-1:] == [self._factory]

    def check_on_top(self) -> None:
        """``RuntimeError`` when another freezer hides this one."""
        if not self.is_on_top():
            raise RuntimeError(
                "another freezer (freeze_time or pytest-freezer) has started while optum_clock "
                "runs and hides its moves: use one clock a test"
            )


def _clock_readers() -> dict[str, ModuleType]:
    """The loaded modules that may hold a clock function or class of the standard library."""
    wanted = {id(each) for each in api.real_date_objects}
    found = {}
    for name, module in list(sys.modules.items()):
        namespace = getattr(module, "__dict__", {})
        if type(module) is not ModuleType or "__dir__" in namespace:
            # It may have names that its namespace does not tell of.
            found[name] = module
            continue
        names = tuple(namespace)
        known, holds = _looked_at.get(name, ((), False))
        # Like freezegun, which looks at a module again when its names are others.
        if names != known:
            holds = not wanted.isdisjoint(map(id, namespace.values()))
            _looked_at[name] = (names, holds)
        if holds:
            found[name] = module
    return found


@contextlib.contextmanager
def _only_modules(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """For freezegun, ``modules`` are all that are loaded.

    It lists and hashes every name of every module on each start, which is nearly all that a
    frozen test costs; a look at the objects alone finds the same places.
    """
    genuine = vars(api)["sys"]
    vars(api)["sys"] = SimpleNamespace(modules=modules)
    try:
        yield
    finally:
        vars(api)["sys"] = genuine


@contextlib.contextmanager
def genuine_datetime() -> Iterator[None]:
    """Inside, ``datetime.datetime`` is the standard library's own, whoever has frozen it.

    For libraries in C that keep the class which they meet first.
    """
    frozen = dt.datetime
    vars(dt)["datetime"] = api.real_datetime
    try:
        yield
    finally:
        vars(dt)["datetime"] = frozen


_running: Final[list[Freezer]] = []
# What a look at a module has found, by its name: a cache and nothing else.
_looked_at: Final[dict[str, tuple[tuple[str, ...], bool]]] = {}


def running() -> Freezer | None:
    """The freezer of the clock that runs, or ``None``."""
    return _running[-1] if _running else None
