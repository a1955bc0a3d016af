"""An empty test file, with the plugin and without: CPU time of the process, modules added.

Every other plugin that is installed is switched off, on both sides.
"""

from __future__ import annotations

import functools
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from benchmarks.measure import CONTROL, Figure, ratios

OURS = "optum_auth"
PEERS = {
    "pytest-httpx": "pytest_httpx",
    "respx": "respx.plugin",
    "pytest-freezer": "pytest_freezer",
}
_LIST_MODULES = """
import sys

def pytest_sessionfinish():
    with open("modules.txt", "w") as file:
        file.write("\\n".join(sys.modules))
"""


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of start-up."""
    # Of a plugin the name under which it is switched off.
    names = {entry.value: entry.name for entry in entry_points(group="pytest11")}
    peers = {peer: names[module] for peer, module in PEERS.items() if module in names}
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "test_empty.py").write_text("")
        run = functools.partial(_seconds, directory, list(names.values()))
        contenders = {name: functools.partial(run, name) for name in (OURS, *peers.values())}
        seen = ratios(run, {**contenders, CONTROL: run}, rounds)
        yield Figure(
            "start-up of an empty test file / without the plugin",
            seen[OURS],
            1.02,
            {CONTROL: seen[CONTROL], **{peer: seen[name] for peer, name in peers.items()}},
        )
        (directory / "conftest.py").write_text(_LIST_MODULES)
        added = {name: _added(directory, list(names.values()), name) for name in contenders}
        yield Figure(
            "modules that start-up loads in addition",
            added[OURS],
            5,
            {peer: added[name] for peer, name in peers.items()},
            unit="modules",
        )


def _seconds(directory: Path, installed: list[str], plugin: str = "") -> float:
    before = _children()
    _run(directory, installed, plugin)
    return _children() - before


def _children() -> float:
    """CPU seconds of the processes that have ended; ``os.times`` counts in hundredths."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _added(directory: Path, installed: list[str], plugin: str) -> int:
    loaded = []
    for wanted in (plugin, ""):
        _run(directory, installed, wanted)
        loaded.append(set((directory / "modules.txt").read_text().split("\n")))
    return len(loaded[0] - loaded[1])


def _run(directory: Path, installed: list[str], plugin: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    for name in installed:
        if name != plugin:
            command += ["-p", f"no:{name}"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 5:  # 5: no tests were collected
        raise RuntimeError(done.stdout + done.stderr)
