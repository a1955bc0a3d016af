"""Twenty callers at once when the token expires: who makes one token request, and who twenty."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import authlib_client
import httpx_client
import pytest
import requests_client
from oauthlib.oauth2 import BackendApplicationClient, TokenExpiredError
from requests_oauthlib import OAuth2Session

from pytest_optum_auth import ApiRoute, Clock, FakeOptum

MEMBERS = [f"member-{number}" for number in range(20)]
Check = Callable[[str], object]


def requests_oauthlib_check(optum: FakeOptum) -> Check:
    """What people write around requests-oauthlib: a shared token, a session for each call."""
    client_id, client_secret = optum.credentials
    shared: dict[str, object] = {}

    def fetch_token(session: OAuth2Session) -> None:
        token = session.fetch_token(
            optum.token_url, client_secret=client_secret, include_client_id=True
        )
        shared.update(token)

    def check(member_id: str) -> object:
        session = OAuth2Session(client=BackendApplicationClient(client_id), token=shared)
        if not shared:
            fetch_token(session)
        url = f"{optum.base_url}/oihub/eligibility/v1/pre-service/member"
        try:
            response = session.post(url, json={"memberId": member_id})
        except TokenExpiredError:
            fetch_token(session)
            response = session.post(url, json={"memberId": member_id})
        return response.json()

    return check


def authlib_check(optum: FakeOptum) -> Check:
    """What people write around Authlib: it replaces the token by itself, in every thread."""
    session = authlib_client.EligibilityClient(*optum.credentials).session

    def check(member_id: str) -> object:
        if not session.token:
            session.fetch_token()
        url = f"{optum.base_url}/oihub/eligibility/v1/pre-service/member"
        return session.post(url, json={"memberId": member_id}).json()

    return check


@pytest.mark.parametrize("make_check", [requests_oauthlib_check, authlib_check])
def test_without_a_lock_every_thread_asks_for_a_token_of_its_own(
    make_check: Callable[[FakeOptum], Check],
    optum_auth: FakeOptum,
    optum_clock: Clock,
    eligibility: ApiRoute,
) -> None:
    check = make_check(optum_auth)
    check("member-1")
    optum_clock.expire_token(by=1)

    with ThreadPoolExecutor(len(MEMBERS)) as pool, optum_auth.hold() as hold:
        answers = pool.map(check, MEMBERS)
        hold.wait_for(20)
        hold.release()
        assert list(answers) == [{"covered": True}] * 20

    assert len(optum_auth.token_requests) == 1 + 20
    assert len(optum_auth.needless_token_requests) == 19


@pytest.mark.parametrize("module", [requests_client, authlib_client])
def test_with_a_lock_twenty_threads_make_one_token_request(
    module: ModuleType, optum_auth: FakeOptum, optum_clock: Clock, eligibility: ApiRoute
) -> None:
    client = module.EligibilityClient(*optum_auth.credentials)
    client.check("member-1")
    optum_clock.expire_token()

    with ThreadPoolExecutor(len(MEMBERS)) as pool, optum_auth.hold() as hold:
        answers = pool.map(client.check, MEMBERS)
        with pytest.raises(TimeoutError, match="1 of 2 token requests arrived"):
            hold.wait_for(2, timeout=0.2)
        hold.release()
        assert list(answers) == [{"covered": True}] * 20

    assert len(optum_auth.token_requests) == 1 + 1


@pytest.mark.anyio
async def test_with_a_lock_twenty_coroutines_make_one_token_request(
    optum_auth: FakeOptum, optum_clock: Clock, eligibility: ApiRoute
) -> None:
    async with httpx_client.EligibilityClient(*optum_auth.credentials) as client:
        await client.check("member-1")
        optum_clock.expire_token()

        with optum_auth.hold() as hold:
            tasks = [asyncio.create_task(client.check(member)) for member in MEMBERS]
            with pytest.raises(TimeoutError, match="1 of 2 token requests arrived"):
                await hold.wait_for_async(2, timeout=0.2)
            hold.release()
            assert await asyncio.gather(*tasks) == [{"covered": True}] * 20

    assert len(optum_auth.token_requests) == 1 + 1


@pytest.mark.parametrize("module", [requests_client, authlib_client])
def test_with_a_lock_twenty_refused_threads_make_one_token_request(
    module: ModuleType, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    client = module.EligibilityClient(*optum_auth.credentials)
    client.check("member-1")
    optum_auth.revoke_all()

    with ThreadPoolExecutor(len(MEMBERS)) as pool:
        assert list(pool.map(client.check, MEMBERS)) == [{"covered": True}] * 20

    assert len(optum_auth.token_requests) == 1 + 1
