"""The same suite of a team by hand and with the plugin: whole processes, and its tests alone.

Its APIs are stubbed with responses, respx or pytest-httpx on both sides. By hand a stub answers at
the token endpoint as well and freezegun stops the time; with the plugin its fake and its clock do.
Beside it the suite where nothing but the token's stub has changed.
"""

from __future__ import annotations

import functools
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import CONTROL, Figure, ratios

_TESTS = Path(__file__).parent.parent / "tests"
_SUITES = {"responses": [], "respx": ["respx.plugin"], "pytest_httpx": ["pytest_httpx"]}
_BY_HAND = ["team_suites.by_hand"]
_OURS = ["pytest_optum_auth.plugin", "team_suites.with_optum_clock"]
_STUB_ALONE = ["pytest_optum_auth.plugin", "team_suites.with_optum_auth"]
_STOPWATCH = """
import time
import pytest

spent = 0

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol():
    global spent
    # No freezer replaces process_time.
    started = time.process_time_ns()
    result = yield
    spent += time.process_time_ns() - started
    return result

def pytest_sessionfinish():
    with open("spent.txt", "w") as file:
        file.write(str(spent / 1e9))
"""


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of each suite."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "stopwatch.py").write_text(_STOPWATCH)
        (directory / "pytest.ini").write_text("[pytest]\n")
        for suite, plugins in _SUITES.items():
            for what, run in (("whole process", _process), ("its tests", _tests)):
                seconds = functools.partial(run, directory, suite, plugins)
                by_hand = functools.partial(seconds, _BY_HAND)
                contenders = {
                    "ours": functools.partial(seconds, _OURS),
                    "with freezegun": functools.partial(seconds, _STUB_ALONE),
                    CONTROL: by_hand,
                }
                seen = ratios(by_hand, contenders, rounds)
                name = f"suite over {suite}, {what} / by hand"
                yield Figure(name, seen.pop("ours"), 0.9, seen)


def _process(directory: Path, suite: str, tool: list[str], variant: list[str]) -> float:
    before = _children()
    _run(directory, suite, [*tool, "team_suites.clients", *variant])
    return _children() - before


def _tests(directory: Path, suite: str, tool: list[str], variant: list[str]) -> float:
    _run(directory, suite, ["stopwatch", *tool, "team_suites.clients", *variant])
    return float((directory / "spent.txt").read_text())


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _run(directory: Path, suite: str, plugins: list[str]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pytest.ini"]
    command += ["--confcutdir", str(_TESTS / "team_suites")]
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # Each `-p` looks through all that is installed, for which a suite has no need of its own.
        "PYTEST_PLUGINS": ",".join(plugins),
        "PYTHONPATH": os.pathsep.join([str(_TESTS), str(directory)]),
    }
    command.append(str(_TESTS / "team_suites" / f"suite_with_{suite}.py"))
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
