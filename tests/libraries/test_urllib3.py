"""requests over whichever urllib3 is installed: 1.26, 2.0, the newest, or urllib3-future."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pytest_optum_auth import FakeOptum, Server, faults


def fields(optum: FakeOptum | Server) -> dict[str, str]:
    client_id, client_secret = optum.credentials
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }


def test_a_token(optum_auth: FakeOptum) -> None:
    answer = requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert answer.status_code == 200
    assert answer.json()["access_token"] == str(optum_auth.last_token)
    assert answer.raw.version == 11
    assert optum_auth.token_requests[0].timeout == 5


def test_an_answer_that_is_read_bit_by_bit_and_its_cookie(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/claims", headers={"Set-Cookie": "name=value"})
    bearer = {"Authorization": f"Bearer {optum_auth.issue_token()}"}

    with requests.Session() as session:
        answer = session.get(f"{optum_auth.base_url}/claims", headers=bearer, stream=True)
        assert list(answer.iter_content(1)) == [b"{", b"}"]
        assert session.cookies["name"] == "value"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.connect_error(), requests.ConnectionError),
        (faults.timeout(), requests.ReadTimeout),
        (faults.disconnect(), requests.ConnectionError),
        (faults.slow(30), requests.ReadTimeout),
    ],
    ids=repr,
)
def test_a_network_that_fails(fault: Any, error: type[Exception], optum_auth: FakeOptum) -> None:
    optum_auth.inject(fault)

    with pytest.raises(error):
        requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=0.05)


def test_the_users_own_retries(optum_auth: FakeOptum) -> None:
    for fault in (faults.server_error(), faults.connect_error(), faults.rate_limited(0)):
        optum_auth.inject(fault)
    # urllib3 2 has renamed what `False` means every method in.
    every = "allowed_methods" if hasattr(Retry, "DEFAULT_ALLOWED_METHODS") else "method_whitelist"
    retry = Retry(5, status_forcelist=[429, 500], **{every: False})

    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=retry))
        answer = session.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert (answer.status_code, len(optum_auth.token_requests)) == (200, 4)


def test_real_https(optum_server: Server) -> None:
    url, ca = optum_server.token_url, optum_server.ca_bundle

    answer = requests.post(url, data=fields(optum_server), timeout=5, verify=str(ca))

    assert answer.status_code == 200
