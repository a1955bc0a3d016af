"""Beside plugins and kinds of tests that change how a test runs: reruns, timeouts, coverage."""

from __future__ import annotations

import os

import pytest
from inner_runs import OPTIONS, Run, part

TOKEN_REQUEST = """
import requests

def ask(optum):
    client_id, client_secret = optum.credentials
    form = {"grant_type": "client_credentials", "client_id": client_id,
            "client_secret": client_secret}
    return requests.post(optum.token_url, data=form)
"""


# pytest-rerunfailures.


def test_a_rerun_meets_a_fresh_fake_and_clock(run: Run) -> None:
    result = run(
        TOKEN_REQUEST
        + """
seen = []

def test_it(optum_auth, optum_clock):
    assert optum_auth.exchanges == [] and optum_auth not in seen
    seen.append(optum_auth)
    ask(optum_auth)
    optum_clock.expire_token()
    assert len(seen) == 3
""",
        *["-p", "rerunfailures", "--reruns=2"],
    )

    assert result.parseoutcomes() == {"rerun": 2, "passed": 1}


def test_a_failure_of_strictness_is_run_again(run: Run) -> None:
    result = run(
        TOKEN_REQUEST
        + """
from pytest_optum_auth import faults

runs = []

def test_it(optum_auth):
    runs.append(optum_auth)
    if len(runs) == 1:
        optum_auth.inject(faults.server_error())
    else:
        ask(optum_auth)
""",
        *["-p", "rerunfailures", "--reruns=1"],
    )

    # Its call has passed twice.
    assert result.parseoutcomes() == {"rerun": 1, "passed": 2}


def test_a_failure_of_strictness_that_stays_is_an_error(run: Run) -> None:
    result = run(
        """
from pytest_optum_auth import faults

def test_it(optum_auth):
    optum_auth.inject(faults.server_error())
""",
        *["-p", "rerunfailures", "--reruns=1"],
    )

    assert result.parseoutcomes() == {"rerun": 1, "passed": 2, "errors": 1}


# pytest-timeout.

LIMIT = "0.2"
HANGING = """
import asyncio, socket, threading, time
import httpx, pytest

PLACES = [(requests.Session, "send"), (httpx.AsyncHTTPTransport, "handle_async_request"),
          (socket, "getaddrinfo"), (time, "time")]

def now():
    return [getattr(owner, name) for owner, name in PLACES]

genuine, threads = now(), []

def in_this_thread(optum):
    ask(optum)

def in_another_thread(optum):
    threads.append(threading.Thread(target=ask, args=(optum,)))
    threads[-1].start()
    threads[-1].join()

def in_a_coroutine(optum):
    async def main():
        async with httpx.AsyncClient(verify=False) as client:
            await client.post(optum.token_url)
    asyncio.run(main())
"""


@pytest.mark.parametrize("where", ["in_this_thread", "in_another_thread", "in_a_coroutine"])
def test_a_test_that_hangs_at_a_hold_is_ended_and_leaves_nothing(where: str, run: Run) -> None:
    result = run(
        TOKEN_REQUEST
        + HANGING
        + f"""
def test_hangs(optum_auth, optum_clock):
    optum_auth.hold()
    {where}(optum_auth)

def test_nothing_is_left():
    assert now() == genuine
    for thread in threads:
        thread.join(5)
    assert not [thread for thread in threads if thread.is_alive()]

def test_another_is_served(optum_auth, optum_clock):
    assert ask(optum_auth).status_code == 200
""",
        *["-p", "timeout", f"--timeout={LIMIT}", "--timeout-method=signal"],
        # Not the time that a busy machine takes to set up.
        *["-o", "timeout_func_only=true"],
    )

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([f"*Failed: Timeout (>{LIMIT}s) from pytest-timeout."])


# pytest-cov.

CLIENT = """
import threading

import requests

class Client:
    def __init__(self, url, credentials):
        self.url, self.credentials = url, credentials

    def token(self):
        client_id, client_secret = self.credentials
        form = {"grant_type": "client_credentials", "client_id": client_id,
                "client_secret": client_secret}
        answer = requests.post(self.url, data=form)
        if answer.status_code == 500:
            return None
        return answer.json()["access_token"]

    def warm_up(self):
        thread = threading.Thread(target=self.run)
        thread.start()
        thread.join()

    def run(self):
        self.warm = self.token()
"""


def test_the_users_client_is_measured_also_in_threads(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by the coverage that measures this suite.
    for name in [*filter(lambda name: name.startswith(("COVERAGE_", "COV_")), os.environ)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        client=CLIENT,
        test_client="""
from client import Client

def test_it(optum_auth, optum_clock):
    client = Client(optum_auth.token_url, optum_auth.credentials)
    client.warm_up()
    assert client.warm == optum_auth.last_token.value
    optum_clock.expire_token()
""",
    )

    result = pytester.runpytest_subprocess(
        *OPTIONS, "-p", "pytest_cov", "--cov=client", "--cov-report=term-missing"
    )

    result.assert_outcomes(passed=1)
    [line] = [line for line in result.outlines if line.startswith("client.py")]
    # The answer to an outage, which this test does not cause.
    assert line.partition("%")[2].strip() == "15"


# unittest.


def test_a_testcase_with_markers(run: Run) -> None:
    result = run(
        TOKEN_REQUEST
        + """
import unittest
import pytest

@pytest.mark.optum_auth(expires_in=600)
@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _fake(self, optum_auth, optum_clock):
        self.optum, self.clock = optum_auth, optum_clock

    def setUp(self):
        self.answer = ask(self.optum).json()

    def test_of_the_class(self):
        self.assertEqual(self.answer["expires_in"], 600)
        self.assertEqual(self.clock.now.isoformat(), "2026-01-01T00:00:00+00:00")

    @pytest.mark.optum_auth(expires_in=60)
    def test_of_its_own(self):
        self.assertEqual(self.answer["expires_in"], 60)

    def test_that_fails(self):
        self.assertEqual(self.answer["expires_in"], 61)
"""
    )

    result.assert_outcomes(passed=2, failed=1)
    assert part(result, "TestIt.test_that_fails")


def test_a_testcase_that_fails_tells_its_traffic_and_what_it_left_unmet_once(run: Run) -> None:
    result = run(
        TOKEN_REQUEST
        + """
import unittest
import pytest
from pytest_optum_auth import faults

class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _fake(self, optum_auth):
        ask(optum_auth)
        optum_auth.inject(faults.server_error())

    def test_that_fails(self):
        self.assertEqual(1, 2)
"""
    )

    result.assert_outcomes(failed=1)
    assert part(result, "Optum strictness") == [
        "server_error() on the token endpoint was injected 1x and met 0x: the test does not test it"
    ]
    assert len(part(result, "Optum traffic")) == 1


@pytest.mark.parametrize(
    ("how", "body", "outcomes"),
    [
        ("", "self.skipTest('another day')", {"skipped": 1}),
        ("@unittest.expectedFailure", "self.fail('as ever')", {"xfailed": 1}),
        ("", "pass", {"passed": 1, "errors": 1}),
    ],
    ids=["skipped", "expected-failure", "passed"],
)
def test_a_testcase_is_excused_of_an_unmet_fault_as_a_function_is(
    how: str, body: str, outcomes: dict[str, int], run: Run
) -> None:
    result = run(
        f"""
import unittest
import pytest
from pytest_optum_auth import faults

class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _fake(self, optum_auth):
        optum_auth.inject(faults.server_error())

    {how}
    def test_it(self):
        {body}
"""
    )

    result.assert_outcomes(**outcomes)


# doctest.

DOCTEST = '''
"""A client.

>>> clock, optum = getfixture("optum_clock"), getfixture("optum_auth")
>>> import requests
>>> client_id, client_secret = optum.credentials
>>> form = {"grant_type": "client_credentials", "client_id": client_id,
...         "client_secret": client_secret}
>>> requests.post(optum.token_url, data=form).json()["expires_in"]
7200
>>> clock.expire_token()
>>> len(optum.token_requests)
1
"""
'''
UNMET = '''

def never_fails():
    """
    >>> from pytest_optum_auth import faults
    >>> _ = getfixture("optum_auth").inject(faults.server_error())
    """
'''


def test_a_doctest_gets_the_fixtures(run: Run) -> None:
    result = run(DOCTEST + UNMET, "--doctest-modules")

    result.assert_outcomes(passed=2, errors=1)
