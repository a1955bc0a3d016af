"""Lets a live test run, skips it or fails it, and says why."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

import pytest

from ...transports import egress_guard
from .. import mode as live_mode
from ..sandbox import clocks
from ..sandbox.availability import Obstacle, environment_or_obstacle
from .require import LIVE_REPORT

# The innermost first: optum_env uses the two others.
_FAKE: Final = ("optum_env", "optum_server", "optum_auth")
_CLOCK: Final = "optum_clock"


def conflict(item: pytest.Item) -> str | None:
    """Why ``item`` cannot be a live test, as a sentence; ``None`` when it can."""
    names = {*getattr(item, "fixturenames", ()), *(mark.name for mark in item.iter_markers())}
    for name in _FAKE:
        if name in names:
            return (
                f"A live test calls the real sandbox and cannot use {name}, which puts a fake in "
                "its place: write two tests, or one with optum_target that runs against both."
            )
    if _CLOCK in names:
        return (
            f"A live test cannot use {_CLOCK}: the sandbox keeps the real time, so its tokens "
            "would look expired, or never expire. Test expiry against the fake."
        )
    return None


def recording(item: pytest.Item) -> str | None:
    """Why ``item`` must not run as what it sends and gets is recorded; ``None`` when it is not.

    By pytest-recording and pytest-vcr: a marker, or a fixture that says how.
    """
    mark = item.get_closest_marker("vcr")
    fixtures = getattr(item, "funcargs", {})
    config = fixtures.get("vcr_config")
    modes = {
        "pytest.mark.vcr(record_mode={!r})": mark and mark.kwargs.get("record_mode"),
        "vcr_config, record_mode={!r}": isinstance(config, dict) and config.get("record_mode"),
        "fixture record_mode, {!r}": fixtures.get("record_mode"),
    }
    for source, mode in modes.items():
        if mode and str(mode) != "none":
            return (
                f"This live test records what it sends and gets ({source.format(mode)}), secrets "
                "included: play back only (record_mode='none'), or take the recorder out of it."
            )
    return None


class LiveGate:
    """Hooks around each live test."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """A live test means the sandbox, whatever fake was made somewhere and not entered."""
        if not live_mode.is_live(item):
            return (yield)
        egress_guard.leave_to(item)
        try:
            return (yield)
        finally:
            egress_guard.take_from(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before any fixture: conflicts, then mode and credentials."""
        if not live_mode.is_live(item):
            return
        reason = conflict(item)
        if reason is not None:
            pytest.fail(reason, pytrace=False)
        obstacle = environment_or_obstacle(item.config)
        if isinstance(obstacle, Obstacle):
            if obstacle.fails:
                pytest.fail(obstacle.reason, pytrace=False)
            # pytest acts on the mark after this hook, and reports the place of the test.
            item.add_marker(pytest.mark.skip(reason=obstacle.reason))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """After the fixtures: one of them may have frozen the clock, or started a recorder."""
        if not live_mode.is_live(item):
            return
        records = recording(item)
        if records is not None:
            pytest.fail(records, pytrace=False)
        library = clocks.frozen_by()
        if library is not None:
            pytest.fail(clocks.frozen_sentence(library), pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mark the reports of live tests for :class:`~.require.Verdict`."""
        report = yield
        if live_mode.is_live(item):
            setattr(report, LIVE_REPORT, True)
        return report
