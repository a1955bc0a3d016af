"""The table at the end of a contract run: each promise, kept or broken, on the fake and live."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from typing import Any, Final

import pytest

from ... import outcome_table
from ..sandbox.http import LiveError

#: Report attribute: ``[line, promise, source, side, outcome, why no answer]``, plain values that
#: xdist can send.
_ROW: Final = "optum_contract_row"
_SOURCE: Final = "Source: "
_MODULE: Final = "pytest_optum_auth.contract"
_OUTCOMES: Final = {"passed": "kept", "failed": "BROKEN", "skipped": "skipped"}
_SIDES: Final = ("fake", "live")
# One of the two shapes in which the sandbox has been seen: not the published one, but not broken.
_AS_KEYCLOAK: Final = "Keycloak"
_SHAPE: Final = (
    "Keycloak: refused as a Keycloak realm does, not in the published envelope. "
    '@pytest.mark.optum_auth(error_format="keycloak") plays that.'
)


def register(config: pytest.Config) -> None:
    """Collect the outcomes of a contract run and show them at its end."""
    config.pluginmanager.register(ContractTable(), "optum-contract-table")


class ContractTable:
    """Gathers a row for each promise, in the order in which the contract states them."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, str, str], dict[str, str]] = {}
        self._unanswered: dict[str, None] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell the promise to the process that prints the table."""
        report = yield
        function = getattr(item, "function", None)
        if getattr(function, "__module__", None) == _MODULE:
            parameters = dict(item.callspec.params) if hasattr(item, "callspec") else {}
            side = parameters.pop("optum_target", "live")
            promise, source = promise_of(function, list(parameters.values()))
            unanswered = call.excinfo is not None and call.excinfo.errisinstance(LiveError)
            outcome = "no answer" if unanswered else _OUTCOMES[report.outcome]
            probes = (item.funcargs or {}).get("probes") if hasattr(item, "funcargs") else None
            if report.passed and getattr(probes, "as_keycloak", False):
                outcome = _AS_KEYCLOAK
            sentence = str(call.excinfo.value) if call.excinfo and unanswered else ""
            row = [item.location[1], promise, source, side, outcome, sentence]
            setattr(report, _ROW, row)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter the outcome; a failed set-up or teardown counts as broken too."""
        row = getattr(report, _ROW, None)
        if row is None or (report.when != "call" and report.passed):
            return
        line, promise, source, side, outcome, sentence = row
        if sentence:
            self._unanswered[sentence] = None
        self._rows.setdefault((line, promise, source), {})[side] = outcome

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table."""
        if not self._rows:
            return
        rows = [
            [promise, *(sides.get(side, "-") for side in _SIDES), source]
            for (_, promise, source), sides in sorted(self._rows.items())
        ]
        outcome_table.write(
            terminalreporter,
            "contract of Optum's token endpoint",
            ["promise", *_SIDES, "source"],
            rows,
        )
        if any(_AS_KEYCLOAK in sides.values() for sides in self._rows.values()):
            terminalreporter.line(_SHAPE)
        for sentence in self._unanswered:
            terminalreporter.line(f"no answer: {sentence}")


def promise_of(function: Any, parameters: list[str]) -> tuple[str, str]:
    """The promise (first line) and its source (last line) in the docstring of a contract test.

    What the test is parametrized with beside the target is told behind the promise.
    """
    lines = (inspect.getdoc(function) or "").splitlines()
    promise = ": ".join([lines[0].rstrip("."), *parameters])
    return promise, lines[-1].removeprefix(_SOURCE).rstrip(".")
