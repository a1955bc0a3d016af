"""What replaces the libraries' methods stays between two tests that both use a fake."""

from __future__ import annotations

import inner_runs
import pytest
import requests
from requests.adapters import HTTPAdapter

from pytest_optum_auth import FakeOptum, transports

Run = inner_runs.Run
HEADER = """
import pytest, requests, responses
from requests.adapters import HTTPAdapter

@pytest.fixture
def replaced():
    # Set up before the fake.
    return type(vars(HTTPAdapter)["send"]).__name__ == "_Layer"
"""


def replaced() -> bool:
    return type(vars(HTTPAdapter)["send"]).__name__ == "_Layer"


def test_they_stay_for_the_next_test_and_go_before_one_that_needs_none(run: Run) -> None:
    result = run(
        f"""{HEADER}
def test_first(replaced, optum_auth):
    assert not replaced

def test_second(replaced, optum_auth):
    assert replaced

def test_without(replaced):
    assert not replaced

def test_after_it(replaced, optum_auth):
    assert not replaced
"""
    )

    result.assert_outcomes(passed=4)
    assert not replaced()


def test_meanwhile_they_answer_nothing(run: Run) -> None:
    result = run(
        f"""{HEADER}
def test_first(optum_auth):
    assert requests.get(optum_auth.token_url).status_code == 405

@pytest.fixture
def stub():
    with responses.RequestsMock() as stubs:
        stubs.get("https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token", body="stub")
        yield requests.get("https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token").text

def test_second(replaced, stub, optum_auth):
    assert (replaced, stub) == (True, "stub")
    assert requests.get(optum_auth.token_url).status_code == 405
"""
    )

    result.assert_outcomes(passed=2)


def test_a_mock_that_starts_between_two_tests_leaves_no_trace(run: Run) -> None:
    genuine = vars(HTTPAdapter)["send"]
    result = run(
        f"""{HEADER}
def test_first(optum_auth):
    assert requests.get(optum_auth.token_url).status_code == 405

@pytest.fixture(scope="class")
def stubs():
    with responses.RequestsMock() as stubs:
        stubs.get("https://other.example.com", body="stub")
        yield stubs

class TestAll:
    def test_second(self, stubs, optum_auth):
        assert requests.get(optum_auth.token_url).status_code == 405
        assert requests.get("https://other.example.com").text == "stub"

    def test_without(self, stubs):
        assert requests.get("https://other.example.com").text == "stub"

def test_last():
    # Whoever asks for the method takes off what the mock has put back.
    assert HTTPAdapter.send is vars(HTTPAdapter)["send"]
"""
    )

    result.assert_outcomes(passed=4)
    assert HTTPAdapter.send is vars(HTTPAdapter)["send"] is genuine


@pytest.mark.parametrize("option", ["-x", "--exitfirst", "--maxfail=1"])
def test_they_go_when_the_run_ends_before_the_next_test(run: Run, option: str) -> None:
    result = run(
        f"""{HEADER}
def test_first(optum_auth):
    assert False

def test_second(optum_auth):
    pass
""",
        option,
    )

    result.assert_outcomes(failed=1)
    assert not replaced()


def test_who_enters_a_fake_himself_leaves_none_behind() -> None:
    with FakeOptum():
        assert replaced()
    assert not replaced()


def test_what_is_kept_goes_unless_it_is_used_again() -> None:
    with FakeOptum(transports=["requests"]) as outer:
        transports.keep()
        with FakeOptum(transports=["requests", "httpx"]):
            pass
        transports.release()
        assert requests.get(outer.token_url).status_code == 405
    assert not replaced()
