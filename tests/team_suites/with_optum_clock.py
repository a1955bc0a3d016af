"""The clock of the plugin in place of freezegun, too."""

from __future__ import annotations

import pytest

from pytest_optum_auth import Clock
from team_suites.by_hand import Freeze
from team_suites.with_optum_auth import credentials, stub_token

__all__ = ["credentials", "freeze", "stub_token"]


@pytest.fixture
def freeze() -> Freeze:
    return Clock
