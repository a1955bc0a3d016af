"""The client on httpx and asyncio: a token's life, from the first call to a wrong secret."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from httpx_client import EligibilityClient

from pytest_optum_auth import ApiRoute, Clock, FakeOptum, faults

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(optum_auth: FakeOptum) -> AsyncIterator[EligibilityClient]:
    async with EligibilityClient(*optum_auth.credentials) as client:
        yield client


async def test_the_first_call_obtains_a_token(
    client: EligibilityClient, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    assert await client.check("member-1") == {"covered": True}

    assert len(optum_auth.token_requests) == 1
    assert eligibility.requests[0].token is optum_auth.last_token


async def test_later_calls_reuse_it(
    client: EligibilityClient, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    for number in range(3):
        await client.check(f"member-{number}")

    assert len(eligibility.requests) == 3
    assert len(optum_auth.token_requests) == 1


async def test_it_is_replaced_in_the_last_minute_of_its_life(
    client: EligibilityClient, optum_auth: FakeOptum, optum_clock: Clock, eligibility: ApiRoute
) -> None:
    await client.check("member-1")

    optum_clock.nearly_expire_token(margin=61)
    await client.check("member-2")
    assert len(optum_auth.token_requests) == 1

    optum_clock.nearly_expire_token(margin=59)
    await client.check("member-3")
    assert len(optum_auth.token_requests) == 2
    assert not optum_auth.needless_token_requests


async def test_a_revoked_token_costs_one_refusal_one_refresh_and_one_retry(
    client: EligibilityClient, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    await client.check("member-1")

    optum_auth.revoke_all()
    assert await client.check("member-2") == {"covered": True}

    assert [exchange.status for exchange in eligibility.requests] == [200, 401, 200]
    assert len(optum_auth.token_requests) == 2


async def test_a_second_refusal_is_not_answered_by_a_third_try(
    client: EligibilityClient, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    eligibility.inject(faults.http_error(401), times=2)

    with pytest.raises(httpx.HTTPStatusError, match="401 Unauthorized"):
        await client.check("member-1")

    assert len(eligibility.requests) == 2
    assert len(optum_auth.token_requests) == 2


async def test_a_wrong_secret_is_an_error_and_no_call_of_the_api(
    optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    async with EligibilityClient(optum_auth.credentials.client_id, "wrong") as client:
        with pytest.raises(httpx.HTTPStatusError, match="401 Unauthorized"):
            await client.check("member-1")

    assert optum_auth.token_requests[0].outcome == "refused: client_secret is wrong"
    assert len(eligibility.requests) == 0
