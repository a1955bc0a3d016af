"""Stops a live run from calling production by an address in the code that it tests."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

import pytest

from ... import network_watch
from ...core import facts

_Step = Generator[None, object, object]
_OUTCOMES: Final = (pytest.fail.Exception, pytest.skip.Exception)


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

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> _Step:
        """Say it first where a fixture failed by it."""
        return (yield from self._say_first())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> _Step:
        """Say it first where the test failed by it."""
        return (yield from self._say_first())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> _Step:
        """Fail a test whose client, or whose fixtures, swallowed the refusal."""
        result = yield from self._say_first()
        self._say()
        return result

    def _say_first(self) -> _Step:
        try:
            return (yield)
        except (Exception, *_OUTCOMES):
            self._say()
            raise

    def _say(self) -> None:
        met, self._met = self._met, None
        if met is not None:
            raise pytest.fail.Exception(_sentence(met), pytrace=False) from None


def _sentence(host: str) -> str:
    return (
        f"The code under test looked up the production host {host}, which a live run never calls: "
        f"take its URL from {facts.ENV_BASE_URL} or {facts.ENV_TOKEN_URL}, or run this test with "
        "--optum-live=off."
    )
