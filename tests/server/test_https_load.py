"""Many clients at once: every request is answered and recorded once."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import Counter
from urllib.parse import urlencode, urlsplit

import pytest
from token_requests import fields

from pytest_optum_auth import FakeOptum, faults
from pytest_optum_auth.server.served import Server

THREADS, EACH = 32, 100
TOTAL = THREADS * EACH
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def storm(server: Server, optum_auth: FakeOptum) -> Counter[int]:
    """How often which status came; 0: the connection ended instead."""
    body, url = urlencode(fields(optum_auth)), urlsplit(server.token_url)
    seen: list[int] = []

    def go() -> None:
        connection = http.client.HTTPSConnection(url.netloc, context=server.ssl_context)
        with contextlib.closing(connection):
            for _ in range(EACH):
                try:
                    connection.request("POST", url.path, body, FORM)
                    answer = connection.getresponse()
                    answer.read()
                    seen.append(answer.status)
                except http.client.HTTPException:
                    connection.close()
                    seen.append(0)

    threads = [threading.Thread(target=go) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(seen)


def test_every_request_is_answered_and_recorded_once(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    assert storm(optum_server, optum_auth) == {200: TOTAL}

    numbers = [token.number for token in optum_auth.tokens]
    assert numbers == list(range(1, TOTAL + 1))
    recorded = [e.token.number for e in optum_auth.token_requests if e.token is not None]
    assert recorded == numbers
    assert len({token.value for token in optum_auth.tokens}) == TOTAL


@pytest.mark.parametrize(
    ("fault", "status"),
    [(faults.server_error(), 500), (faults.disconnect(), 0)],
    ids=["answered", "cut"],
)
def test_a_tenth_of_them_meets_a_fault(
    fault: faults.Fault, status: int, optum_server: Server, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(fault, times=TOTAL // 10)

    assert storm(optum_server, optum_auth) == {200: TOTAL - TOTAL // 10, status: TOTAL // 10}

    assert injection.hits == TOTAL // 10
    assert len(optum_auth.token_requests) == TOTAL
    numbers = [token.number for token in optum_auth.tokens]
    assert numbers == list(range(1, TOTAL - TOTAL // 10 + 1))
