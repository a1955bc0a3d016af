"""A test with a frozen clock, against one that uses pytest-freezer."""

from __future__ import annotations

import datetime as dt
import importlib
import itertools
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from types import ModuleType

from benchmarks.measure import Figure, cpu_seconds

_TESTS = {"freezer": "freezer", "ours": "optum_clock", "time_machine": "time_machine_travel"}
_HEADER = """
import pytest
import time_machine

@pytest.fixture
def time_machine_travel():
    with time_machine.travel(1_700_000_000, tick=False):
        yield
"""


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of the clock."""
    for wanted in (400, 1500):
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as process:
            seen, modules = process.submit(_ratios, wanted, rounds).result()
        yield Figure(
            f"a test with optum_clock / one with freezer, {modules:,} modules",
            seen.pop("ours"),
            0.45,
            seen,
        )
    yield from _readings()


def _readings() -> Iterator[Figure]:
    """Reading the time under the clock, against reading it under freezegun."""
    import freezegun

    from pytest_optum_auth import Clock

    for name, read in (
        ("time.time()", lambda: time.time()),
        ("time.monotonic()", lambda: time.monotonic()),
        ("datetime.now()", lambda: dt.datetime.now()),
        ("datetime.now(timezone.utc)", lambda: dt.datetime.now(dt.timezone.utc)),
    ):
        ratios = []
        for _ in range(5):
            with freezegun.freeze_time("2026-01-01"):
                theirs = cpu_seconds(read, 5_000)
            with Clock("2026-01-01T00:00:00Z"):
                ours = cpu_seconds(read, 5_000)
            ratios.append(ours / theirs)
        yield Figure(f"{name} under optum_clock / under freezegun", statistics.median(ratios), 1.3)


def _ratios(wanted: int, rounds: int) -> tuple[dict[str, float], int]:
    """The ratios, and how many modules there really were: pytest itself loads over 400."""
    from benchmarks.in_process_pytest import seconds_by_kind

    for name in ("freezegun", "time_machine", "pytest_optum_auth.clock"):
        importlib.import_module(name)
    _load(wanted)
    seconds = seconds_by_kind(_TESTS, ["optum_auth", "pytest_freezer"], rounds * 2, _HEADER)
    freezer = seconds.pop("freezer")
    seen = {
        kind: statistics.median(a / b for a, b in zip(values, freezer, strict=True))
        for kind, values in seconds.items()
    }
    return seen, len(sys.modules)


def _load(modules: int) -> None:
    """Let as many modules be loaded: copies of those that are, since their size counts."""
    real = [m for m in list(sys.modules.values()) if type(m) is ModuleType]
    for number, module in zip(itertools.count(), itertools.cycle(real), strict=False):
        if len(sys.modules) >= modules:
            return
        copy = ModuleType(f"loaded_module_{number}")
        vars(copy).update({k: v for k, v in vars(module).items() if k != "__name__"})
        sys.modules[copy.__name__] = copy
