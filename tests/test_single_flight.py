"""A stampede at expiry, seen with ``hold()``, and what prevents it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session
from token_requests import fields
from transports_under_test import TLS

from pytest_optum_auth import Clock, FakeOptum

CALLERS = 20


LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda lib: lib.__name__)


def on_requests_oauthlib(optum_auth: FakeOptum) -> Callable[[], object]:
    client_id, client_secret = optum_auth.credentials

    def fetch() -> object:
        session = OAuth2Session(client=BackendApplicationClient(client_id))
        return session.fetch_token(
            optum_auth.token_url, client_secret=client_secret, include_client_id=True
        )

    return fetch


def on_authlib(optum_auth: FakeOptum) -> Callable[[], object]:
    client_id, client_secret = optum_auth.credentials
    session = AuthlibSession(
        client_id,
        client_secret,
        token_endpoint=optum_auth.token_url,
        token_endpoint_auth_method="client_secret_post",
        grant_type="client_credentials",
    )
    session.token = {"access_token": "old", "expires_at": 1}
    return lambda: session.ensure_active_token(session.token)


def with_a_lock(optum_auth: FakeOptum) -> Callable[[], object]:
    lock = threading.Lock()
    good_until = 0.0

    def fetch() -> None:
        nonlocal good_until
        with lock:
            if time.time() >= good_until:
                answer = requests.post(optum_auth.token_url, data=fields(optum_auth))
                good_until = time.time() + answer.json()["expires_in"]

    return fetch


@pytest.mark.parametrize(
    ("client", "expected"),
    [(on_requests_oauthlib, CALLERS), (on_authlib, CALLERS), (with_a_lock, 1)],
    ids=["requests-oauthlib", "Authlib", "lock"],
)
def test_twenty_threads_at_expiry_make_as_many_requests_as_their_client_lets_them(
    client: Callable[[FakeOptum], Callable[[], object]],
    expected: int,
    optum_auth: FakeOptum,
    optum_clock: Clock,
) -> None:
    optum_auth.issue_token()
    optum_clock.expire_token()
    fetch = client(optum_auth)

    with ThreadPoolExecutor(CALLERS) as pool, optum_auth.hold() as hold:
        callers = [pool.submit(fetch) for _ in range(CALLERS)]
        hold.wait_for(expected)
        hold.release()
        for caller in callers:
            caller.result(10)

    assert len(optum_auth.token_requests) == expected
    assert len(optum_auth.needless_token_requests) == expected - 1


@pytest.mark.parametrize("locked", [False, True], ids=["no-lock", "lock"])
@LIBRARIES
def test_twenty_coroutines_at_expiry_make_one_request_with_a_lock_and_twenty_without(
    library: ModuleType, locked: bool, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.issue_token()
    optum_clock.expire_token()
    expected = 1 if locked else CALLERS

    async def main() -> None:
        lock = asyncio.Lock() if locked else asyncio.Semaphore(CALLERS)
        token = ""

        async def fetch(client: Any) -> None:
            nonlocal token
            async with lock:
                if not token:
                    answer = await client.post(optum_auth.token_url, data=fields(optum_auth))
                    token = answer.json()["access_token"]

        async with library.AsyncClient(verify=TLS) as client:
            with optum_auth.hold() as hold:
                tasks = [asyncio.create_task(fetch(client)) for _ in range(CALLERS)]
                await hold.wait_for_async(expected)
            await asyncio.gather(*tasks)

    asyncio.run(main())

    assert len(optum_auth.token_requests) == expected
