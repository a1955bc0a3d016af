"""The page of the failures: each line that it explains is one that the timeline has."""

from __future__ import annotations

import contextlib
import re

import httpx
import pytest
import requests
import respx
from documentation_pages import text_of

from pytest_optum_auth import Clock, FakeOptum, Token, faults

FORM = "application/x-www-form-urlencoded"


def lines_of(heading: str) -> set[str]:
    """The first column of the table under that heading."""
    section = text_of("how-to/failures.md").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.M))


def test_those_of_token_requests(optum_auth: FakeOptum, optum_clock: Clock) -> None:
    client_id, client_secret = optum_auth.credentials
    right = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    unescaped = "&".join(f"{name}={value}" for name, value in right.items())

    def ask(data: object = None, **request: object) -> None:
        requests.post(optum_auth.token_url, data=data, **request)

    ask(right)
    optum_clock.tick(60)
    ask(right)
    ask({**right, "client_id": "nobody"})
    ask({**right, "client_secret": "wrong"})
    ask(unescaped, headers={"Content-Type": FORM})
    ask(json=right)
    ask({"scope": "openid"}, auth=("me", "secret"))
    ask({"scope": "openid"}, params=right)
    optum_auth.inject(faults.server_error())
    ask(right)

    seen = {exchange.outcome.replace("server_error()", "...") for exchange in optum_auth.exchanges}
    assert lines_of("Token requests") == seen - {"issued token #1"}


@pytest.mark.optum_auth(strict=False)
def test_those_of_calls_of_an_api(optum_auth: FakeOptum, optum_clock: Clock) -> None:
    path = optum_auth.protect("GET", "/claims", scope="claims").path
    with FakeOptum() as another:
        kept = another.issue_token()

    def ask(token: Token | None, path: str = path) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with contextlib.suppress(httpx.HTTPError, AssertionError):
            httpx.get(f"{optum_auth.base_url}{path}", headers=headers)

    token = optum_auth.issue_token()
    ask(token)
    ask(None)
    ask(kept)
    ask(None, "/another")
    with respx.mock:
        ask(token, "/another")
    optum_clock.expire_token()
    ask(token)
    optum_auth.revoke(token)
    ask(token)

    seen = {
        exchange.outcome.removeprefix("token #1 accepted, ") for exchange in optum_auth.exchanges
    }
    assert lines_of("Calls of an API") == seen
