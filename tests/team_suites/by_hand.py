"""The token endpoint as a team stubs it by hand, in each of its tools."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from team_suites.clients import TOKEN_URL

ANSWER = {"access_token": "t0k3n", "expires_in": 7200, "token_type": "Bearer"}


class StubToken(Protocol):
    """Lets the token endpoint answer within ``mock``, which is one of the tools."""

    def __call__(self, mock: Any) -> None: ...


@pytest.fixture
def stub_token() -> StubToken:
    def stub(mock: Any) -> None:
        if hasattr(mock, "add_response"):
            mock.add_response(url=TOKEN_URL, json=ANSWER, is_reusable=True)
        elif hasattr(mock, "routes"):
            mock.post(TOKEN_URL).respond(json=ANSWER)
        else:
            mock.post(TOKEN_URL, json=ANSWER)

    return stub


@pytest.fixture
def credentials() -> tuple[str, str]:
    return "client", "secret"
