"""The clients of a team, and the fixtures that build them: known to its suites alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

BASE = "https://sandbox-apigw.optum.com"
TOKEN_URL = f"{BASE}/apip/auth/sntl/v1/token"


class Rejected(Exception):
    """An API did not take what it was sent."""


class _Tokens:
    """Remembers a token until a minute before its end."""

    def __init__(self, credentials: tuple[str, str]) -> None:
        client_id, client_secret = credentials
        self.form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self.fetched = 0
        self._value = ""
        self._until = 0.0

    @property
    def is_good(self) -> bool:
        return time.time() < self._until

    def keep(self, answer: dict[str, Any]) -> None:
        self._value = answer["access_token"]
        self._until = time.time() + max(1, answer["expires_in"] - 60)
        self.fetched += 1

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._value}"}


class Client:
    """On requests; it asks again, twice, when the gateway is busy."""

    def __init__(self, credentials: tuple[str, str]) -> None:
        self.tokens = _Tokens(credentials)
        self.session = requests.Session()
        again = Retry(total=2, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
        self.session.mount(BASE, HTTPAdapter(max_retries=again))

    def call(self, method: str, path: str, **parts: Any) -> requests.Response:
        if not self.tokens.is_good:
            answer = self.session.post(TOKEN_URL, data=self.tokens.form, timeout=10)
            answer.raise_for_status()
            self.tokens.keep(answer.json())
        headers = {**self.tokens.headers, **parts.pop("headers", {})}
        answer = self.session.request(method, BASE + path, headers=headers, timeout=10, **parts)
        if answer.status_code in (400, 401, 404, 422):
            raise Rejected(answer.status_code)
        answer.raise_for_status()
        return answer


class HttpxClient:
    """On httpx, sync and async."""

    def __init__(self, credentials: tuple[str, str]) -> None:
        self.tokens = _Tokens(credentials)
        self.http = httpx.Client(base_url=BASE)

    def call(self, method: str, path: str, **parts: Any) -> httpx.Response:
        if not self.tokens.is_good:
            self.tokens.keep(self.http.post(TOKEN_URL, data=self.tokens.form).json())
        headers = {**self.tokens.headers, **parts.pop("headers", {})}
        return _checked(self.http.request(method, path, headers=headers, **parts))

    async def acall(self, method: str, path: str, **parts: Any) -> httpx.Response:
        async with httpx.AsyncClient(base_url=BASE) as http:
            self.tokens.keep((await http.post(TOKEN_URL, data=self.tokens.form)).json())
            return _checked(await http.request(method, path, headers=self.tokens.headers, **parts))


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in (400, 401, 404, 422):
        raise Rejected(answer.status_code)
    return answer.raise_for_status()


@pytest.fixture
def client(credentials: tuple[str, str]) -> Iterator[Client]:
    client = Client(credentials)
    yield client
    client.session.close()


@pytest.fixture
def httpx_client(credentials: tuple[str, str]) -> Iterator[HttpxClient]:
    client = HttpxClient(credentials)
    yield client
    client.http.close()
