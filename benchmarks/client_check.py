"""The twenty promises of a client on requests, one after the other, as ``optum_client_check``."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure
from pytest_optum_auth import ClientCheck, Clock, FakeOptum
from pytest_optum_auth.checks.promises import PROMISES

sys.path.append(str(Path(__file__).parents[1] / "examples"))
from requests_client import EligibilityClient

API = "/oihub/eligibility/v1/pre-service/member"
# Real seconds, since waiting is part of it; each round takes one of them.
MOST_ROUNDS = 7


def measure(rounds: int) -> Iterator[Figure]:
    """The figure of the promises."""
    _milliseconds("reuses-token")  # the first time is for imports
    seen: dict[str, list[float]] = {promise: [] for promise in PROMISES}
    for _ in range(min(rounds, MOST_ROUNDS)):
        for promise, times in seen.items():
            times.append(_milliseconds(promise))
    medians = {promise: statistics.median(times) for promise, times in seen.items()}
    slowest = max(medians, key=medians.__getitem__)
    yield Figure(
        "twenty promises of a requests client, altogether",
        sum(medians.values()),
        3000,
        {f"of it {slowest}": medians[slowest]},
        "ms",
    )


def _milliseconds(promise: str) -> float:
    started = time.perf_counter()
    with Clock() as clock, FakeOptum() as fake:
        fake.protect("POST", API)
        client = EligibilityClient(*fake.credentials)
        ClientCheck(PROMISES[promise], fake, clock)(lambda: client.check("member-1"))
    return (time.perf_counter() - started) * 1000
