"""The ini options of the plugin."""

from __future__ import annotations

import pytest
from inner_runs import Run, part


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        (
            "optum_base_url = http://gw.example.com",
            "base_url 'http://gw.example.com': a base URL is https:// and a host, for example "
            "'https://sandbox-apigw.optum.com'",
        ),
        (
            "optum_token_path = oauth",
            "token_path 'oauth': a path starts with a slash and has no query, for example "
            "'/apip/auth/sntl/v1/token'",
        ),
    ],
)
def test_an_ini_option_that_makes_no_sense_is_a_usage_error(
    ini: str, message: str, run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeini(f"[pytest]\n{ini}")

    result = run("def test_it(optum_auth):\n    pass\n")

    result.assert_outcomes(errors=1)
    assert part(result, "ERROR at setup of test_it") == [f"usage error: {message}"]


def test_ini_options_name_another_gateway_and_path(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\noptum_base_url = https://gw.example.com\noptum_token_path = /oauth/token"
    )

    result = run(
        """
import requests

def test_it(optum_auth):
    assert optum_auth.token_url == "https://gw.example.com/oauth/token"
    for url in (optum_auth.token_url, "https://apigw.optum.com/apip/auth/sntl/v1/token"):
        assert requests.post(url).status_code == 415
"""
    )

    result.assert_outcomes(passed=1)


def test_an_ini_option_chooses_the_transports(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\noptum_transports = httpx\n")

    result = run(
        """
import httpx, requests

def methods():
    return vars(requests.Session)["send"], vars(httpx.Client)["send"]

before = methods()

def test_it(optum_auth):
    assert httpx.post(optum_auth.token_url).status_code == 415
    assert methods()[0] is before[0]
    assert methods()[1] is not before[1]

def test_after_it():
    assert methods() == before
"""
    )

    result.assert_outcomes(passed=2)
