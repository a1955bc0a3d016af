"""``--optum-live=require``: the run fails unless every live test in it really ran."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Set
from pathlib import Path
from typing import Any, Final

import pytest

from .. import mode as live_mode

#: Report attribute that tells live tests from others, in the controller of xdist too.
LIVE_REPORT: Final = "optum_live"
_LIVE_NAMES: Final = frozenset({live_mode.MARKER, "optum_target"})
_WAY_OUT: Final = "Let them run, or leave them out of this run (-m, -k, --deselect)."
# Where a name stands in a tree of Python: as itself, as an argument, behind a dot.
_WORDS: Final = ("id", "arg", "attr")


class Verdict:
    """Counts the live tests that ran, in the process that decides the exit code."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ran: set[str] = set()
        self._not_run: dict[str, None] = {}
        self._selected: list[str] = []
        self._sentence = ""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is to run; under xdist a worker that ends early is an error anyway."""
        self._selected = [item.nodeid for item in session.items if live_mode.is_live(item)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note whether the body of a live test was reached and not skipped."""
        if not getattr(report, LIVE_REPORT, False):
            return
        if report.when == "call" and (not report.skipped or hasattr(report, "wasxfail")):
            self._ran.add(report.nodeid)
        elif report.skipped:
            self._not_run[report.nodeid] = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module or folder that skips itself before its live tests are known.

        By ``importorskip`` above all, in a folder by that of its conftest.
        """
        if report.skipped and _speaks_of_live_tests(self._root, report.nodeid):
            self._not_run[report.nodeid] = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Turn a run that is green, or empty, into a failed one; other outcomes stay."""
        if session.config.getoption("collectonly", False):
            return
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            self._sentence = self._judge()
            if self._sentence:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say why the run failed."""
        if self._sentence:
            terminalreporter.section("optum live", red=True)
            terminalreporter.line(self._sentence)

    def _judge(self) -> str:
        """Why the run is not good enough; empty when it is."""
        if self._not_run:
            names = ", ".join(self._not_run)
            return f"--optum-live=require: these live tests were skipped: {names}. {_WAY_OUT}"
        if self._ran:
            names = ", ".join(name for name in self._selected if name not in self._ran)
            if not names:
                return ""
            return (
                f"--optum-live=require: the run ended without these live tests: {names}. {_WAY_OUT}"
            )
        missing = live_mode.missing_credentials(os.environ)
        hint = f" Also, {live_mode.missing_sentence(missing)}." if missing else ""
        return (
            "--optum-live=require: no live test ran. Select at least one test with the marker "
            "optum_live or the fixture optum_live (look at the paths, -m, -k and --lf), or use "
            f"--optum-live=auto.{hint}"
        )


def _speaks_of_live_tests(root: Path, nodeid: str) -> bool:
    """Whether what skips itself uses the sandbox, or a fixture of a conftest that does.

    It has not been executed: its text is all there is to see.
    """
    path = root / nodeid
    names = set(_LIVE_NAMES)
    for folder in reversed(path.parents):
        conftest = folder / "conftest.py"
        if folder.is_relative_to(root) and conftest.is_file():
            names |= _leading_to(names, ast.parse(conftest.read_bytes()))
    modules = path.rglob("*.py") if path.is_dir() else [path]
    word = re.compile(rf"\b({'|'.join(sorted(names))})\b".encode())
    return any(word.search(each.read_bytes()) for each in modules if each.is_file())


def _leading_to(names: Set[str], conftest: ast.Module) -> set[str]:
    """The fixtures and marks in ``conftest`` that use one of ``names``, or each other."""
    found: set[str] = set()
    # Twice: a fixture may use one that stands below it.
    for statement in conftest.body * 2:
        words = {getattr(node, field, "") for node in ast.walk(statement) for field in _WORDS}
        if not words.isdisjoint(names | found):
            found |= {getattr(each, "id", "") for each in getattr(statement, "targets", ())}
            found.add(getattr(statement, "name", ""))
    return {name for name in found if name and not name.startswith("pytest_")}
