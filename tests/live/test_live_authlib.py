"""Live runs against an authorization server that nobody here wrote: Authlib's, under werkzeug."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme
from authlib_stand_in import authlib_serving
from live_runs import LiveRuns
from stand_in import server_context
from test_live_contract import CONTRACT, broken_promises


@pytest.fixture(scope="module")
def served_by_authlib(authority: trustme.CA) -> Iterator[str]:
    with authlib_serving(server_context(authority)) as token_url:
        yield token_url


@pytest.fixture
def authlib(
    served_by_authlib: str, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> str:
    """The token URL of Authlib's server, with the environment set to it."""
    monkeypatch.setenv("OPTUM_TOKEN_URL", served_by_authlib)
    return served_by_authlib


def test_a_live_test_gets_a_token_from_authlib(inner: LiveRuns, authlib: str) -> None:
    inner.tests(
        """
        def test_token(optum_live):
            assert optum_live.headers == {"Authorization": f"Bearer {optum_live.access_token}"}
            assert optum_live.access_token.count(".") == 2
        """
    )

    inner.run("--optum-live=require").assert_outcomes(passed=1)


def test_a_wrong_secret_is_told_from_authlib_s_refusal(
    inner: LiveRuns, authlib: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "not-the-secret-of-this-client")
    inner.tests("def test_token(optum_live): optum_live.access_token")

    result = inner.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E * localhost refused the credentials (400): check OPTUM_CLIENT_ID and "
            "OPTUM_CLIENT_SECRET, credentials of production or of another organisation are not "
            "valid here."
        ]
    )


def test_the_contract_names_where_authlib_departs_from_optum(inner: LiveRuns, authlib: str) -> None:
    result = inner.run(*CONTRACT)

    # A refused client is 400 there unless it tried Basic, which RFC 6749 section 5.2 allows.
    assert broken_promises(result) == [
        "A JSON body is refused with 415",
        "A refusal is the published envelope: status, failureReason, Errors",
        "A right request gets 200 and exactly the documented keys",
        "A scope that was not granted is refused with 403",
        "A value has the documented type: scope",
        "A value is the number 0: there is no refresh token: not-before-policy",
        "A value is the number 0: there is no refresh token: refresh_expires_in",
        "A wrong secret is refused with 401",
        "An unknown client is refused with 401",
    ]
    result.stdout.fnmatch_lines(["promised is 401, the endpoint gave 400"])
