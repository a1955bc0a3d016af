"""pook, which replaces urllib3's own urlopen, the transports of httpx and aiohttp's requests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pytest_optum_auth import FakeOptum

aiohttp = pytest.importorskip("aiohttp")
httpx = pytest.importorskip("httpx")
pook = pytest.importorskip("pook")
requests = pytest.importorskip("requests")


def by_aiohttp(url: str, form: dict[str, str]) -> int:
    async def go() -> int:
        async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
            status: int = answer.status
            return status

    return asyncio.run(go())


@pytest.mark.parametrize("order", ["pook first", "pook second"])
def test_the_gateway_is_ours_and_another_host_is_that_of_pook(
    order: str, request: pytest.FixtureRequest
) -> None:
    if order == "pook second":
        request.getfixturevalue("optum_auth")
    pook.on()
    try:
        pook.get("https://example.com/", reply=200, response_json={"theirs": True}, times=2)
        optum_auth: FakeOptum = request.getfixturevalue("optum_auth")
        client_id, client_secret = optum_auth.credentials
        form: Any = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        assert requests.post(optum_auth.token_url, data=form, timeout=5).status_code == 200
        assert httpx.post(optum_auth.token_url, data=form).status_code == 200
        assert by_aiohttp(optum_auth.token_url, form) == 200
        for library in (requests, httpx):
            assert library.get("https://example.com/", timeout=5).json() == {"theirs": True}
    finally:
        pook.off()
