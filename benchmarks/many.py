"""A fake with a thousand clients or routes, against one with a single one."""

from __future__ import annotations

from collections.abc import Iterator

import requests

from benchmarks.measure import Figure, compared, cpu_seconds
from pytest_optum_auth import FakeOptum

MANY = 1_000
CALLS = 50


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of many clients and many routes."""
    with requests.Session() as session:
        yield compared(
            f"token request, {MANY:,} clients / one",
            lambda: _token_requests(session, 1),
            lambda: _token_requests(session, MANY),
            bound=1.2,
            rounds=rounds,
        )
        yield compared(
            f"API request, {MANY:,} routes / one",
            lambda: _api_requests(session, 1),
            lambda: _api_requests(session, MANY),
            bound=1.2,
            rounds=rounds,
        )


def _token_requests(session: requests.Session, clients: int) -> float:
    with FakeOptum() as fake:
        credentials = fake.credentials
        for _ in range(clients - 1):
            credentials = fake.add_client()
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }

        def fetch() -> None:
            assert session.post(fake.token_url, data=form).status_code == 200

        fetch()
        return cpu_seconds(fetch, CALLS)


def _api_requests(session: requests.Session, routes: int) -> float:
    with FakeOptum() as fake:
        for number in range(routes):
            fake.protect("GET", f"/service-{number}/members/{{member_id}}")
        url = f"{fake.base_url}/service-{routes - 1}/members/1"
        bearer = {"Authorization": f"Bearer {fake.issue_token()}"}

        def call() -> None:
            assert session.get(url, headers=bearer).status_code == 200

        call()
        return cpu_seconds(call, CALLS)
