"""Switching the fake on and off, against switching two mocks on and off."""

from __future__ import annotations

from collections.abc import Iterator

import responses
import respx

from benchmarks.measure import Figure, cpu_seconds, ratios
from pytest_optum_auth import FakeOptum


def measure(rounds: int) -> Iterator[Figure]:
    """The figure of activation."""
    seen = ratios(
        lambda: cpu_seconds(_both, 20),
        {
            "ours": lambda: cpu_seconds(_ours, 200),
            "ours, requests and httpx alone": lambda: cpu_seconds(_ours_for_two, 200),
            "responses alone": lambda: cpu_seconds(_responses, 20),
            "respx alone": lambda: cpu_seconds(_respx, 20),
        },
        rounds * 3,
    )
    yield Figure("on and off / responses + respx", seen.pop("ours"), 0.1, seen)


def _ours() -> None:
    with FakeOptum():
        pass


def _ours_for_two() -> None:
    with FakeOptum(transports=["requests", "httpx"]):
        pass


def _both() -> None:
    with responses.RequestsMock(), respx.mock():
        pass


def _responses() -> None:
    with responses.RequestsMock():
        pass


def _respx() -> None:
    with respx.mock():
        pass
