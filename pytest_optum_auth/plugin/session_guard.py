"""The guard of the session: between tests, too, nothing reaches a gateway.

A thread that outlives its test finds no fake any more; without a guard its next request would go
to the network, and the test that leaked it would have passed.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator, Iterable
from typing import Any, Final

import pytest

from .. import network_watch
from ..core import active, facts
from ..core.messages import host_of
from ..live import mode as live_mode
from ..transports import egress_guard
from ..transports.egress_guard import EscapedRequest, stopped_in

#: In what a worker of xdist hands to its controller.
WORKER_OUTPUT: Final = "optum_guard"
_Step = Generator[None, object, object]


class SessionGuard:
    """Stops connections to ``hosts`` when no fake answers there, and fails a test for each."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(hosts)
        # The test that is running, and the last one that had a fake.
        self._item: pytest.Item | None = None
        self._last_with_fake: str = ""
        # Which test has left a thread running; "": it was there before the tests.
        self._left_by: weakref.WeakKeyDictionary[threading.Thread, str] = (
            weakref.WeakKeyDictionary()
        )
        self._note_threads("")
        # What nobody was told of yet, and whether the test at hand has done it itself.
        self._met: list[tuple[bool, str]] = []

    def install(self) -> None:
        """Stop connections from now on."""
        egress_guard.leave_to(self)
        network_watch.watch(self._look)

    def remove(self) -> None:
        """Undo :meth:`install`."""
        network_watch.unwatch(self._look)
        egress_guard.take_from(self)

    def _look(self, host: str) -> None:
        item = self._item
        if active.gateway_at(host) is not None or (item is not None and live_mode.is_live(item)):
            return
        is_expected = active.is_expected(host)
        if host not in self._hosts and not is_expected:
            return
        leaked_by = self._left_by.get(threading.current_thread(), "")
        message = f"a connection to {host} was stopped, since no fake answers there now. "
        if leaked_by:
            message += (
                f"A thread opened it that {leaked_by} has left running: let that test end it (join "
                "the thread, close the client)"
            )
        elif item is not None and is_expected:
            message += f"{item.nodeid} opened it: {egress_guard.NOT_ENTERED}"
        elif item is not None and "optum_auth" in getattr(item, "fixturenames", ()):
            message += (
                f"{item.nodeid} opened it before its fake began, or after its end: let the fixture "
                "that asks the gateway take optum_auth, or mark the test with optum_auth, whose "
                "fixture is then set up first"
            )
        elif item is not None:
            message += (
                f"{item.nodeid} opened it without a fake, or after its end: ask for the fixture "
                "optum_auth, mark a test that means the sandbox with optum_live, or set the ini "
                "option optum_guard to test"
            )
        else:
            message += (
                "It was opened between tests; the last one that had a fake was "
                f"{self._last_with_fake or 'none yet'}: what it started has to end with it"
            )
        self._met.append((not leaked_by and item is not None, message))
        raise EscapedRequest(message)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> _Step:
        """Know which test is running."""
        self._item = item
        try:
            return (yield)
        finally:
            if uses_fake(item):
                self._last_with_fake = item.nodeid
            self._note_threads(item.nodeid)
            self._item = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> _Step:
        """A fixture that failed by its own stop has told it."""
        return (yield from self._forget_what_is_told())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> _Step:
        """A test that failed by its own stop has told it."""
        return (yield from self._forget_what_is_told())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> _Step:
        """Fail the test at its end for what was swallowed, and for what others left running."""
        result = yield
        if messages := self._take():
            raise pytest.fail.Exception("\n".join(messages), pytrace=False)
        return result

    def _forget_what_is_told(self) -> _Step:
        try:
            return (yield)
        except BaseException as error:
            if stopped_in(error) is not None:
                self._met = [(is_own, message) for is_own, message in self._met if not is_own]
            raise

    def _take(self) -> list[str]:
        """What was met, each sentence once."""
        messages = list(dict.fromkeys(message for _, message in self._met))
        self._met.clear()
        return messages

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """What no test was left to fail for fails the run."""
        messages = self._take()
        if not messages:
            return
        # A worker of xdist hands it to its controller.
        getattr(session.config, "workeroutput", {})[WORKER_OUTPUT] = messages
        Verdict.register(session.config, messages).pytest_sessionfinish(session, exitstatus)

    def _note_threads(self, test: str) -> None:
        threads = threading.enumerate()
        # Alone there is the one that runs the tests.
        for thread in threads if len(threads) > 1 or not self._left_by else ():
            self._left_by.setdefault(thread, test)


class Verdict:
    """Ends a run with exit code 1 that would have been green, and says why."""

    def __init__(self, messages: list[str]) -> None:
        self._messages = messages

    @classmethod
    def register(cls, config: pytest.Config, messages: list[str]) -> Verdict:
        """A verdict that is heard when the session finishes, and when it is summed up."""
        verdict = cls(messages)
        config.pluginmanager.register(verdict)
        return verdict

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail the run."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say why."""
        terminalreporter.section("Optum guard", red=True)
        for message in self._messages:
            terminalreporter.line(message)


def guard(session: pytest.Session) -> None:
    """Stop connections to a gateway until the session ends, when a test has a fake."""
    config = session.config
    if config.getini("optum_guard") == "test" or config.option.collectonly:
        return
    if any(map(uses_fake, session.items)):
        hosts = map(host_of, config.getini("optum_base_url").split())
        stops = SessionGuard(facts.HOSTS.union(hosts))
        config.pluginmanager.register(stops, "optum-session-guard")
        stops.install()
        config.add_cleanup(stops.remove)


def uses_fake(item: pytest.Item) -> bool:
    """Whether ``item`` has a fake; its live variant has not."""
    names = getattr(item, "fixturenames", ())
    return "optum_auth" in names or ("optum_target" in names and not live_mode.is_live(item))
