"""``--optum-live=require``: the run fails unless every live test in it really ran."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

import pytest

from .. import mode as live_mode

#: Report attribute that tells live tests from others, in the controller of xdist too.
LIVE_REPORT: Final = "optum_live"
# In a module that has not been executed, its text is all there is to see.
_LIVE_NAMES: Final = re.compile(rb"\boptum_(live|target)\b")


class Verdict:
    """Counts the live tests that ran, in the process that decides the exit code."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ran: set[str] = set()
        self._not_run: dict[str, None] = {}
        self._sentence = ""

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
        if report.skipped and _speaks_of_live_tests(self._root / report.nodeid):
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
            return (
                f"--optum-live=require: these live tests were skipped: {names}. Let them run, or "
                "leave them out of this run (-m, -k, --deselect)."
            )
        if self._ran:
            return ""
        missing = live_mode.missing_credentials(os.environ)
        hint = f" Also, {live_mode.missing_sentence(missing)}." if missing else ""
        return (
            "--optum-live=require: no live test ran. Select at least one test with the marker "
            "optum_live or the fixture optum_live (look at the paths, -m, -k and --lf), or use "
            f"--optum-live=auto.{hint}"
        )


def _speaks_of_live_tests(path: Path) -> bool:
    modules = path.rglob("*.py") if path.is_dir() else [path]
    return any(_LIVE_NAMES.search(each.read_bytes()) for each in modules if each.is_file())
