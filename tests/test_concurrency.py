"""Many threads at once: numbers, journal and settings stay right."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import requests
from token_requests import API, fields
from transports_under_test import TLS

from pytest_optum_auth import FakeOptum, faults

THREADS = 32
REQUESTS = 50


def test_numbers_have_no_gap_and_the_journal_is_complete(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    form = fields(optum_auth)

    def work(_: int) -> list[str]:
        got = []
        with requests.Session() as session:
            for turn in range(REQUESTS // 2):
                answer = session.post(optum_auth.token_url, data=form)
                token = answer.json()["access_token"]
                got.append(token)
                called = session.get(API, headers={"Authorization": f"Bearer {token}"})
                assert (answer.status_code, called.status_code) == (200, 200)
                optum_auth.expires_in = 7200 + turn
        return got

    with ThreadPoolExecutor(THREADS) as pool:
        values = [value for got in pool.map(work, range(THREADS)) for value in got]

    count = THREADS * REQUESTS // 2
    assert [token.number for token in optum_auth.tokens] == list(range(1, count + 1))
    assert {token.value for token in optum_auth.tokens} == set(values)
    assert len(optum_auth.exchanges) == THREADS * REQUESTS
    assert len(optum_auth.token_requests) == len(optum_auth.api_requests) == count
    assert [e.token and e.token.number for e in optum_auth.token_requests] == list(
        range(1, count + 1)
    )
    assert {e.status for e in optum_auth.exchanges} == {200}
    moments = [exchange.at for exchange in optum_auth.exchanges]
    assert moments == sorted(moments)
    assert all(
        t.expires_at.timestamp() - t.issued_at.timestamp() == t.expires_in
        for t in optum_auth.tokens
    )


def test_threads_of_two_libraries_and_an_event_loop_share_one_journal(
    optum_auth: FakeOptum,
) -> None:
    form = fields(optum_auth)

    def with_requests(_: int) -> None:
        assert requests.post(optum_auth.token_url, data=form).status_code == 200

    def with_httpx(_: int) -> None:
        with httpx.Client(verify=TLS) as client:
            assert client.post(optum_auth.token_url, data=form).status_code == 200

    def in_a_loop(_: int) -> None:
        async def main() -> None:
            async with httpx.AsyncClient(verify=TLS) as client:
                posts = [client.post(optum_auth.token_url, data=form) for _ in range(5)]
                assert [a.status_code for a in await asyncio.gather(*posts)] == [200] * 5

        asyncio.run(main())

    with ThreadPoolExecutor(12) as pool:
        works = [with_requests, with_httpx, in_a_loop] * 4
        for future in [pool.submit(work, 0) for work in works]:
            future.result()

    assert Counter(e.transport for e in optum_auth.exchanges) == {"requests": 4, "httpx": 24}
    assert [token.number for token in optum_auth.tokens] == list(range(1, 29))


def test_clients_faults_and_routes_may_be_added_while_requests_run(optum_auth: FakeOptum) -> None:
    form = fields(optum_auth)

    def ask(_: int) -> int:
        return requests.post(optum_auth.token_url, data=form).status_code

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(ask, number) for number in range(64)]
        for number in range(64):
            optum_auth.add_client()
            optum_auth.protect("GET", f"/plans/{number}")
            optum_auth.inject(faults.http_error(503))
            optum_auth.issue_token()
        optum_auth.revoke_all()
        statuses = Counter(future.result() for future in running)

    assert statuses[200] + statuses[503] == 64
    # Every fault is met once, by somebody.
    assert {ask(0) for _ in range(64 - statuses[503])} <= {503}
    assert ask(0) == 200
    assert optum_auth.problems() == ""
