"""What one exchange keeps in memory, its token and the request's headers included."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator

import requests

from benchmarks.measure import Figure
from pytest_optum_auth import FakeOptum

EXCHANGES = 2_000


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of memory; one round is enough, since bytes are not noisy."""
    del rounds
    with requests.Session() as session, FakeOptum() as fake:
        client_id, client_secret = fake.credentials
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }

        def fetch() -> int:
            return session.post(fake.token_url, data=form).status_code

        yield Figure("memory for a token exchange", _bytes(fetch), 3 * 1024, unit="bytes")
        fake.protect("GET", "/members/{member_id}", json={"eligible": True})
        url = f"{fake.base_url}/members/1"
        bearer = {"Authorization": f"Bearer {fake.last_token}"}

        def call() -> int:
            return session.get(url, headers=bearer).status_code

        yield Figure("memory for an API exchange", _bytes(call), 3 * 1024, unit="bytes")


def _bytes(request: Callable[[], int]) -> float:
    for _ in range(100):
        assert request() == 200
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(EXCHANGES):
        request()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / EXCHANGES
