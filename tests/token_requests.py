"""Requests to the fake as the documentation asks for them, and with something changed."""

from __future__ import annotations

import datetime as dt

import pytest
from transports_under_test import Answer, Send, send_with_requests

from pytest_optum_auth import FakeOptum

API = "https://sandbox-apigw.optum.com/oihub/claim/inquiry/v1"
SCOPE = "broker-read-token idp openid email profile"

START = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
at_new_year = pytest.mark.optum_clock(START)


def fields(optum_auth: FakeOptum, **changes: str | None) -> dict[str, str]:
    """The fields of a right token request, with ``changes``; ``None`` leaves a field out."""
    client_id, client_secret = optum_auth.credentials
    right: dict[str, str | None] = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    return {name: value for name, value in (right | changes).items() if value is not None}


def ask(send: Send, optum_auth: FakeOptum, **changes: str | None) -> Answer:
    """A token request with the three fields, or with some of them changed."""
    return send("POST", optum_auth.token_url, data=fields(optum_auth, **changes))


def get_token(send: Send, optum_auth: FakeOptum, **changes: str | None) -> str:
    """The access token of a token request that must succeed."""
    answer = ask(send, optum_auth, **changes)
    assert answer.status == 200, answer.content
    token: str = answer.json()["access_token"]
    return token


def bearer(optum_auth: FakeOptum) -> dict[str, str]:
    """Header fields with a new token."""
    return {"Authorization": f"Bearer {optum_auth.issue_token()}"}


def call(
    send: Send, token: object, url: str = API, method: str = "GET", timeout: float = 5.0
) -> Answer:
    """An API call that presents ``token``."""
    headers = {"Authorization": f"Bearer {token}"}
    return send(method, url, headers=headers, timeout=timeout)


def status_of(optum_auth: FakeOptum, token: object) -> int:
    """The status of an API call that presents ``token``."""
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    return call(send_with_requests, token).status
