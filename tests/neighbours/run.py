"""The neighbours' own test suites beside the plugin: without it, loaded and idle, and with a fake.

    python tests/neighbours/run.py [NAME ...]

Each suite comes with the source of the version that is installed, and is run three times. A test
whose outcome is another one beside the plugin is a fault of ours, unless it stands in ``KNOWN``
with its reason. Takes minutes, and downloads: `tox -e neighbours`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
# Where the tests stand, and options of the suite's own.
SUITES: dict[str, tuple[str, ...]] = {
    "responses": ("responses/tests",),
    "pytest-httpx": ("tests",),
    "requests-mock": ("tests",),
    "requests": ("tests",),
    "httpx": ("tests",),
    "aiohttp": (
        "tests/test_client_session.py",
        "tests/test_client_request.py",
        "tests/test_client_response.py",
        "tests/test_connector.py",
    ),
    "aioresponses": ("tests",),
    "Authlib": ("tests/clients",),
    "requests-oauthlib": ("tests",),
    "httpx-auth": ("tests",),
    "respx": ("tests",),
    "freezegun": ("tests",),
    "time-machine": ("tests",),
}
# Whose source distributions have no tests.
ARCHIVES = {
    "Authlib": "https://github.com/authlib/authlib/archive/refs/tags/v{}.tar.gz",
    "respx": "https://github.com/lundberg/respx/archive/refs/tags/{}.tar.gz",
    "time-machine": "https://github.com/adamchainz/time-machine/archive/refs/tags/{}.tar.gz",
}
# By suite, and a pattern of its tests: why they may end in another way beside the plugin.
KNOWN: dict[str, dict[str, str]] = {
    "httpx-auth": {"performances": "bounds its own time, which a busy machine exceeds in any way"},
}
WAYS: dict[str, tuple[list[str], dict[str, str]]] = {
    "without": (["-p", "no:optum_auth"], {}),
    "idle": ([], {}),
    "with a fake": ([], {"NEIGHBOURS_FAKE": "1"}),
}


class Difference(NamedTuple):
    """A test that ends in another way beside the plugin."""

    way: str
    test: str
    beside: str
    without: str


def main(names: list[str]) -> int:
    """Run the suites, all of them by default; the exit code."""
    unknown = False
    for name in names or SUITES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                source = unpacked(name, Path(folder))
            except (OSError, subprocess.CalledProcessError, ModuleNotFoundError) as why:
                print(f"{name}: not to be had ({why})", flush=True)
                unknown = True
                continue
            runs = {way: outcomes(name, source, way) for way in WAYS}
        print(f"{name}: {told(runs['without'])}", flush=True)
        for difference in differences(runs):
            reason = known(name, difference)
            unknown = unknown or reason is None
            print("  known:" if reason else "  NEW:", *difference, reason or "")
    return int(unknown)


def unpacked(name: str, folder: Path) -> Path:
    """The source of the version of ``name`` that is installed."""
    version = importlib.metadata.version(name)
    found = os.environ.get("NEIGHBOURS_SDISTS")
    if found is None:
        download(name, version, folder)
    normal = re.sub(r"[-_.]+", "[-_.]", f"{name}-{version}")
    pattern = re.compile(f"{normal}\\.tar\\.gz", re.IGNORECASE)
    [archive] = [p for p in Path(found or folder).iterdir() if pattern.fullmatch(p.name)]
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "source", filter="data")
    [source] = (folder / "source").iterdir()
    return source


def download(name: str, version: str, folder: Path) -> None:
    if name in ARCHIVES:
        urllib.request.urlretrieve(
            ARCHIVES[name].format(version), folder / f"{name}-{version}.tar.gz"
        )
        return
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name]
    subprocess.run([*pip, "--dest", str(folder), f"{name}=={version}"], check=True)


def outcomes(name: str, source: Path, way: str) -> dict[str, str]:
    """How each test of the suite ends."""
    # Beside its tests nothing of the source: the library is the installed one.
    folder = source.parent / way
    folder.mkdir()
    tops = {test.split("/")[0] for test in SUITES[name]}
    for top in tops | {"pyproject.toml", "setup.cfg", "pytest.ini"}:
        if (source / top).is_dir():
            shutil.copytree(source / top, folder / top)
        elif (source / top).exists():
            shutil.copy(source / top, folder)
    plugins, variables = WAYS[way]
    written = folder / "outcomes.json"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            *SUITES[name],
            *plugins,
            "-p",
            "outcomes",
            "--continue-on-collection-errors",
            "-p",
            "no:randomly",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:socket",
            "-o",
            "addopts=",
            "-W",
            "default",
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=1800,
        env={
            **os.environ,
            **variables,
            "NEIGHBOURS_OUTCOMES": str(written),
            "PYTHONPATH": str(HERE),
        },
    )
    found: dict[str, str] = json.loads(written.read_text()) if written.exists() else {}
    return {test.replace(str(folder), ""): end for test, end in found.items()}  # of parameters


def differences(runs: dict[str, dict[str, str]]) -> list[Difference]:
    """What ends in another way than without us."""
    without = runs["without"]
    return [
        Difference(way, test, run.get(test, "not run"), f"not {without.get(test, 'run')}")
        for way, run in runs.items()
        for test in sorted(without.keys() | run.keys())
        if without.get(test) != run.get(test)
    ]


def known(name: str, difference: Difference) -> str | None:
    """The reason of a difference that has one."""
    reasons = KNOWN.get(name, {})
    return next((why for part, why in reasons.items() if re.search(part, difference.test)), None)


def told(run: dict[str, str]) -> str:
    ends = list(run.values())
    return ", ".join(f"{ends.count(end)} {end}" for end in dict.fromkeys(ends)) or "no test ran"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
