"""Which promises libraries keep: ``python tests/libraries/promises_of_libraries.py``.

Each is used as its documentation says, told to send form fields, and gets the timeout of an API
request where that is an argument of the request. The command writes the table into the page of the
promises.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import aiohttp
import httpx
import requests
from aiohttp_oauth2_client.grant.client_credentials import ClientCredentialsGrant
from aiohttp_oauth2_client.middleware import OAuth2Middleware
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from httpx_auth import OAuth2 as HttpxAuthBase
from httpx_auth import OAuth2ClientCredentials as HttpxAuth
from oauthlib.oauth2 import BackendApplicationClient, TokenExpiredError
from requests_auth import OAuth2 as RequestsAuthBase
from requests_auth import OAuth2ClientCredentials as RequestsAuth
from requests_oauth2client import OAuth2Client as Oauth2clientClient
from requests_oauth2client import OAuth2ClientCredentialsAuth
from requests_oauthlib import OAuth2Session

from pytest_optum_auth import ClientCheck, Clock, FakeOptum
from pytest_optum_auth.checks.client_check import BrokenPromise
from pytest_optum_auth.checks.promises import PROMISES
from pytest_optum_auth.outcome_table import markdown

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reference" / "promises.md"
BEGIN: Final = "<!-- python tests/libraries/promises_of_libraries.py writes from here -->\n"
END: Final = "<!-- to here -->\n"
API: Final = "/oihub/eligibility/v1/pre-service/member"
TIMEOUT: Final = 10
sys.path.append(str(ROOT / "examples"))

AsyncCall = Callable[[], Awaitable[object]]


def requests_oauthlib(fake: FakeOptum) -> Callable[[], object]:
    client_id, secret = fake.credentials
    session = OAuth2Session(client=BackendApplicationClient(client_id))

    def fetch() -> None:
        session.fetch_token(
            fake.token_url, client_secret=secret, include_client_id=True, timeout=TIMEOUT
        )

    def call() -> None:
        if not session.token:
            fetch()
        try:
            response = session.post(fake.base_url + API, timeout=TIMEOUT)
        except TokenExpiredError:
            fetch()
            response = session.post(fake.base_url + API, timeout=TIMEOUT)
        response.raise_for_status()

    return call


def _authlib_settings(fake: FakeOptum) -> dict[str, Any]:
    return {
        "client_id": fake.credentials.client_id,
        "client_secret": fake.credentials.client_secret,
        "token_endpoint": fake.token_url,
        "token_endpoint_auth_method": "client_secret_post",
        "grant_type": "client_credentials",
    }


def authlib_requests(fake: FakeOptum) -> Callable[[], object]:
    session = AuthlibSession(**_authlib_settings(fake), default_timeout=TIMEOUT)

    def call() -> None:
        if not session.token:
            session.fetch_token()
        session.post(fake.base_url + API).raise_for_status()

    return call


def authlib_httpx(fake: FakeOptum) -> Callable[[], object]:
    client = OAuth2Client(**_authlib_settings(fake))

    def call() -> None:
        if not client.token:
            client.fetch_token()
        client.post(fake.base_url + API).raise_for_status()

    return call


@contextlib.asynccontextmanager
async def authlib_httpx_async(fake: FakeOptum) -> AsyncIterator[AsyncCall]:
    async with AsyncOAuth2Client(**_authlib_settings(fake)) as client:

        async def call() -> None:
            if not client.token:
                await client.fetch_token()
            (await client.post(fake.base_url + API)).raise_for_status()

        yield call


def httpx_auth(fake: FakeOptum) -> Callable[[], object]:
    HttpxAuthBase.token_cache.clear()
    client_id, secret = fake.credentials
    auth = HttpxAuth(fake.token_url, client_id, secret)
    auth.data |= {"client_id": client_id, "client_secret": secret}
    client = httpx.Client(auth=auth)
    return lambda: client.post(fake.base_url + API).raise_for_status()


def requests_auth(fake: FakeOptum) -> Callable[[], object]:
    RequestsAuthBase.token_cache.clear()
    client_id, secret = fake.credentials
    auth = RequestsAuth(fake.token_url, client_id, secret)
    auth.data |= {"client_id": client_id, "client_secret": secret}
    return lambda: requests.post(fake.base_url + API, auth=auth, timeout=TIMEOUT).raise_for_status()


def requests_oauth2client(fake: FakeOptum) -> Callable[[], object]:
    client = Oauth2clientClient(fake.token_url, auth=tuple(fake.credentials))
    auth = OAuth2ClientCredentialsAuth(client)
    return lambda: requests.post(fake.base_url + API, auth=auth, timeout=TIMEOUT).raise_for_status()


@contextlib.asynccontextmanager
async def aiohttp_oauth2_client(fake: FakeOptum) -> AsyncIterator[AsyncCall]:
    async with (
        ClientCredentialsGrant(fake.token_url, *fake.credentials) as grant,
        aiohttp.ClientSession(
            middlewares=[OAuth2Middleware(grant)], raise_for_status=True
        ) as session,
    ):

        async def call() -> None:
            async with session.post(fake.base_url + API):
                pass

        yield call


def examples_requests(fake: FakeOptum) -> Callable[[], object]:
    import requests_client

    client = requests_client.EligibilityClient(*fake.credentials)
    return lambda: client.check("member-1")


def examples_authlib(fake: FakeOptum) -> Callable[[], object]:
    import authlib_client

    client = authlib_client.EligibilityClient(*fake.credentials)
    return lambda: client.check("member-1")


@contextlib.asynccontextmanager
async def examples_httpx(fake: FakeOptum) -> AsyncIterator[AsyncCall]:
    import httpx_client

    async with httpx_client.EligibilityClient(*fake.credentials) as client:
        yield lambda: client.check("member-1")


@dataclass(frozen=True)
class Library:
    """A column of the table; ``distribution`` is whose version it was measured with."""

    column: str
    distribution: str
    make: Callable[[FakeOptum], Any]
    is_async: bool = False


LIBRARIES: Final = (
    Library("requests-oauthlib", "requests-oauthlib", requests_oauthlib),
    Library("Authlib, requests", "Authlib", authlib_requests),
    Library("Authlib, httpx", "Authlib", authlib_httpx),
    Library("Authlib, httpx async", "Authlib", authlib_httpx_async, is_async=True),
    Library("httpx-auth", "httpx-auth", httpx_auth),
    Library("requests-auth", "requests-auth", requests_auth),
    Library("requests-oauth2client", "requests-oauth2client", requests_oauth2client),
    Library("aiohttp-oauth2-client", "aiohttp-oauth2-client", aiohttp_oauth2_client, is_async=True),
    Library("`requests_client.py`", "", examples_requests),
    Library("`authlib_client.py`", "", examples_authlib),
    Library("`httpx_client.py`", "", examples_httpx, is_async=True),
)


def keeps(library: Library, promise: str) -> bool:
    """Whether the client on ``library`` keeps ``promise``."""
    with Clock() as clock, FakeOptum(strict=False) as fake:
        fake.protect("POST", API)
        check = ClientCheck(PROMISES[promise], fake, clock)

        async def try_it() -> None:
            async with library.make(fake) as call:
                await check.run_async(call)

        try:
            if library.is_async:
                asyncio.run(try_it())
            else:
                check(library.make(fake))
        except BrokenPromise:
            return False
    return True


def draw() -> str:
    """The table, and the versions that it was measured with."""
    rows = [
        [f"`{promise}`", *("✓" if keeps(library, promise) else "**✗**" for library in LIBRARIES)]
        for promise in PROMISES
    ]
    versions = dict.fromkeys(library.distribution for library in LIBRARIES if library.distribution)
    told = ", ".join(f"{name} {metadata.version(name)}" for name in versions)
    header = ["promise", *(library.column for library in LIBRARIES)]
    return f"{markdown(header, rows)}\nMeasured with {told}.\n"


def drawn() -> str:
    """The same part as it stands on the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.replace(BEGIN + drawn(), BEGIN + draw()), encoding="utf-8")
