"""What real clients do when the gateway has a bad day: their own retries are honoured."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter
from token_requests import fields
from transports_under_test import TLS
from urllib3 import Retry

from pytest_optum_auth import FakeOptum, Fault, faults


def session_with(retry: Retry | int) -> requests.Session:
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=retry))
    return session


@pytest.mark.parametrize(
    ("fault", "retry"),
    [
        (faults.http_error(503), Retry(2, status_forcelist=[503], allowed_methods=None)),
        (faults.connect_error(), Retry(connect=2)),
        (faults.timeout(), Retry(read=2, allowed_methods=None)),
        (faults.disconnect(), Retry(read=2, allowed_methods=None)),
        (faults.connect_error(), 2),
    ],
    ids=["503", "connect", "timeout", "disconnect", "number"],
)
def test_a_mounted_retry_of_urllib3_tries_again(
    fault: Fault, retry: Retry | int, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(fault, times=2)

    with session_with(retry) as session:
        answer = session.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert answer.status_code == 200
    assert injection.hits == 2
    assert [e.status for e in optum_auth.token_requests][2:] == [200]
    assert len(optum_auth.token_requests) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.http_error(503), requests.exceptions.RetryError),
        (faults.connect_error(), requests.ConnectionError),
        (faults.timeout(), requests.ConnectionError),
    ],
)
def test_a_retry_gives_up_after_its_last_try(
    fault: Fault, error: type[Exception], optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(fault, times=None)
    retry = Retry(2, status_forcelist=[503], allowed_methods=None)

    with session_with(retry) as session, pytest.raises(error, match="Max retries exceeded"):
        session.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert injection.hits == 3


def test_without_a_retry_requests_tries_once(optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.connect_error(), times=None)

    with requests.Session() as session, pytest.raises(requests.ConnectionError):
        session.post(optum_auth.token_url, data=fields(optum_auth))

    assert injection.hits == 1


def test_a_retry_sleeps_as_long_as_retry_after_says(
    optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    optum_auth.inject(faults.rate_limited(retry_after=7))
    slept: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    retry = Retry(1, status_forcelist=[429], allowed_methods=None)

    with session_with(retry) as session:
        answer = session.post(optum_auth.token_url, data=fields(optum_auth))

    assert (answer.status_code, slept) == (200, [7])


def retrying(library: ModuleType) -> Any:
    """A transport as people write it: around the library's own, again after a 503."""

    class RetryTransport(library.BaseTransport):
        def __init__(self) -> None:
            self._inner = library.HTTPTransport(verify=TLS)
            self.tries = 0

        def handle_request(self, request: Any) -> Any:
            while True:
                self.tries += 1
                response = self._inner.handle_request(request)
                if response.status_code != 503 or self.tries == 5:
                    return response
                response.close()

    return RetryTransport()


LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda lib: lib.__name__)


@LIBRARIES
def test_a_retry_transport_around_the_librarys_own_tries_again(
    library: ModuleType, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(faults.http_error(503), times=2)
    transport = retrying(library)

    with library.Client(transport=transport) as client:
        answer = client.post(optum_auth.token_url, data=fields(optum_auth))

    assert (answer.status_code, transport.tries, injection.hits) == (200, 3, 2)
    assert [e.status for e in optum_auth.token_requests] == [503, 503, 200]


@LIBRARIES
def test_a_retry_transport_gives_up_after_its_last_try(
    library: ModuleType, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(faults.http_error(503), times=None)

    with library.Client(transport=retrying(library)) as client:
        answer = client.post(optum_auth.token_url, data=fields(optum_auth))

    assert (answer.status_code, injection.hits) == (503, 5)


@LIBRARIES
@pytest.mark.parametrize(("retries", "times"), [(2, 2), (1, 2), (0, 1)])
def test_the_librarys_own_retries_connect_again(
    retries: int, times: int, library: ModuleType, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(faults.connect_error(), times=times)
    transport = library.HTTPTransport(verify=TLS, retries=retries)

    with library.Client(transport=transport) as client:
        if retries >= times:
            assert client.post(optum_auth.token_url, data=fields(optum_auth)).status_code == 200
        else:
            with pytest.raises(library.ConnectError):
                client.post(optum_auth.token_url, data=fields(optum_auth))

    assert injection.hits == times


@LIBRARIES
def test_so_do_those_of_its_async_transport(library: ModuleType, optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.connect_error(), times=2)

    async def main() -> int:
        transport = library.AsyncHTTPTransport(verify=TLS, retries=2)
        async with library.AsyncClient(transport=transport) as client:
            answer = await client.post(optum_auth.token_url, data=fields(optum_auth))
            return int(answer.status_code)

    assert asyncio.run(main()) == 200
    assert injection.hits == 2


@LIBRARIES
def test_the_librarys_own_retries_do_not_repeat_what_was_sent(
    library: ModuleType, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(faults.disconnect())
    transport = library.HTTPTransport(verify=TLS, retries=2)

    with library.Client(transport=transport) as client, pytest.raises(library.RemoteProtocolError):
        client.post(optum_auth.token_url, data=fields(optum_auth))

    assert injection.hits == 1
    assert len(optum_auth.token_requests) == 1


def test_authlib_keeps_an_error_as_its_token(optum_auth: FakeOptum) -> None:
    client_id, client_secret = optum_auth.credentials
    optum_auth.inject(faults.invalid_client())
    client = OAuth2Session(
        client_id, client_secret, token_endpoint_auth_method="client_secret_post"
    )

    kept = client.fetch_token(optum_auth.token_url, grant_type="client_credentials")

    assert kept == client.token
    assert kept["failureReason"] == "InvalidClient"
    assert "access_token" not in kept


def test_authlib_raises_the_error_that_rfc_6749_describes(optum_auth: FakeOptum) -> None:
    client_id, client_secret = optum_auth.credentials
    optum_auth.error_format = "rfc6749"
    optum_auth.inject(faults.invalid_client())
    client = OAuth2Session(
        client_id, client_secret, token_endpoint_auth_method="client_secret_post"
    )

    with pytest.raises(Exception, match="invalid_client: Client authentication failed"):
        client.fetch_token(optum_auth.token_url, grant_type="client_credentials")

    assert not client.token
