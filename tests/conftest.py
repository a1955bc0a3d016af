"""What every test of the suite may ask for."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from unittest.mock import Mock, patch

import hypothesis
import inner_runs
import pytest
from transports_under_test import TRANSPORTS, Send, Transport

pytest_plugins = ["pytester"]

# As on a machine where nobody has set anything: above all under a CI system, inner runs of pytest
# would write other lines.
for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", *(n for n in os.environ if "OPTUM" in n)):
    os.environ.pop(name, None)

# The same examples in every run, however slow the machine: what fails is the change.
hypothesis.settings.register_profile("suite", derandomize=True, deadline=None)
hypothesis.settings.load_profile("suite")


@pytest.fixture(params=TRANSPORTS, ids=lambda transport: transport.id)
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each client library in turn, and how it tells its failures."""
    chosen: Transport = request.param
    if chosen.in_process:
        return chosen
    return chosen.served_by(request.getfixturevalue("optum_server"))


@pytest.fixture
def send(transport: Transport) -> Send:
    """One request with the client library at hand: ``send(method, url, ...) -> Answer``."""
    return transport.send


@pytest.fixture
def pytester(pytester: pytest.Pytester) -> Iterator[pytest.Pytester]:
    """Pytest's own; what an inner run in this process has set ends with the test as well."""
    with patch.dict(os.environ):
        yield pytester


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> inner_runs.Run:
    """``run(source, *options)``: pytest on a test file of its own, with our plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "80")

    def run(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess(*inner_runs.OPTIONS, *options)

    return run


@pytest.fixture
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody tries to look up or to open anything."""
    network = Mock(side_effect=OSError("nothing may leave"))
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, getattr(network, name))
    monkeypatch.setattr(socket.socket, "connect", network.connect)
    yield
    assert network.mock_calls == []


@pytest.fixture
def genuine(nothing_leaves: object) -> Iterator[None]:
    """Nobody's replacement is left behind."""
    # The tools that people use, which few files of the suite need.
    from other_mocks import functions

    before = functions()
    yield
    assert functions() == before
