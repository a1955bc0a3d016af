"""A fake that has seen much, against a fresh one: time for a request, and for reading counts."""

from __future__ import annotations

from collections.abc import Iterator

import requests

from benchmarks.measure import Figure, compared, cpu_seconds
from pytest_optum_auth import FakeOptum

CALLS = 50


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of growth."""
    with requests.Session() as session, FakeOptum(base_url="https://grown.example") as grown:
        for size in (10_000, 100_000):
            _grow(grown, session, size)
            yield compared(
                f"token request {size:,} / request 100",
                lambda: _after_hundred(session),
                lambda: cpu_seconds(lambda: _fetch(grown, session), CALLS),
                bound=1.1,
                rounds=rounds,
            )
        with FakeOptum(base_url="https://fresh.example") as fresh:
            _grow(fresh, session, 100)
            yield compared(
                "last_token and counts, 100,000 exchanges / 100",
                lambda: cpu_seconds(lambda: _read(fresh), 2_000),
                lambda: cpu_seconds(lambda: _read(grown), 2_000),
                bound=1.1,
                rounds=rounds,
            )


def _after_hundred(session: requests.Session) -> float:
    with FakeOptum(base_url="https://fresh.example") as fresh:
        _grow(fresh, session, 100)
        return cpu_seconds(lambda: _fetch(fresh, session), CALLS)


def _grow(fake: FakeOptum, session: requests.Session, size: int) -> None:
    while len(fake.exchanges) < size:
        _fetch(fake, session)


def _fetch(fake: FakeOptum, session: requests.Session) -> None:
    client_id, client_secret = fake.credentials
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    assert session.post(fake.token_url, data=form).status_code == 200


def _read(fake: FakeOptum) -> None:
    assert fake.last_token is not None
    assert len(fake.token_requests) == len(fake.exchanges) > len(fake.api_requests)
    assert fake.token_requests[-1].token is not None
