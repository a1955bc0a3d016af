"""A gateway on a bad day: what the clients make of it."""

from __future__ import annotations

import httpx
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from httpx_client import EligibilityClient as HttpxClient
from requests.adapters import HTTPAdapter
from requests_client import EligibilityClient
from urllib3.util import Retry

from pytest_optum_auth import ApiRoute, FakeOptum, faults


@pytest.fixture
def client(optum_auth: FakeOptum) -> EligibilityClient:
    return EligibilityClient(*optum_auth.credentials)


def test_a_503_is_retried_when_the_session_says_so(
    client: EligibilityClient, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    retry = Retry(total=3, backoff_factor=0, status_forcelist=[503], allowed_methods={"POST"})
    client.session.mount("https://", HTTPAdapter(max_retries=retry))
    optum_auth.inject(faults.http_error(503), times=2)

    assert client.check("member-1") == {"covered": True}

    assert [exchange.status for exchange in optum_auth.token_requests] == [503, 503, 200]


def test_a_503_reaches_the_caller_otherwise(
    client: EligibilityClient, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    optum_auth.inject(faults.http_error(503))

    with pytest.raises(requests.HTTPError, match="503 Server Error"):
        client.check("member-1")

    assert len(eligibility.requests) == 0


def test_after_an_outage_the_next_call_works(
    client: EligibilityClient, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    with optum_auth.inject(faults.connect_error()), pytest.raises(requests.ConnectionError):
        client.check("member-1")

    assert client.check("member-2") == {"covered": True}


def test_silence_of_the_api_is_a_timeout(client: EligibilityClient, eligibility: ApiRoute) -> None:
    eligibility.inject(faults.timeout())

    with pytest.raises(requests.ReadTimeout):
        client.check("member-1")


class RetryTransport(httpx.AsyncHTTPTransport):
    """Sends again, twice at most, while the gateway answers 503."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(2):
            response = await super().handle_async_request(request)
            if response.status_code != 503:
                return response
            await response.aclose()
        return await super().handle_async_request(request)


@pytest.mark.anyio
async def test_httpx_retries_with_a_transport_of_your_own(
    optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    optum_auth.inject(faults.http_error(503), times=2)

    async with (
        HttpxClient(*optum_auth.credentials) as client,
        httpx.AsyncClient(
            auth=client.http.auth, base_url=client.http.base_url, transport=RetryTransport()
        ) as client.http,
    ):
        assert await client.check("member-1") == {"covered": True}

    assert [exchange.status for exchange in optum_auth.token_requests] == [503, 503, 200]


def test_authlib_alone_keeps_an_error_as_its_token(optum_auth: FakeOptum) -> None:
    session = OAuth2Session(
        optum_auth.credentials.client_id, "wrong", token_endpoint_auth_method="client_secret_post"
    )

    token = session.fetch_token(optum_auth.token_url, grant_type="client_credentials")

    assert token["failureReason"] == "InvalidClient"
    assert "access_token" not in session.token
