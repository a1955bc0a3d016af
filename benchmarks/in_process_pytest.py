"""Many small tests in one run of pytest in this process, and the CPU time of each."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest


class _Stopwatch:
    """A plugin that notes the CPU seconds of each test, from set-up to the last report."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        # No freezer replaces process_time.
        started = time.process_time_ns()
        result = yield
        kind = item.name.rpartition("_")[0].removeprefix("test_")
        self.seconds.setdefault(kind, []).append((time.process_time_ns() - started) / 1e9)
        return result


def seconds_by_kind(
    tests: Mapping[str, str], plugins: list[str], rounds: int, header: str = ""
) -> dict[str, list[float]]:
    """CPU seconds of each test, by kind; the kinds take turns.

    ``tests`` maps a kind to the parameters of its test function, ``plugins`` names what pytest
    loads beside its own, ``header`` is the beginning of the test file.
    """
    stopwatch = _Stopwatch()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_all.py").write_text("\n".join((header, *_functions(tests, rounds))))
        arguments = ["-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
        for plugin in plugins:
            arguments += ["-p", plugin]
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = pytest.main(arguments, plugins=[stopwatch])
    if status != 0:
        raise RuntimeError(output.getvalue()[-2000:])
    # The first round pays for the imports, and the last test for the end of the module.
    return {kind: seconds[1:-1] for kind, seconds in stopwatch.seconds.items()}


def _functions(tests: Mapping[str, str], rounds: int) -> Iterator[str]:
    """Test functions in which the kinds take turns; which one is first changes."""
    kinds = list(tests)
    for number in range(rounds):
        turn = number % len(kinds)
        for kind in (*kinds[turn:], *kinds[:turn]):
            yield f"def test_{kind}_{number}({tests[kind]}):\n    pass\n"
