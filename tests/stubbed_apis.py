"""APIs behind the gateway that are stubs of ``optum_responses`` or ``optum_respx``."""

from __future__ import annotations

from token_requests import call
from transports_under_test import Answer, Send

from pytest_optum_auth import FakeOptum

BASE = "https://sandbox-apigw.optum.com"


def bearer(optum_auth: FakeOptum) -> dict[str, str]:
    """Header fields with the token at hand, or with a new one."""
    return {"Authorization": f"Bearer {optum_auth.last_token or optum_auth.issue_token()}"}


def get(send: Send, optum_auth: FakeOptum, tail: str) -> Answer:
    """An API call with that token."""
    return call(send, optum_auth.last_token or optum_auth.issue_token(), f"{BASE}{tail}")
