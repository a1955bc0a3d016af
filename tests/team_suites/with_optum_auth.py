"""The same without the stub: Optum's token endpoint is the fake's."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_optum_auth import Credentials, FakeOptum
from team_suites.by_hand import StubToken, freeze

__all__ = ["credentials", "freeze", "stub_token"]


@pytest.fixture
def stub_token() -> StubToken:
    def nothing(mock: Any) -> None:
        """Nobody need stub it."""

    return nothing


@pytest.fixture
def credentials(optum_auth: FakeOptum) -> Credentials:
    return optum_auth.credentials
