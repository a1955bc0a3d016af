"""The plugin object that keeps live secrets out of every output of a run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from ...core import facts
from .. import mode as live_mode
from .process_patches import learn_json_tokens, mask_log_records
from .redactor import Redactor
from .scrubber import Scrubber
from .streams import mask_streams

_FAKE_FIXTURES = frozenset({"optum_auth", "optum_server", "optum_env", "optum_target"})
_REDACTOR = pytest.StashKey[Redactor]()


def protect(config: pytest.Config) -> None:
    """Mask the live secret in this process until pytest is done with ``config``.

    Doing it twice is harmless. Call it before the conftests load: they may print, or fail.
    """
    secret = os.environ[facts.ENV_CLIENT_SECRET]
    if _REDACTOR in config.stash:
        # A conftest may have loaded another secret from a file.
        config.stash[_REDACTOR].learn(secret)
        return
    redactor = config.stash[_REDACTOR] = Redactor([secret])
    plugin = Redaction(redactor)
    for restore in (
        mask_streams(redactor),
        mask_log_records(plugin.scrubber),
        learn_json_tokens(plugin.learn_from_client),
    ):
        config.add_cleanup(restore)
    config.pluginmanager.register(plugin, "optum-live-redaction")


def scrub_exception(config: pytest.Config, error: BaseException) -> None:
    """Mask secrets in an exception that pytest prints after the streams are given back."""
    Scrubber(config.stash[_REDACTOR]).exception(error)


def learner(config: pytest.Config) -> Callable[[str], None]:
    """What to tell a new live token to."""
    return config.stash[_REDACTOR].learn


class Redaction:
    """Hooks that mask reports, warnings, errors, pytest's cache and the junit file.

    The wrappers are the innermost ones, so that other plugins (html, reruns) see masked reports.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.scrubber = Scrubber(redactor)
        self._fake_answers = False

    def learn_from_client(self, token: str) -> None:
        """Remember a token that a client obtained, unless it can only be the fake's."""
        if not self._fake_answers:
            self._redactor.learn_passing(token)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self) -> Generator[None, object, object]:
        """Mask an error that ends the run: pytest prints it when the streams are given back."""
        try:
            return (yield)
        except BaseException as error:
            self.scrubber.exception(error)
            raise

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """pytest's cache is a file that a CI job may keep: what is set there is an output."""
        cache = getattr(config, "cache", None)
        if cache is not None:
            plain_set = cache.set
            cache.set = lambda key, value: plain_set(key, self.scrubber.value(value))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Refuse tests whose id shows a secret: ids reach caches, files, ``ps`` and workers.

        The refusal is a collection error: unlike a usage error it arrives from an xdist worker.
        """
        refused = [item for item in items if self._redactor.holds(item.nodeid)]
        if not refused:
            return
        items.clear()
        for item in refused:
            path, line, _ = item.location
            report = pytest.CollectReport(
                nodeid=path,
                outcome="failed",
                longrepr=(
                    f"{path}:{(line or 0) + 1}: the id of this test holds a live secret or token. "
                    "Give the parameter an id of its own: pytest.param(..., id='name')."
                ),
                result=[],
            )
            config.hook.pytest_collectreport(report=report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Tokens of the fake are not learned: there may be thousands."""
        fixtures = _FAKE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        self._fake_answers = bool(
            (fixtures or item.get_closest_marker("optum_auth"))
            and not item.get_closest_marker(live_mode.MARKER)
        )
        try:
            return (yield)
        finally:
            self._fake_answers = False

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mask what the report is made from, then the report."""
        for name in ("_report_sections", "user_properties"):
            # In place: other plugins read the item's own lists.
            output = getattr(item, name, [])
            output[:] = self.scrubber.value(output)
        if call.excinfo is not None:
            self.scrubber.exception(call.excinfo.value)
        report = yield
        self.scrubber.report(report)
        return report

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Mask what a module prints and raises while it is imported."""
        report = yield
        self.scrubber.report(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mask what outer wrappers added, and reports that come from elsewhere."""
        self.scrubber.report(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """The same for collection."""
        self.scrubber.report(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        """Mask a warning before the terminal, a report log or a worker takes it."""
        self.scrubber.warning(warning_message)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        """Mask the traceback of an error in pytest or a plugin."""
        self.scrubber.report(excrepr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Mask the reason given to ``pytest.exit``."""
        self.scrubber.exception(excinfo.value)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Mask the junit file: ``record_xml_attribute`` and its like write past all reports."""
        yield
        path = getattr(session.config.option, "xmlpath", None)
        if path and not hasattr(session.config, "workerinput"):
            with contextlib.suppress(OSError):
                file = Path(path)
                written = file.read_bytes()
                masked = self._redactor.redact_bytes(written)
                if masked is not written:
                    file.write_bytes(masked)
