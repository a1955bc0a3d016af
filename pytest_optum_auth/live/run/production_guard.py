"""Stops a live run from calling production by an address in the code that it tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ... import network_watch
from ...core import facts


class ProductionCall(Exception):
    """A connection to a production host that a live run has stopped; nothing was sent.

    An ``Exception``, so that no client waits for ever; that one swallows it is told nevertheless.
    """


class ProductionGuard:
    """Stops connections to the production hosts, and fails the test that opened one.

    The variables are checked before the run; a URL in the client under test is not among them.
    What :mod:`~pytest_optum_auth.network_watch` does not see goes past it.
    """

    def __init__(self) -> None:
        self._met: str | None = None

    def install(self) -> Callable[[], None]:
        """Watch the connections of this process; returns the way back."""
        network_watch.watch(self._look)
        return lambda: network_watch.unwatch(self._look)

    def _look(self, host: str) -> None:
        if host in facts.PRODUCTION_HOSTS:
            self._met = host
            raise ProductionCall(_sentence(host))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Tell it in place of what came of it; at the end also what the client has swallowed."""
        if self._met is None or (call.excinfo is None and call.when != "teardown"):
            return
        met, self._met = self._met, None
        try:
            raise pytest.fail.Exception(_sentence(met), pytrace=False)
        except pytest.fail.Exception as failure:
            call.excinfo = pytest.ExceptionInfo.from_exception(failure)


def _sentence(host: str) -> str:
    return (
        f"The code under test looked up the production host {host}, which a live run never calls: "
        f"take its URL from {facts.ENV_BASE_URL} or {facts.ENV_TOKEN_URL}, or run this test with "
        "--optum-live=off."
    )
