"""The token endpoint as a team stubs it by hand, in each of its tools."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import pytest
from freezegun import freeze_time

from team_suites.clients import TOKEN_URL

ANSWER = {"access_token": "t0k3n", "expires_in": 7200, "token_type": "Bearer"}


class StubToken(Protocol):
    """Lets the token endpoint answer within ``mock``, which is one of the tools."""

    def __call__(self, mock: Any) -> None: ...


class Freeze(Protocol):
    """Time stands still within, from ``start`` on; ``tick(seconds)`` moves it."""

    def __call__(self, start: str) -> AbstractContextManager[Any]: ...


@pytest.fixture
def freeze() -> Freeze:
    return freeze_time


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
