"""Caches see in process what they see over HTTPS."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest
import requests

from pytest_optum_auth import FakeOptum


def cache_control() -> Any:
    return pytest.importorskip("cachecontrol").CacheControl(requests.Session())


def requests_cache() -> Any:
    return pytest.importorskip("requests_cache").CachedSession(backend="memory")


@pytest.mark.parametrize("fixture", ["optum_auth", "optum_server"])
@pytest.mark.parametrize("cache", [cache_control, requests_cache])
def test_the_second_call_is_a_hit(
    cache: Any, fixture: str, optum_auth: FakeOptum, request: pytest.FixtureRequest
) -> None:
    target = request.getfixturevalue(fixture)
    kept = {"Cache-Control": "max-age=60", "Date": formatdate(usegmt=True)}
    api = optum_auth.protect("GET", "/payers", json=["01260"], headers=kept)
    bearer = {"Authorization": f"Bearer {optum_auth.issue_token()}"}

    with cache() as session:
        verify = str(ca) if (ca := getattr(target, "ca_bundle", None)) else True
        url = f"{target.base_url}/payers"
        answers = [session.get(url, headers=bearer, verify=verify) for _ in range(2)]

    assert [bool(answer.from_cache) for answer in answers] == [False, True]
    assert [answer.json() for answer in answers] == [["01260"]] * 2
    assert len(api.requests) == 1
