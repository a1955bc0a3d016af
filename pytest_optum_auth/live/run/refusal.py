"""Ends a run whose live tests must not run as things are, before the first test."""

from __future__ import annotations

import os
from typing import Any, Final

import pytest

_INLINE_HARMLESS: Final = ("", "disable", "report", "short-report")
# Options of pytest, of recording plugins and of those that keep snapshots, which copy what tests
# handle to files or to a web site, past every report; the values are those that switch it off.
_COPYING_OPTIONS: Final = {
    "debug": ("--debug", (None, False)),
    "pastebin": ("--pastebin", (None,)),
    "record_mode": ("--record-mode", (None, "none")),
    "vcr_record": ("--vcr-record", (None, "none")),
    "update_snapshots": ("--snapshot-update", (None, False)),
    "snapshot_update": ("--snapshot-update", (None, False)),
    "inline_snapshot": ("--inline-snapshot", (None, *_INLINE_HARMLESS)),
    "force_regen": ("--force-regen", (None, False)),
    "regen_all": ("--regen-all", (None, False)),
}
_COPYING_VARIABLES: Final = {
    "PYTEST_DEBUG": ("",),
    "HYPOTHESIS_EXPERIMENTAL_OBSERVABILITY": ("",),
    "HYPOTHESIS_EXPERIMENTAL_OBSERVABILITY_NOCOVER": ("",),
    "INLINE_SNAPSHOT_DEFAULT_FLAGS": _INLINE_HARMLESS,
}
#: Report attribute that carries the sentence from a worker of xdist to its controller.
_SENTENCE: Final = "optum_live_refusal"


def end(session: pytest.Session) -> None:
    """End a run that holds live tests and must not: ``pytest.UsageError``, exit code 4.

    Raised in a worker of xdist, the message would be lost: there it goes to the controller, as
    what went wrong with the collection.
    """
    sentence = _sentence(session.config)
    if sentence is None:
        return
    if not hasattr(session.config, "workerinput"):
        raise pytest.UsageError(sentence)
    session.items.clear()
    report = pytest.CollectReport(nodeid="", outcome="failed", longrepr=sentence, result=[])
    setattr(report, _SENTENCE, sentence)
    session.config.hook.pytest_collectreport(report=report)


class OfWorkers:
    """Ends the run in the controller of xdist, whose message is seen."""

    # Before the terminal, which would tell the same once more.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Raise what a worker could not."""
        sentence = getattr(report, _SENTENCE, None)
        if sentence is not None:
            raise pytest.UsageError(sentence)


def _sentence(config: pytest.Config) -> str | None:
    """Why the live tests of this run must not run; ``None`` when they may, or do not anyway."""
    from ..sandbox.environment import remembered_environment

    environment = remembered_environment(config)
    if environment is None:
        return None
    if environment.problem is not None:
        return f"{environment.problem.removesuffix('.')}, or add --optum-live=off."
    for name, (option, harmless) in _COPYING_OPTIONS.items():
        value: Any = getattr(config.option, name, None)
        if value not in harmless:
            return (
                f"{option} copies what live tests handle, secrets included: leave it out, or add "
                "--optum-live=off."
            )
    for variable, harmless in _COPYING_VARIABLES.items():
        if os.environ.get(variable, "") not in harmless:
            return (
                f"{variable} copies what live tests handle, secrets included: unset it, or add "
                "--optum-live=off."
            )
    return None
