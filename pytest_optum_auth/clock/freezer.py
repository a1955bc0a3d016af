"""The frozen time, and everything that has to be told of it: freezegun, modules, late imports."""

from __future__ import annotations

import datetime as dt
import functools
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Final

from . import dates, first_use, readings
from . import freezegun_internals as freezegun
from .kept import namespace_of
from .late_imports import LateImports
from .moments import EPOCH
from .names import Names
from .real_time import RealTime
from .shown_clock import SHOWN

_MICROSECOND: Final = dt.timedelta(microseconds=1)
# So often in a row the same time is told before a loop seems to wait for another.
STUCK: Final = 10_000
_GENUINE: Final = {id(stand_in): one for one, stand_in in readings.GENUINE_AND_STAND_IN}


class Freezer:
    """The frozen time. Not reentrant: :class:`~pytest_optum_auth.Clock` sees to that.

    With ``ticks`` it runs on. ``slept`` is asked whether a sleep moves the clock; ``stuck`` is
    called once when the same time has been told :data:`STUCK` times in a row.
    """

    def __init__(
        self,
        start: dt.datetime,
        *,
        ticks: bool = False,
        slept: Callable[[float], bool] = lambda seconds: False,
        stuck: Callable[[], None] = lambda: None,
    ) -> None:
        self.slept = slept
        self.is_on_top: Callable[[], bool] = functools.partial(freezegun.is_on_top, self)
        self._stuck = stuck
        self._monotonic_ns = freezegun.GENUINE["monotonic_ns"] if ticks else None
        self.move_to(start)
        self._freeze = freezegun.Freeze(self, readings.STAND_INS, dates.pickled)
        self._late_imports = LateImports(_GENUINE, self._freeze_late)
        self.is_shown = False

    def start(self) -> None:
        """Freeze the time."""
        self._real = RealTime(freezegun.users_ignore_list())
        # Not methods: each reading asks both.
        self.is_real_for: Callable[[FrameType], bool] = self._real.is_for
        self._modules = set(sys.modules)
        inside_another = freezegun.is_frozen()
        pairs = readings.GENUINE_AND_STAND_IN
        if inside_another:
            pairs = [*pairs, *readings.THEIRS_AND_STAND_IN]
        self._names = Names(pairs)
        first_use.use()
        self._freeze.start()
        # From here on there is something to stop, also when the rest fails.
        self.is_shown = True
        SHOWN.clock = self
        self._names.replace_everywhere(self._real.keeps, remember=not inside_another)
        self._late_imports.install()

    def stop(self) -> None:
        """Let time run again."""
        if not self.is_shown:
            return
        self._late_imports.remove()
        self.is_shown = False
        SHOWN.clock = None
        for name, module in list(sys.modules.items()):
            # By whatever way it has come in, and what it may have taken since.
            if name not in self._modules:
                self._freeze_in(module)
        self._names.put_back()
        self._freeze.stop()

    def nanoseconds(self) -> int:
        """The frozen time since 1970, told to a reader."""
        if self._monotonic_ns is not None:
            return self._nanoseconds()
        self._told += 1
        if self._told == STUCK:
            self._stuck()
        return self._base

    def now(self) -> dt.datetime:
        """The frozen time (aware UTC)."""
        return EPOCH + dt.timedelta(microseconds=self._nanoseconds() // 1000)

    def __call__(self) -> dt.datetime:
        """For freezegun (naive UTC)."""
        return self.now().replace(tzinfo=None)

    def is_seen(self) -> bool:
        """Whether the time is frozen and no other freezer hides it."""
        return self.is_shown and self.is_on_top() and not self._real.is_for_all()

    def check_on_top(self) -> None:
        """``RuntimeError`` when another freezer hides this one."""
        if self.is_shown and not self.is_seen():
            raise RuntimeError(
                "another freezer (freeze_time, pytest-freezer or time-machine) has started while "
                "optum_clock runs and hides its moves: use one clock a test"
            )

    def move_to(self, moment: dt.datetime) -> None:
        """Set the frozen time."""
        since = 0 if self._monotonic_ns is None else self._monotonic_ns()
        self._base = (moment - EPOCH) // _MICROSECOND * 1000 - since
        self._told = 0

    def _nanoseconds(self) -> int:
        return self._base if self._monotonic_ns is None else self._base + self._monotonic_ns()

    def _freeze_late(self, module: ModuleType) -> None:
        if module.__name__ in first_use.USES:
            first_use.use()
        if self.is_shown:
            self._freeze_in(module)

    def _freeze_in(self, module: ModuleType) -> None:
        namespace = namespace_of(module)
        if namespace is not None and not self._real.keeps(str(namespace.get("__name__"))):
            self._names.replace_in(namespace)
