"""An eligibility client on httpx, for asyncio: one coroutine fetches the token, the others wait."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from typing import Any

import httpx

SANDBOX = "https://sandbox-apigw.optum.com"
# A token is replaced this long before its end (seconds).
MARGIN = 60


class OptumAuth(httpx.Auth):
    """Adds a bearer token to each request, and fetches a new one when it is needed."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self.token_url = os.environ.get("OPTUM_TOKEN_URL", f"{SANDBOX}/apip/auth/sntl/v1/token")
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._lock = asyncio.Lock()
        self._token = ""
        self._replace_at = 0.0

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        async with self._lock:
            if time.time() >= self._replace_at:
                await self._keep((yield self._token_request(request)))
            token = self._token
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            # Dead before its time. Tried once more only: a second refusal has another reason.
            async with self._lock:
                if self._token == token:  # else another coroutine has replaced it already
                    await self._keep((yield self._token_request(request)))
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _token_request(self, request: httpx.Request) -> httpx.Request:
        """One with the timeout of ``request``: httpx gives its own to no request of a flow."""
        form = {"grant_type": "client_credentials", **self._credentials}
        return httpx.Request("POST", self.token_url, data=form, extensions=request.extensions)

    async def _keep(self, response: httpx.Response) -> None:
        await response.aread()  # inside an auth flow, httpx has not read it yet
        answer = response.raise_for_status().json()
        self._token = answer["access_token"]
        # May be left out (RFC 6749 section 5.1), and some gateways write a string.
        self._replace_at = time.time() + int(answer.get("expires_in", 300)) - MARGIN


class EligibilityClient:
    """Asks Optum whether a member is covered. Use it as a context manager."""

    def __init__(self, client_id: str | None = None, client_secret: str | None = None) -> None:
        auth = OptumAuth(
            client_id or os.environ["OPTUM_CLIENT_ID"],
            client_secret or os.environ["OPTUM_CLIENT_SECRET"],
        )
        base_url = os.environ.get("OPTUM_BASE_URL", SANDBOX)
        self.http = httpx.AsyncClient(auth=auth, base_url=base_url, timeout=10)

    async def __aenter__(self) -> EligibilityClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def check(self, member_id: str) -> Any:
        """The answer of the eligibility API; ``httpx.HTTPError`` when there is none."""
        path = "/oihub/eligibility/v1/pre-service/member"
        response = await self.http.post(path, json={"memberId": member_id})
        return response.raise_for_status().json()
