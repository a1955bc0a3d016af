"""The clients keep every promise of a good client: twenty tests of each from three lines."""

from __future__ import annotations

import authlib_client
import httpx_client
import pytest
import requests_client

from pytest_optum_auth import ApiRoute, ClientCheck, FakeOptum


def test_requests(
    optum_auth: FakeOptum, eligibility: ApiRoute, optum_client_check: ClientCheck
) -> None:
    client = requests_client.EligibilityClient(*optum_auth.credentials)
    optum_client_check(lambda: client.check("member-1"))


def test_authlib(
    optum_auth: FakeOptum, eligibility: ApiRoute, optum_client_check: ClientCheck
) -> None:
    client = authlib_client.EligibilityClient(*optum_auth.credentials)
    optum_client_check(lambda: client.check("member-1"))


@pytest.mark.anyio
async def test_httpx(
    optum_auth: FakeOptum, eligibility: ApiRoute, optum_client_check: ClientCheck
) -> None:
    async with httpx_client.EligibilityClient(*optum_auth.credentials) as client:
        await optum_client_check.run_async(lambda: client.check("member-1"))
