"""Between tests, and in tests without a fake: nothing reaches a gateway until the session ends."""

from __future__ import annotations

import pytest
from inner_runs import Run, part

HOST = "sandbox-apigw.optum.com"
STOPPED = f"a connection to {HOST} was stopped, since no fake answers there now. "

# A thread that test_leaks leaves behind, and that asks when it is told to.
LEAK = """
import threading
import pytest, requests

wake, done = threading.Event(), threading.Event()

def refresh(url):
    wake.wait(20)
    try:
        requests.post(url, timeout=5)
    except Exception:
        pass
    done.set()

def wake_up():
    wake.set()
    assert done.wait(20)

def test_leaks(optum_auth):
    threading.Thread(target=refresh, args=[optum_auth.token_url]).start()
"""
LEFT_RUNNING = (
    f"{STOPPED}A thread opened it that %s has left running: let that test end it (join the "
    "thread, close the client)"
)
WITHOUT_FAKE = (
    f"{STOPPED}%s opened it without a fake, or after its end: ask for the fixture optum_auth, "
    "mark a test that means the sandbox with optum_live, or set the ini option optum_guard to test"
)


def test_a_thread_that_outlives_its_test_fails_the_next_one(
    run: Run, request: pytest.FixtureRequest
) -> None:
    file = f"{request.node.originalname}.py"
    result = run(LEAK + "def test_next():\n    wake_up()\ndef test_last():\n    pass\n")

    result.assert_outcomes(passed=3, errors=1)
    assert part(result, "ERROR at teardown of test_next") == [LEFT_RUNNING % f"{file}::test_leaks"]


def test_a_thread_that_wakes_beside_another_fake_is_answered_by_it(run: Run) -> None:
    result = run(
        LEAK + "def test_next(optum_auth):\n    wake_up()\n    assert optum_auth.token_requests\n"
    )

    result.assert_outcomes(passed=2)


ASK = """
import contextlib, socket
import pytest

def ask():
    with contextlib.suppress(Exception):
        socket.gethostbyname("sandbox-apigw.optum.com")
"""
BETWEEN = """
@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    for item in session.items:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        ask()
    return True
"""
AT_THE_END = """
@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session):
    yield
    if session.items:  # not in the controller of xdist
        ask()
    return True
"""
ASKED_BETWEEN = (
    f"{STOPPED}It was opened between tests; the last one that had a fake was %s: what it started "
    "has to end with it"
)


def test_between_tests_the_next_one_fails_and_after_the_last_one_the_run(
    run: Run, pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    pytester.makeconftest(ASK + BETWEEN)
    file = f"{request.node.originalname}.py"

    result = run("def test_1(optum_auth): pass\ndef test_2(): pass\n")

    result.assert_outcomes(passed=2, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    sentence = ASKED_BETWEEN % f"{file}::test_1"
    assert part(result, "ERROR at teardown of test_2") == [sentence]
    assert part(result, "Optum guard") == [sentence]


@pytest.mark.parametrize("workers", [(), ("-p", "xdist.plugin", "-n", "1")], ids=["", "xdist"])
def test_after_the_last_test_the_run_fails(
    workers: tuple[str, ...], run: Run, pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    pytester.makeconftest(ASK + AT_THE_END)

    result = run("def test_1(optum_auth): pass\n", *workers)

    assert result.parseoutcomes() == {"passed": 1}
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    sentence = ASKED_BETWEEN % f"{request.node.originalname}.py::test_1"
    assert part(result, "Optum guard")[0] == sentence


def test_a_run_that_has_failed_already_keeps_its_exit_code(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(ASK + AT_THE_END)

    result = run("def test_1(optum_auth): pytest.exit('enough', 77)\nimport pytest\n")

    assert result.ret == 77


ASKS = """
import contextlib, socket
import pytest

def test_fake(optum_auth): pass

def test_asks():
    with contextlib.suppress({suppressed}):
        socket.gethostbyname("sandbox-apigw.optum.com")
"""


def test_a_test_without_a_fake_that_asks_a_gateway_fails(
    run: Run, request: pytest.FixtureRequest
) -> None:
    result = run(ASKS.format(suppressed="()"))

    result.assert_outcomes(passed=1, failed=1)
    sentence = WITHOUT_FAKE % f"{request.node.originalname}.py::test_asks"
    assert f"E       pytest_optum_auth.transports.egress_guard.EscapedRequest: {sentence}" in (
        result.outlines
    )


def test_a_fixture_that_asks_before_the_fake_begins_is_told_so(
    run: Run, request: pytest.FixtureRequest
) -> None:
    result = run(
        ASK
        + """
@pytest.fixture(autouse=True)
def warmed_up():
    ask()

def test_it(optum_auth): pass
"""
    )

    item = f"{request.node.originalname}.py::test_it"
    result.assert_outcomes(passed=1, errors=1)
    assert part(result, "ERROR at teardown of test_it") == [
        f"{STOPPED}{item} opened it before its fake began, or after its end: let the fixture that "
        "asks the gateway take optum_auth, or mark the test with optum_auth, whose fixture is then "
        "set up first"
    ]


def test_one_that_swallows_it_fails_at_its_end(run: Run, request: pytest.FixtureRequest) -> None:
    result = run(ASKS.format(suppressed="Exception"))

    result.assert_outcomes(passed=2, errors=1)
    sentence = WITHOUT_FAKE % f"{request.node.originalname}.py::test_asks"
    assert part(result, "ERROR at teardown of test_asks") == [sentence]


def test_one_that_fails_otherwise_is_told_at_its_end(run: Run) -> None:
    result = run(ASKS.format(suppressed="Exception") + "    assert False\n")

    result.assert_outcomes(passed=1, failed=1, errors=1)


# The network is not asked: who gets this far is refused here.
OFFLINE = """
import socket, sys

def refuse(host, *_):
    sys.audit("socket.gethostbyname", host)
    raise OSError("the network was asked")

genuine, socket.gethostbyname = socket.gethostbyname, refuse

def pytest_unconfigure():
    socket.gethostbyname = genuine
"""
NOT_GUARDED = {
    "without a test that has a fake": ("", ()),
    "when the ini option says test": (
        "def test_fake(optum_auth): pass\n",
        ("-o", "optum_guard=test"),
    ),
    "when the test with a fake is deselected": (
        "def test_fake(optum_auth): pass\n",
        ("-k", "not fake"),
    ),
}


@pytest.mark.parametrize("case", NOT_GUARDED)
def test_nothing_is_guarded(case: str, run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(OFFLINE)
    tests, options = NOT_GUARDED[case]

    result = run(
        "import socket, pytest\n" + tests + "def test_asks():\n"
        "    with pytest.raises(OSError, match='the network was asked'):\n"
        "        socket.gethostbyname('sandbox-apigw.optum.com')\n",
        *options,
    )

    assert set(result.parseoutcomes()) <= {"passed", "deselected"}


def test_other_hosts_are_asked_as_ever(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(OFFLINE)

    result = run(
        "import socket, pytest\ndef test_fake(optum_auth): pass\n"
        "def test_asks():\n    with pytest.raises(OSError, match='the network was asked'):\n"
        "        socket.gethostbyname('other.example.com')\n"
    )

    result.assert_outcomes(passed=2)


def test_a_live_test_may_ask(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeconftest(OFFLINE)
    monkeypatch.setenv("OPTUM_CLIENT_ID", "a-client-of-nobody")
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "a-secret-of-nobody")

    result = run(
        "import socket, pytest\ndef test_fake(optum_auth): pass\n@pytest.mark.optum_live\n"
        "def test_asks():\n    with pytest.raises(OSError, match='the network was asked'):\n"
        "        socket.gethostbyname('sandbox-apigw.optum.com')\n"
    )

    result.assert_outcomes(passed=2)


def test_another_value_of_the_option_is_a_usage_error(run: Run) -> None:
    result = run("def test_it(): pass\n", "-o", "optum_guard=always")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines[0] == (
        "ERROR: ini optum_guard is 'always': it must be one of session, test."
    )
