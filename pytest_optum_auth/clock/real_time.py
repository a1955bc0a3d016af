"""Who sees the real time while a clock runs: what waits, and what measures the tests.

Everybody does while time-machine travels on top of the clock: it changes what the genuine functions
tell, and nobody else's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final

from .kept import namespace_of

# Each with all that stands below it; the dot lets `asyncio_client` be another one.
_WAITS_OR_MEASURES: Final = (
    "asyncio.",
    "concurrent.futures.",
    "multiprocessing.",
    "queue.",
    "socketserver.",
    "subprocess.",
    "threading.",
    "trio.",
    "_pytest.",
    "execnet.",
    "hypothesis.",
    "pytest_benchmark.",
    "pytest_timeout.",
    "timeit.",
    "xdist.",
    # What replaces them must know them.
    "freezegun.",
    "pytest_optum_auth.clock.",
    # freezegun's own list, beside what stands above.
    "django.utils.six.moves.",
    "gi.",
    "google.gax.",
    "nose.plugins.",
    "prompt_toolkit.",
    "selenium.",
    "six.moves.",
)
# A clock function that is itself handed to a pool or a thread is called by one of these.
_RUNS_OTHERS_CODE: Final = (
    "concurrent.futures.process.",
    "concurrent.futures.thread.",
    "multiprocessing.dummy.",
    "multiprocessing.pool.",
    "multiprocessing.process.",
    "threading.",
    "trio._threads.",
)
# How far up the stack freezegun looks for a module of the user's list.
_FRAMES: Final = 5


class RealTime:
    """The modules that see the real time; ``users`` are those of freezegun's configuration."""

    def __init__(self, users: Sequence[str] = ()) -> None:
        self._users = tuple(each for each in users if not _within(each, _WAITS_OR_MEASURES))
        self._callers: dict[object, bool] = {}
        self._inside_a_travel = _travels()

    def keeps(self, module: str) -> bool:
        """Whether ``module`` keeps the clock functions that it has imported."""
        return _within(module, _WAITS_OR_MEASURES) or module.startswith(self._users)

    def is_for_all(self) -> bool:
        """Whether time-machine has started to travel under the clock."""
        return _travels() and not self._inside_a_travel

    def is_for(self, frame: FrameType) -> bool:
        """Whether a call of a clock function from ``frame`` is told the real time."""
        if _travels() and not self._inside_a_travel:
            return True
        name = frame.f_globals.get("__name__")
        try:
            real = self._callers[name]
        except KeyError:
            real = self.keeps(str(name)) and not _within(str(name), _RUNS_OTHERS_CODE)
            self._callers[name] = real
        return self._is_called_by_users(frame) if self._users and not real else real

    def _is_called_by_users(self, frame: FrameType | None) -> bool:
        for _ in range(_FRAMES):
            if frame is None:
                return False
            if str(frame.f_globals.get("__name__")).startswith(self._users):
                return True
            frame = frame.f_back
        return False


def _travels() -> bool:
    library = sys.modules.get("time_machine")
    # Not while it loads itself.
    hatch = None if library is None else (namespace_of(library) or {}).get("escape_hatch")
    return hatch is not None and hatch.is_travelling()


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return f"{module}.".startswith(packages)
