"""A suite that prints ten megabytes: CPU time with credentials in the environment, and without.

Every other plugin that is installed is switched off, on both sides. A passing test's output is
dropped by pytest, and only what is shown is masked; with ``-rP`` everything is shown.
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

_SUITE = """
import pytest

LINE = "2026-01-01 10:00:00 INFO asked for member 1a2b3c4d, got 200 in 35 ms " * 15

@pytest.mark.parametrize("number", range(1000))
def test_it(number):
    for _ in range(10):
        print(LINE)
"""
_CREDENTIALS = {
    "OPTUM_CLIENT_ID": "a-client",
    # Made up for this measurement.
    "OPTUM_CLIENT_SECRET": "9Qx-vT&w7=Lk+Zp3%Rb8",
}
_OFF = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of masking."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_prints.py").write_text(_SUITE)
        for options, bound in (((), 1.05), (("-rP",), 2.0)):
            run = functools.partial(_seconds, Path(folder), options)
            contenders = {
                "live": functools.partial(run, _CREDENTIALS),
                "off": functools.partial(run, _CREDENTIALS, "--optum-live=off"),
                CONTROL: run,
            }
            seen = ratios(run, contenders, max(rounds // 3, 1))
            yield Figure(
                f"printing 10 MB{' under ' if options else ''}{' '.join(options)}, with "
                "credentials / without",
                seen["live"],
                bound,
                {CONTROL: seen[CONTROL], "--optum-live=off": seen["off"]},
            )


def _seconds(
    directory: Path, options: tuple[str, ...], variables: dict[str, str] | None = None, *more: str
) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {name: v for name, v in os.environ.items() if not name.startswith("OPTUM_")}
    plugins = ("-p", "no:cacheprovider", "-p", "pytest_optum_auth.plugin")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *options, *more],
        cwd=directory,
        env={**environment, **_OFF, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
