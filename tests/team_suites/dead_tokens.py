"""The negative control: a token has died when an API sees it, so that no stub is reached."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_optum_auth import Credentials, FakeOptum
from team_suites.with_optum_auth import freeze, stub_token

__all__ = ["credentials", "freeze", "stub_token"]


@pytest.fixture
def credentials(optum_auth: FakeOptum) -> Iterator[Credentials]:
    optum_auth.lifetime = 0
    yield optum_auth.credentials
    statuses = {exchange.status for exchange in optum_auth.api_requests}
    assert statuses == {401}, f"a stub was reached: {optum_auth.timeline()}"
