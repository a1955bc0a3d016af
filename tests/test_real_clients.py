"""Judges: the clients that people use, unchanged, obtain, reuse and refresh their tokens here."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx_auth
import pytest
import requests
import requests_auth
from oauthlib.oauth2 import BackendApplicationClient, MissingTokenError
from real_clients import CLIENTS, LEEWAY, REFUSALS, Get, Loop
from requests_oauthlib import OAuth2Session
from token_requests import API, fields

from pytest_optum_auth import ApiRoute, Clock, FakeOptum
from pytest_optum_auth.core.settings import ErrorFormat

PATH = "/oihub/claim/inquiry/v1"


pytestmark = pytest.mark.usefixtures("empty_caches")


@pytest.fixture
def empty_caches() -> Iterator[None]:
    """httpx-auth and requests-auth keep their tokens on a class, beyond a test."""
    yield
    httpx_auth.OAuth2.token_cache.clear()
    requests_auth.OAuth2.token_cache.clear()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def api(optum_auth: FakeOptum) -> ApiRoute:
    return optum_auth.protect("GET", PATH)


@pytest.fixture(params=CLIENTS)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def get(name: str, optum_auth: FakeOptum, loop: Loop, api: ApiRoute) -> Get:
    return CLIENTS[name](optum_auth, optum_auth.credentials.client_secret, loop)


def numbers(api: ApiRoute) -> list[int | None]:
    return [exchange.token and exchange.token.number for exchange in api.requests]


def test_it_obtains_a_token_and_presents_it(get: Get, optum_auth: FakeOptum, api: ApiRoute) -> None:
    assert get(API) == 200

    [request] = optum_auth.token_requests
    assert request.form == fields(optum_auth)
    assert request.status == 200
    assert numbers(api) == [1]


def test_it_reuses_its_token_on_the_second_call(
    get: Get, optum_auth: FakeOptum, api: ApiRoute
) -> None:
    assert [get(API), get(API)] == [200, 200]

    assert len(optum_auth.token_requests) == 1
    assert numbers(api) == [1, 1]


def test_it_fetches_the_next_token_when_the_first_has_expired(
    name: str, get: Get, optum_auth: FakeOptum, optum_clock: Clock, api: ApiRoute
) -> None:
    get(API)

    optum_clock.expire_token(by=1 if LEEWAY[name] < 0 else 0)

    assert get(API) == 200
    assert len(optum_auth.token_requests) == 2
    assert len(optum_auth.needless_token_requests) == 0
    assert numbers(api) == [1, 2]


def test_it_keeps_the_token_until_its_leeway_begins(
    name: str, get: Get, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    get(API)

    optum_clock.nearly_expire_token(margin=max(LEEWAY[name] + 1, 0))
    get(API)
    before = len(optum_auth.token_requests)
    optum_clock.tick(2)
    get(API)

    assert (before, len(optum_auth.token_requests)) == (1, 2)


def test_it_does_not_refresh_on_a_401_of_the_api(
    get: Get, optum_auth: FakeOptum, api: ApiRoute
) -> None:
    get(API)
    optum_auth.revoke()

    assert get(API) == 401
    assert len(optum_auth.token_requests) == 1


def test_it_trusts_expires_in_and_meets_a_401_after_an_hour(
    get: Get, optum_auth: FakeOptum, optum_clock: Clock, api: ApiRoute
) -> None:
    optum_auth.lifetime = 3600
    get(API)
    optum_clock.tick(3600)

    assert get(API) == 401
    assert len(optum_auth.token_requests) == 1


@pytest.mark.parametrize("error_format", ["optum", "rfc6749"])
def test_it_is_refused_with_a_wrong_secret(
    error_format: ErrorFormat, name: str, optum_auth: FakeOptum, loop: Loop, api: ApiRoute
) -> None:
    optum_auth.error_format = error_format
    get = CLIENTS[name](optum_auth, "wrong", loop)

    with pytest.raises(REFUSALS[name]):
        get(API)

    [request] = optum_auth.token_requests
    assert (request.status, request.outcome) == (401, "refused: client_secret is wrong")
    assert len(api.requests) == 0


def test_it_is_refused_after_the_secret_was_rotated(
    name: str, get: Get, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    get(API)
    optum_auth.rotate_secret()
    optum_clock.expire_token(by=1)

    with pytest.raises(REFUSALS[name]):
        get(API)

    assert [request.status for request in optum_auth.token_requests] == [200, 401]


def test_a_library_left_with_its_basic_header_is_told_what_to_do(optum_auth: FakeOptum) -> None:
    client_id, client_secret = optum_auth.credentials
    client = BackendApplicationClient(client_id)

    with pytest.raises(MissingTokenError):
        OAuth2Session(client=client).fetch_token(optum_auth.token_url, client_secret=client_secret)

    assert optum_auth.token_requests[0].outcome == (
        "refused: credentials in a Basic header, not in the form"
    )


def test_httpx_auth_sends_basic_beside_the_form_and_the_outcome_says_so(
    optum_auth: FakeOptum, loop: Loop, api: ApiRoute
) -> None:
    CLIENTS["httpx-auth"](optum_auth, optum_auth.credentials.client_secret, loop)(API)

    assert optum_auth.token_requests[0].outcome == (
        "issued token #1 (Basic header ignored beside the form fields)"
    )


# Clients written by hand, on each of the clocks that people use.

CLOCKS: dict[str, Callable[[], float]] = {
    "time": lambda: time.time(),
    "monotonic": lambda: time.monotonic(),
    "perf_counter": lambda: time.perf_counter(),
    "datetime": lambda: dt.datetime.now(dt.timezone.utc).timestamp(),
    "utcnow-naive": lambda: dt.datetime.now().timestamp(),
}


class HandWritten:
    """Keeps its token until a minute before its end, as the documentation advises."""

    def __init__(self, fake: FakeOptum, now: Callable[[], float]) -> None:
        self._form = fields(fake)
        self._url = fake.token_url
        self._now = now
        self._token = ""
        self._good_until = 0.0

    def get(self, url: str) -> int:
        if not self._token or self._now() >= self._good_until - 60:
            answer = requests.post(self._url, data=self._form).json()
            self._token = answer["access_token"]
            self._good_until = self._now() + answer["expires_in"]
        headers = {"Authorization": f"Bearer {self._token}"}
        return requests.get(url, headers=headers).status_code


@pytest.mark.parametrize("pool", [False, True], ids=["main-thread", "pool"])
@pytest.mark.parametrize("clock", CLOCKS)
def test_a_client_written_by_hand_refreshes_by_its_own_clock(
    clock: str, pool: bool, optum_auth: FakeOptum, optum_clock: Clock, api: ApiRoute
) -> None:
    client = HandWritten(optum_auth, CLOCKS[clock])

    with ThreadPoolExecutor(1) as executor:

        def get() -> int:
            return executor.submit(client.get, API).result() if pool else client.get(API)

        first, second = get(), get()
        optum_clock.nearly_expire_token(margin=61)
        third = get()
        optum_clock.tick(1)
        fourth = get()

    assert [first, second, third, fourth] == [200] * 4
    assert numbers(api) == [1, 1, 1, 2]
