"""Suites as teams have them, by hand and with the plugin: nothing changes but the token's stub."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

SUITES = Path(__file__).parent / "team_suites"
# Of each suite how many tests it has, and the plugin that its tool brings.
TESTS = {
    "suite_with_responses.py": (20, []),
    "suite_with_respx.py": (10, ["-p", "respx"]),
    "suite_with_pytest_httpx.py": (10, ["-p", "pytest_httpx"]),
}
OURS = ["-p", "optum_auth"]
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(suite, variant, *options)``: a suite where it lies, with one way to get a token."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (pytester.path / "pytest.ini").write_text("[pytest]\n")

    def run(suite: str, variant: str, *options: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(
            *("-c", str(pytester.path / "pytest.ini"), "--confcutdir", str(SUITES)),
            *("-p", "no:cacheprovider", "-W", "error", "--color=no"),
            *("-p", "team_suites.clients", "-p", f"team_suites.{variant}"),
            *(*TESTS[suite][1], *options, str(SUITES / suite)),
        )

    return run


@pytest.mark.parametrize("suite", TESTS)
def test_by_hand(suite: str, run: Run) -> None:
    run(suite, "by_hand").assert_outcomes(passed=TESTS[suite][0])


@pytest.mark.parametrize("variant", ["with_optum_auth", "with_optum_clock"])
@pytest.mark.parametrize("suite", TESTS)
def test_with_the_fake_in_place_of_the_stub(suite: str, variant: str, run: Run) -> None:
    run(suite, variant, *OURS).assert_outcomes(passed=TESTS[suite][0])


@pytest.mark.parametrize("suite", TESTS)
def test_no_stub_is_reached_without_a_good_token(suite: str, run: Run) -> None:
    result = run(suite, "dead_tokens", *OURS)

    # Those of pytest-httpx fail at their end as well: it knows the stubs that nobody asked.
    assert result.parseoutcomes()["failed"] == TESTS[suite][0]
    assert not re.search("a stub was reached", result.stdout.str())
