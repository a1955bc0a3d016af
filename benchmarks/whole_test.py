"""A whole test that only asks for a fixture, against an empty test."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.in_process_pytest import seconds_by_kind
from benchmarks.measure import Figure

_HEADER = """
import pytest
import responses

@pytest.fixture
def idle():
    yield

@pytest.fixture
def responses_mock():
    with responses.RequestsMock() as mock:
        yield mock
"""
_TESTS = {
    "empty": "",
    "ours": "optum_auth",
    "idle_fixture": "idle",
    "requests_mock": "requests_mock",
    "httpx_mock": "httpx_mock",
    "responses": "responses_mock",
    "respx_mock": "respx_mock",
}
_PLUGINS = ["optum_auth", "pytest_httpx", "respx.plugin", "requests_mock.contrib._pytest_plugin"]


def measure(rounds: int) -> Iterator[Figure]:
    """The figure of a whole test."""
    seconds = seconds_by_kind(_TESTS, _PLUGINS, rounds * 10, _HEADER)
    empty = seconds.pop("empty")
    seen = {
        kind: statistics.median(a / b for a, b in zip(values, empty, strict=True))
        for kind, values in seconds.items()
    }
    yield Figure("a test with optum_auth / an empty test", seen.pop("ours"), 1.25, seen)
