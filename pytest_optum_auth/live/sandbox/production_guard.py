"""Stops a live run from calling production by an address in the code that it tests."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from typing import Any

import pytest

from ...core import facts
from ..redaction.process_patches import patch
from .hosts import normal_host


class ProductionGuard:
    """Refuses to look up the production hosts, and fails the test that tried.

    The variables are checked before the run; a URL in the client under test is not among them.
    Sees every library of this process that asks ``socket.getaddrinfo``; calls by way of a proxy or
    to a bare address go past it.
    """

    def __init__(self) -> None:
        self._met: str | None = None

    def install(self) -> Callable[[], None]:
        """Watch the look-ups of this process; returns the way back."""
        original = socket.getaddrinfo

        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            if isinstance(name, str) and normal_host(name) in facts.PRODUCTION_HOSTS:
                self._met = normal_host(name)
                # No Exception, which a client that retries would catch.
                pytest.fail(_sentence(self._met), pytrace=False)
            return original(host, *args, **kwargs)

        return patch(socket, "getaddrinfo", getaddrinfo)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Fail a test whose client swallowed the refusal."""
        self._met = None
        result = yield
        if self._met is not None:
            pytest.fail(_sentence(self._met), pytrace=False)
        return result


def _sentence(host: str) -> str:
    return (
        f"The code under test looked up the production host {host}, which a live run never calls: "
        f"take its URL from {facts.ENV_BASE_URL} or {facts.ENV_TOKEN_URL}, or run this test with "
        "--optum-live=off."
    )
