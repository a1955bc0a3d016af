"""The plugin object that keeps live secrets out of every output of a run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from ...pytest_internals import output_of, unread_output
from .process_patches import mask_before_the_cut, mask_log_lines
from .readers import shows_passed_output
from .redactor import Redactor
from .report_files import ReportFiles
from .streams import mask_streams
from .walk import Walk

_REDACTION = pytest.StashKey["Redaction"]()


def protect(config: pytest.Config, secrets: Mapping[str, str], *, live: bool) -> None:
    """Mask ``secrets``, by the names of their variables, until pytest is done with ``config``.

    With ``live`` whatever looks like a token as well. Doing it twice is harmless: a conftest may
    have loaded another secret. Call it as early as there is a secret.
    """
    redaction = config.stash.get(_REDACTION, None)
    if redaction is None:
        redactor = Redactor()
        redaction = config.stash[_REDACTION] = Redaction(redactor, config)
        config.pluginmanager.register(redaction, "optum-live-redaction")
        # In reverse order: the files are masked when nobody writes any more.
        config.add_cleanup(ReportFiles(config.option, redactor).mask)
        config.add_cleanup(mask_log_lines(redactor))
        config.add_cleanup(mask_before_the_cut(redactor))
    redactor = redaction.redactor
    redactor.by_form = redactor.by_form or live
    for name, value in secrets.items():
        redactor.learn_secret(name, value)
    # Again: the capture of pytest may have been started meanwhile, and is to end after this.
    mask_streams(redactor)
    config.add_cleanup(redaction.show_unread)


def learner(config: pytest.Config) -> Callable[[str], None]:
    """What to tell a new live token to."""
    return config.stash[_REDACTION].redactor.learn_token


class Redaction:
    """Hooks that mask what is about to be written: reports, warnings and pytest's cache.

    What goes to the terminal is masked by its stream.
    """

    def __init__(self, redactor: Redactor, config: pytest.Config) -> None:
        self.redactor = redactor
        self._config = config
        self._walk = Walk(redactor)
        self._passed_output_is_shown = True

    def show_unread(self) -> None:
        """Show by the masked streams what pytest would show at its end, past each of them.

        What a conftest prints while it is imported, above all.
        """
        streams = (sys.stdout, sys.stderr)
        for stream, text in zip(streams, unread_output(self._config), strict=True):
            stream.write(text)

    @pytest.hookimpl(wrapper=True)
    def pytest_internalerror(self) -> Generator[None, object, object]:
        """The run, or its collection, breaks off: pytest ends its capture at once."""
        self.show_unread()
        return (yield)

    pytest_keyboard_interrupt = pytest_internalerror

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """pytest's cache is files that a CI job may keep: what is set there is an output."""
        cache = getattr(config, "cache", None)
        if cache is not None:
            redact = self.redactor.redact
            plain_set, plain_get = cache.set, cache.get
            cache.set = lambda key, value: plain_set(redact(key), self._walk.value(value))
            cache.get = lambda key, default: plain_get(redact(key), default)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Refuse live runs with an id that shows a secret: it reaches files, ``ps`` and workers.

        The refusal is a collection error: unlike a usage error it arrives from an xdist worker.
        """
        ids = "\n".join(item.nodeid for item in items)
        if not (self.redactor.by_form and self.redactor.holds(ids)):
            return
        refused = [item for item in items if self.redactor.holds(item.nodeid)]
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

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Ask who will look at reports when all conftests are loaded."""
        self._passed_output_is_shown = shows_passed_output(session.config)
        if self._passed_output_is_shown:
            session.config.pluginmanager.register(BeforeOthers(self._walk))

    @pytest.hookimpl(tryfirst=True)
    def pytest_assertrepr_compare(self, left: object, right: object) -> None:
        """Look at both as a whole, before somebody tells only in what they differ."""
        self._walk.value([left, right])

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Mask what a module prints and raises while it is imported."""
        report = yield
        self._walk.report(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mask what outer wrappers added, and reports that come from elsewhere."""
        # What a test printed that passed is dropped, unless somebody shows it.
        if report.outcome != "passed" or report.user_properties or self._passed_output_is_shown:
            self._walk.report(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """The same for collection."""
        self._walk.report(report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_to_serializable(
        self,
    ) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
        """Mask what a report log or a worker is about to write."""
        data = yield
        return data if data is None else self._walk.serialised(data)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        """Mask a warning before the terminal, a report log or a worker takes it."""
        self._walk.warning(warning_message)


class BeforeOthers:
    """Masks reports before another plugin (html, reruns) looks at them, by an innermost wrapper.

    A run in which nobody looks is spared it.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mask the report, and the item's own lists, which other plugins read."""
        report = yield
        for output in (item.user_properties, output_of(item)):
            output[:] = self._walk.value(output)
        self._walk.report(report)
        return report
