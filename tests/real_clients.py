"""The well-known OAuth libraries, each used as its documentation says, with form fields.

A client is made for a fake and a secret, and is then called with a URL: it fetches its token,
keeps it, fetches the next one when it must, and returns the status of the API's answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from httpx_auth import InvalidGrantRequest as HttpxAuthRefusal
from httpx_auth import OAuth2ClientCredentials as HttpxAuth
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error, TokenExpiredError
from requests_auth import InvalidGrantRequest as RequestsAuthRefusal
from requests_auth import OAuth2ClientCredentials as RequestsAuth
from requests_oauth2client import EndpointError, InvalidTokenResponse, OAuth2ClientCredentialsAuth
from requests_oauth2client import OAuth2Client as OAuth2ClientOfRequests
from requests_oauthlib import OAuth2Session
from transports_under_test import TLS

from pytest_optum_auth import FakeOptum

Get = Callable[[str], int]
Loop = asyncio.AbstractEventLoop
Make = Callable[[FakeOptum, str, Loop], Get]


def requests_oauthlib(fake: FakeOptum, secret: str, _: Loop) -> Get:
    client_id = fake.credentials.client_id
    session = OAuth2Session(client=BackendApplicationClient(client_id))

    def fetch() -> None:
        session.fetch_token(fake.token_url, client_secret=secret, include_client_id=True)

    def get(url: str) -> int:
        if not session.token:
            fetch()
        try:
            return int(session.get(url).status_code)
        except TokenExpiredError:
            fetch()
            return int(session.get(url).status_code)

    return get


def _authlib_settings(fake: FakeOptum, secret: str) -> dict[str, Any]:
    return {
        "client_id": fake.credentials.client_id,
        "client_secret": secret,
        "token_endpoint": fake.token_url,
        "token_endpoint_auth_method": "client_secret_post",
        "grant_type": "client_credentials",
    }


def _checked(token: dict[str, Any]) -> None:
    # Authlib keeps an error as its token.
    if "access_token" not in token:
        raise PermissionError(token)


def authlib_requests(fake: FakeOptum, secret: str, _: Loop) -> Get:
    session = AuthlibSession(**_authlib_settings(fake, secret))

    def get(url: str) -> int:
        if not session.token:
            _checked(session.fetch_token())
        return int(session.get(url).status_code)

    return get


def authlib_httpx(fake: FakeOptum, secret: str, _: Loop) -> Get:
    client = OAuth2Client(**_authlib_settings(fake, secret), verify=TLS)

    def get(url: str) -> int:
        if not client.token:
            _checked(client.fetch_token())
        return int(client.get(url).status_code)

    return get


def authlib_httpx_async(fake: FakeOptum, secret: str, loop: Loop) -> Get:
    client = AsyncOAuth2Client(**_authlib_settings(fake, secret), verify=TLS)

    async def get(url: str) -> int:
        if not client.token:
            _checked(await client.fetch_token())
        return int((await client.get(url)).status_code)

    return lambda url: loop.run_until_complete(get(url))


class FormHttpxAuth(HttpxAuth):
    """httpx-auth sends a Basic header, and with this the form fields as well."""

    def __init__(self, token_url: str, client_id: str, client_secret: str) -> None:
        client = httpx.Client(verify=TLS)
        super().__init__(token_url, client_id, client_secret, client=client)
        self.data |= {"client_id": client_id, "client_secret": client_secret}


def httpx_auth(fake: FakeOptum, secret: str, _: Loop) -> Get:
    auth = FormHttpxAuth(fake.token_url, fake.credentials.client_id, secret)
    client = httpx.Client(auth=auth, verify=TLS)
    return lambda url: client.get(url).status_code


def httpx_auth_async(fake: FakeOptum, secret: str, loop: Loop) -> Get:
    auth = FormHttpxAuth(fake.token_url, fake.credentials.client_id, secret)
    client = httpx.AsyncClient(auth=auth, verify=TLS)
    return lambda url: loop.run_until_complete(client.get(url)).status_code


def requests_auth(fake: FakeOptum, secret: str, _: Loop) -> Get:
    client_id = fake.credentials.client_id
    auth = RequestsAuth(fake.token_url, client_id, secret)
    auth.data |= {"client_id": client_id, "client_secret": secret}
    return lambda url: requests.get(url, auth=auth).status_code


def requests_oauth2client(fake: FakeOptum, secret: str, _: Loop) -> Get:
    client = OAuth2ClientOfRequests(fake.token_url, auth=(fake.credentials.client_id, secret))
    auth = OAuth2ClientCredentialsAuth(client)
    return lambda url: requests.get(url, auth=auth).status_code


CLIENTS: dict[str, Make] = {
    "requests-oauthlib": requests_oauthlib,
    "Authlib-requests": authlib_requests,
    "Authlib-httpx": authlib_httpx,
    "Authlib-httpx-async": authlib_httpx_async,
    "httpx-auth": httpx_auth,
    "httpx-auth-async": httpx_auth_async,
    "requests-auth": requests_auth,
    "requests-oauth2client": requests_oauth2client,
}
# What each of them raises when the endpoint refuses it.
REFUSALS: dict[str, tuple[type[Exception], ...]] = {
    "requests-oauthlib": (OAuth2Error,),
    "Authlib-requests": (PermissionError, OAuthError),
    "Authlib-httpx": (PermissionError, OAuthError),
    "Authlib-httpx-async": (PermissionError, OAuthError),
    "httpx-auth": (HttpxAuthRefusal,),
    "httpx-auth-async": (HttpxAuthRefusal,),
    "requests-auth": (RequestsAuthRefusal,),
    "requests-oauth2client": (InvalidTokenResponse, EndpointError),
}
# How many seconds before its end each of them fetches the next token; -1: one second after.
LEEWAY = {
    "requests-oauthlib": -1,
    "Authlib-requests": 60,
    "Authlib-httpx": 60,
    "Authlib-httpx-async": 60,
    "httpx-auth": 30,
    "httpx-auth-async": 30,
    "requests-auth": 30,
    "requests-oauth2client": 20,
}
