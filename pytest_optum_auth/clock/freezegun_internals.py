"""freezegun's inside, as far as this project needs it: here and nowhere else.

freezegun does the freezing: it knows who is on top when freezers are nested, and what else in the
standard library has to be told. Its stand-ins for the clock functions and classes are replaced by
ours (:mod:`.readings`), which tell local time, genuine dates and, at their end, no error. Each name
of ``freezegun.api`` that stands here has a test that fails when it changes:

* ``freeze_factories``: who is on top;
* ``real_time`` and its kin, ``real_date``, ``real_datetime``: what it replaces;
* ``fake_time`` and its kin, ``FakeDate``, ``FakeDatetime``: what it replaces them by;
* ``pickle_fake_date``, ``pickle_fake_datetime``: how a date is pickled meanwhile;
* ``FrozenDateTimeFactory``: where it asks for the time;
* ``sys``: the modules that it goes through, one by one, which costs nearly all of its time;
* ``freezegun.config``: ``settings.default_ignore_list`` and ``DEFAULT_IGNORE_LIST``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final

import freezegun
from freezegun import api, config

FUNCTIONS: Final = (
    "time",
    "time_ns",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "perf_counter_ns",
    "localtime",
    "gmtime",
    "strftime",
)
GENUINE: Final[dict[str, Callable[..., Any]]] = {
    name: vars(api)[f"real_{name}"] for name in FUNCTIONS
}
# Its own stand-ins, for when a freezer of its own is on top.
THEIRS: Final[dict[str, Callable[..., Any]]] = {
    name: vars(api)[f"fake_{name}"] for name in FUNCTIONS
}


class Genuine:
    """The classes. In a namespace of a module they would be replaced by whoever freezes next."""

    Date = api.real_date
    DateTime = api.real_datetime


class Their:
    """The classes that stand in for them when a freezer of its own is on top."""

    Date: Any = api.FakeDate
    DateTime: Any = api.FakeDatetime


def users_ignore_list() -> tuple[str, ...]:
    """What the user has added to the modules that are to see the real time."""
    return tuple(set(config.settings.default_ignore_list) - set(config.DEFAULT_IGNORE_LIST))


def is_frozen() -> bool:
    """Whether any freezer has started."""
    return bool(api.freeze_factories)


def is_on_top(factory: object) -> bool:
    """Whether ``factory`` is asked, or nobody."""
    # A slice, since another thread may stop the last one meanwhile.
    top = api.freeze_factories[-1:]
    return not top or top[0] is factory


class Freeze:
    """One freeze of freezegun's, told by ``factory`` (naive UTC), with these stand-ins."""

    def __init__(
        self,
        factory: Callable[[], dt.datetime],
        stand_ins: Mapping[str, object],
        pickled: Callable[[Any], object],
    ) -> None:
        self._freeze = freezegun.freeze_time(Genuine.DateTime(2000, 1, 1))
        self._names = {
            **{f"fake_{name}": stand_ins[name] for name in FUNCTIONS},
            "FakeDate": stand_ins["date"],
            "FakeDatetime": stand_ins["datetime"],
            "pickle_fake_date": pickled,
            "pickle_fake_datetime": pickled,
            "FrozenDateTimeFactory": lambda _: factory,
            "sys": SimpleNamespace(modules={}),
        }

    def start(self) -> None:
        """Let freezegun freeze the standard library, but none of the other modules."""
        with self._replaced():
            self._freeze.start()

    def stop(self) -> None:
        """Undo :meth:`start`."""
        with self._replaced():
            self._freeze.stop()

    @contextlib.contextmanager
    def _replaced(self) -> Iterator[None]:
        genuine = {name: vars(api)[name] for name in self._names}
        vars(api).update(self._names)
        try:
            yield
        finally:
            vars(api).update(genuine)


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
