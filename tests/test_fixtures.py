"""The fixtures of one test together, and the environment of ``optum_env``."""

from __future__ import annotations

import pytest
from inner_runs import Run, part


def test_fixtures_of_one_test_see_one_fake_and_one_time(run: Run) -> None:
    result = run(
        """
import time
import pytest

@pytest.fixture
def client(optum_auth):
    return optum_auth

@pytest.mark.optum_clock(0)
@pytest.mark.parametrize("order", [1, 2])
def test_it(order, optum_auth, client, optum_env, optum_clock):
    assert client is optum_auth
    assert optum_env["OPTUM_TOKEN_URL"] == optum_auth.token_url
    assert optum_auth.issue_token().issued_at.timestamp() == optum_clock.time == time.time() == 0
"""
    )

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("names", ["optum_auth, optum_clock", "optum_clock, optum_auth"])
def test_the_order_of_the_fixtures_does_not_matter(names: str, run: Run) -> None:
    result = run(
        f"""
import pytest

@pytest.mark.optum_clock("2030-01-01T00:00:00Z")
def test_it({names}):
    optum_clock.tick(5)
    optum_auth.issue_token()
    optum_clock.expire_token()
    assert optum_clock.now.isoformat() == "2030-01-01T02:00:05+00:00"
    assert optum_auth.timeline() == "   +5 s  -- clock +5 s\\n+7205 s  -- clock +7200 s"
"""
    )

    result.assert_outcomes(passed=1)


def test_each_test_has_a_fake_of_its_own(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_it(number, optum_auth):
    assert optum_auth.issue_token().number == 1
    optum_auth.expires_in = 60
"""
    )

    result.assert_outcomes(passed=2)


def test_the_environment_is_the_fakes_for_the_test(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_BASE_URL", "https://elsewhere.example.com")
    monkeypatch.delenv("OPTUM_TOKEN_URL", raising=False)

    result = run(
        """
import os
import requests

def test_it(optum_env):
    assert {name: os.environ[name] for name in optum_env} == optum_env
    assert list(optum_env) == [
        "OPTUM_CLIENT_ID", "OPTUM_CLIENT_SECRET", "OPTUM_TOKEN_URL", "OPTUM_AUTH_URL",
        "OPTUM_BASE_URL",
    ]
    assert optum_env["OPTUM_AUTH_URL"] == optum_env["OPTUM_TOKEN_URL"]
    assert optum_env["OPTUM_BASE_URL"] == "https://sandbox-apigw.optum.com"
    form = {"grant_type": "client_credentials", "client_id": os.environ["OPTUM_CLIENT_ID"],
            "client_secret": os.environ["OPTUM_CLIENT_SECRET"]}
    assert requests.post(os.environ["OPTUM_TOKEN_URL"], data=form).status_code == 200

def test_after_it():
    assert os.environ["OPTUM_BASE_URL"] == "https://elsewhere.example.com"
    assert "OPTUM_CLIENT_ID" not in os.environ
    assert "OPTUM_TOKEN_URL" not in os.environ
"""
    )

    result.assert_outcomes(passed=2)


def test_the_environment_keeps_the_old_secret_after_a_rotation(run: Run) -> None:
    result = run(
        """
import os

def test_it(optum_env, optum_auth):
    new = optum_auth.rotate_secret()
    assert os.environ["OPTUM_CLIENT_SECRET"] == optum_env["OPTUM_CLIENT_SECRET"]
    assert new.client_secret != optum_env["OPTUM_CLIENT_SECRET"]
"""
    )

    result.assert_outcomes(passed=1)


def test_a_failing_assertion_on_the_environment_does_not_print_the_secret(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.mark.optum_auth(client_secret="hush-" * 3)
def test_it(optum_env, optum_auth):
    assert not optum_env
""",
        "-l",
    )

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*hush-hush*")


def test_a_wider_fixture_can_use_the_fake_as_a_context_manager(run: Run) -> None:
    result = run(
        """
import pytest
import requests
from pytest_optum_auth import FakeOptum

@pytest.fixture(scope="module")
def module_fake():
    with FakeOptum(expires_in=60) as fake:
        yield fake

def test_one(module_fake):
    assert requests.post(module_fake.token_url).status_code == 415

def test_two(module_fake, optum_auth):
    assert requests.post(module_fake.token_url).status_code == 415
    assert (len(module_fake.token_requests), len(optum_auth.token_requests)) == (1, 1)

def test_three(module_fake):
    assert requests.post(module_fake.token_url).status_code == 415
    assert len(module_fake.token_requests) == 2
"""
    )

    result.assert_outcomes(passed=3)


def test_it_works_on_the_workers_of_xdist(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xdist")

    result = run(
        """
import pytest
from pytest_optum_auth import faults

@pytest.mark.parametrize("number", range(4))
def test_it(number, optum_auth, optum_clock):
    if number == 3:
        optum_auth.inject(faults.timeout())
    optum_auth.issue_token()
    optum_clock.expire_token()
""",
        "-p",
        "xdist",
        "-n",
        "1",
    )

    result.assert_outcomes(passed=4, errors=1)
    assert (
        "timeout() on the token endpoint was injected 1x and met 0x: the test does not test it"
    ) in part(result, "ERROR at teardown of test_it[3]")
