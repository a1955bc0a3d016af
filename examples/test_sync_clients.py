"""The clients on requests and on Authlib: a token's life, from the first call to a wrong secret."""

from __future__ import annotations

import authlib_client
import pytest
import requests
import requests_client

from pytest_optum_auth import ApiRoute, Clock, Credentials, FakeOptum, faults

Client = requests_client.EligibilityClient | authlib_client.EligibilityClient
CLIENTS = [requests_client.EligibilityClient, authlib_client.EligibilityClient]


@pytest.fixture(params=CLIENTS, ids=["requests", "authlib"])
def client_class(request: pytest.FixtureRequest) -> type[Client]:
    chosen: type[Client] = request.param
    return chosen


@pytest.fixture
def client(client_class: type[Client], optum_auth: FakeOptum) -> Client:
    return client_class(*optum_auth.credentials)


def test_the_first_call_obtains_a_token(
    client: Client, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    assert client.check("member-1") == {"covered": True}

    assert len(optum_auth.token_requests) == 1
    assert eligibility.requests[0].token is optum_auth.last_token


def test_later_calls_reuse_it(client: Client, optum_auth: FakeOptum, eligibility: ApiRoute) -> None:
    for number in range(3):
        client.check(f"member-{number}")

    assert len(eligibility.requests) == 3
    assert len(optum_auth.token_requests) == 1


def test_it_is_replaced_in_the_last_minute_of_its_life(
    client: Client, optum_auth: FakeOptum, optum_clock: Clock, eligibility: ApiRoute
) -> None:
    client.check("member-1")

    optum_clock.nearly_expire_token(margin=61)
    client.check("member-2")
    assert len(optum_auth.token_requests) == 1

    optum_clock.nearly_expire_token(margin=59)
    client.check("member-3")
    assert len(optum_auth.token_requests) == 2
    assert not optum_auth.needless_token_requests


def test_it_is_replaced_when_it_has_expired(
    client: Client, optum_auth: FakeOptum, optum_clock: Clock, eligibility: ApiRoute
) -> None:
    client.check("member-1")

    optum_clock.expire_token()
    client.check("member-2")

    assert [exchange.status for exchange in eligibility.requests] == [200, 200]
    assert len(optum_auth.token_requests) == 2


def test_a_revoked_token_costs_one_refusal_one_refresh_and_one_retry(
    client: Client, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    client.check("member-1")

    optum_auth.revoke_all()
    assert client.check("member-2") == {"covered": True}

    assert [exchange.status for exchange in eligibility.requests] == [200, 401, 200]
    assert len(optum_auth.token_requests) == 2


@pytest.mark.optum_auth(lifetime=3600)
def test_so_does_a_token_that_dies_before_its_advertised_end(
    client: Client, optum_auth: FakeOptum, optum_clock: Clock, eligibility: ApiRoute
) -> None:
    client.check("member-1")

    optum_clock.expire_token()
    client.check("member-2")

    assert [exchange.status for exchange in eligibility.requests] == [200, 401, 200]
    assert len(optum_auth.token_requests) == 2


def test_a_second_refusal_is_not_answered_by_a_third_try(
    client: Client, optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    eligibility.inject(faults.http_error(401), times=2)

    with pytest.raises(requests.HTTPError, match="401 Client Error"):
        client.check("member-1")

    assert len(eligibility.requests) == 2
    assert len(optum_auth.token_requests) == 2


def test_a_wrong_secret_is_an_error_and_no_call_of_the_api(
    client_class: type[Client], optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    client = client_class(optum_auth.credentials.client_id, "wrong")

    with pytest.raises(requests.HTTPError, match="401 Client Error"):
        client.check("member-1")

    assert optum_auth.token_requests[0].outcome == "refused: client_secret is wrong"
    assert len(eligibility.requests) == 0


@pytest.mark.usefixtures("optum_env")
def test_credentials_come_from_the_environment_as_well(
    client_class: type[Client], optum_auth: FakeOptum, eligibility: ApiRoute
) -> None:
    client_class().check("member-1")

    assert optum_auth.last_token is not None
    assert optum_auth.last_token.client_id == optum_auth.credentials.client_id


def test_a_rotated_secret_is_an_error_at_the_next_refresh_only(
    client: Client, optum_auth: FakeOptum, optum_clock: Clock, eligibility: ApiRoute
) -> None:
    client.check("member-1")
    rotated: Credentials = optum_auth.rotate_secret()
    client.check("member-2")

    optum_clock.expire_token()
    with pytest.raises(requests.HTTPError, match="401 Client Error"):
        client.check("member-3")
    assert optum_auth.credentials == rotated
