"""One token request on an open client, against the same request to a static stub.

The floor is what the client library itself takes, with a transport of its own that answers at once.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import requests
import requests_mock
import responses
import respx
from requests.adapters import BaseAdapter

from benchmarks.measure import Figure, cpu_seconds, ratios
from pytest_optum_auth import FakeOptum

URL = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"
FORM = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "s3cr3t"}
ANSWER = {
    "access_token": "a" * 400,
    "expires_in": 7200,
    "refresh_expires_in": 0,
    "token_type": "Bearer",
    "not-before-policy": 0,
    "scope": "broker-read-token idp openid email profile",
}
CALLS = 50


class _AtOnce(BaseAdapter):
    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.url = request.url or ""
        response.request = request
        response.raw = io.BytesIO(json.dumps(ANSWER).encode())
        return response

    def close(self) -> None:
        """Nothing is open."""


def _at_once() -> requests.Session:
    session = requests.Session()
    session.mount("https://", _AtOnce())
    return session


def _answer(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=ANSWER)


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of a token request."""
    with requests.Session() as session, httpx.Client() as client:

        def stub_of_responses() -> float:
            with responses.RequestsMock() as mock:
                mock.post(URL, json=ANSWER)
                return _token_requests(session)

        def stub_of_requests_mock() -> float:
            with requests_mock.Mocker() as mock:
                mock.post(URL, json=ANSWER)
                return _token_requests(session)

        def stub_of_respx() -> float:
            with respx.mock() as mock:
                mock.post(URL).respond(json=ANSWER)
                return _token_requests(client)

        def ours(sender: Any) -> float:
            with FakeOptum(client_id="me", client_secret="s3cr3t"):
                return _token_requests(sender)

        def floor(sender: Any) -> float:
            with sender:
                return _token_requests(sender)

        seen = ratios(
            stub_of_responses,
            {
                "ours": lambda: ours(session),
                "requests-mock": stub_of_requests_mock,
                "floor": lambda: floor(_at_once()),
            },
            rounds * 3,
        )
        yield Figure(
            "token request, requests / static stub of responses", seen.pop("ours"), 0.75, seen
        )
        seen = ratios(
            stub_of_respx,
            {
                "ours": lambda: ours(client),
                "floor": lambda: floor(httpx.Client(transport=httpx.MockTransport(_answer))),
            },
            rounds * 3,
        )
        yield Figure("token request, httpx / static stub of respx", seen.pop("ours"), 0.8, seen)


def _token_requests(sender: Any) -> float:
    def fetch() -> None:
        assert sender.post(URL, data=FORM).json()["expires_in"] == 7200

    fetch()
    return cpu_seconds(fetch, CALLS)
