"""A stubbed API call: the fake asks a stub, against the same stub started by its own library.

Beside it ``protect``, which answers the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import requests
import responses
import respx

from benchmarks.measure import Figure, cpu_seconds, ratios
from pytest_optum_auth import FakeOptum

BASE = "https://sandbox-apigw.optum.com"
PATH = "/oihub/claim/inquiry/v1"
ANSWER = {"claims": [{"number": str(number), "state": "paid"} for number in range(20)]}
CALLS = 50


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of a stubbed API call."""
    with requests.Session() as session, httpx.Client() as client:

        def responses_alone() -> float:
            with responses.RequestsMock() as mock:
                mock.get(f"{BASE}{PATH}", json=ANSWER)
                return _calls(session, "t0k3n")

        def respx_alone() -> float:
            with respx.mock(base_url=BASE) as mock:
                mock.get(PATH).respond(json=ANSWER)
                return _calls(client, "t0k3n")

        def ours(sender: Any, stub: Callable[[FakeOptum], object]) -> Callable[[], float]:
            def timed() -> float:
                with FakeOptum() as optum:
                    stub(optum)
                    return _calls(sender, optum.issue_token())

            return timed

        def protected(optum: FakeOptum) -> object:
            return optum.protect("GET", PATH, json=ANSWER)

        seen = ratios(
            responses_alone,
            {
                "ours": ours(
                    session, lambda optum: optum.responses.get(f"{BASE}{PATH}", json=ANSWER)
                ),
                "protect": ours(session, protected),
            },
            rounds * 3,
        )
        yield Figure("stubbed API call, optum_responses / responses", seen.pop("ours"), 1.3, seen)
        seen = ratios(
            respx_alone,
            {
                "ours": ours(client, lambda optum: optum.respx.get(PATH).respond(json=ANSWER)),
                "protect": ours(client, protected),
            },
            rounds * 3,
        )
        yield Figure("stubbed API call, optum_respx / respx", seen.pop("ours"), 1.3, seen)


def _calls(sender: Any, token: object) -> float:
    headers = {"Authorization": f"Bearer {token}"}

    def call() -> None:
        assert sender.get(f"{BASE}{PATH}", headers=headers).json() == ANSWER

    call()
    return cpu_seconds(call, CALLS)
