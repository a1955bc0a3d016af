"""The negative control: every token has died when an API sees it, so that no stub is reached."""

from __future__ import annotations

import pytest

from pytest_optum_auth import Credentials, FakeOptum
from team_suites.with_optum_auth import stub_token  # noqa: F401


@pytest.fixture
def credentials(optum_auth: FakeOptum) -> Credentials:
    optum_auth.lifetime = 0
    return optum_auth.credentials


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function):  # type: ignore[no-untyped-def]
    """Each test makes API requests, all of them are refused, and so it fails."""
    optum_auth = pyfuncitem.funcargs["optum_auth"]
    try:
        yield
    except BaseException:
        statuses = {exchange.status for exchange in optum_auth.api_requests}
        pyfuncitem.user_properties.append(("statuses", statuses))
        raise
