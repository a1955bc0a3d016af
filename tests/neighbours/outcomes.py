"""A pytest plugin: writes the outcome of every test as JSON; with a fake for each on request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

_WORST = ("passed", "skipped", "failed")
_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    before = _outcomes.get(report.nodeid, "passed")
    _outcomes[report.nodeid] = max(before, report.outcome, key=_WORST.index)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _outcomes[report.nodeid] = "not collected"


def pytest_sessionfinish() -> None:
    with open(os.environ["NEIGHBOURS_OUTCOMES"], "w", encoding="utf-8") as file:
        json.dump(_outcomes, file)


if os.environ.get("NEIGHBOURS_FAKE"):

    @pytest.fixture(autouse=True)
    def _a_fake_for_every_test() -> Iterator[None]:
        from pytest_optum_auth import FakeOptum

        with FakeOptum(strict=False):
            yield
