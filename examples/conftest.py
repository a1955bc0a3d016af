"""What the tests share: the eligibility API behind the gateway."""

from __future__ import annotations

import pytest

from pytest_optum_auth import ApiRoute, FakeOptum


@pytest.fixture
def eligibility(optum_auth: FakeOptum) -> ApiRoute:
    """The eligibility API: it wants a good token and knows one answer."""
    path = "/oihub/eligibility/v1/pre-service/member"
    return optum_auth.protect("POST", path, json={"covered": True})


@pytest.fixture
def anyio_backend() -> str:
    """The event loop for tests that await."""
    return "asyncio"
