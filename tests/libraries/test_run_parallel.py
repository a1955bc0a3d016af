"""Beside pytest-run-parallel: what docs/how-to/threads.md names is all that it has to be told."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from pytest_optum_auth import plugin

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "threads.md"
BLOCKS = re.findall(r"^```ini\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
# Of these nothing is a test's own.
SHARED = {"optum_live"}
TESTS = """
import pytest


@pytest.fixture
def one_of_mine(optum_auth):
    return optum_auth


def test_by_a_fixture_of_mine(one_of_mine):
    one_of_mine.issue_token()
    assert len(one_of_mine.tokens) == 1


@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
def test_by_a_marker(optum_auth):
    optum_auth.issue_token()
    assert len(optum_auth.tokens) == 1


def test_without_the_fake():
    pass
"""


def test_tests_with_the_fake_run_in_one_thread_and_others_in_many(
    pytester: pytest.Pytester,
) -> None:
    pytest.importorskip("pytest_run_parallel")
    pytester.makefile(".ini", pytest=BLOCKS[0])
    pytester.makepyfile(TESTS)

    result = pytester.runpytest_subprocess("-v", "--parallel-threads=4")

    result.stdout.re_match_lines_random(
        [
            r".*::test_by_a_fixture_of_mine PASSED .*thread-unsafe",
            r".*::test_by_a_marker PASSED .*thread-unsafe",
            r".*::test_without_the_fake PARALLEL PASSED",
        ]
    )


def test_untold_they_share_one_fake(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_run_parallel")
    pytester.makepyfile(TESTS)

    result = pytester.runpytest_subprocess("--parallel-threads=4")

    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_every_fixture_that_leads_to_the_fake_is_named() -> None:
    assert len(BLOCKS) == 1
    named = set(re.findall(r"^    (optum_\w+)$", BLOCKS[0], re.M))
    fixtures = {name for name in vars(plugin) if name.startswith("optum_")}

    def leads_there(name: str) -> bool:
        parameters = inspect.signature(inspect.unwrap(vars(plugin)[name])).parameters
        return bool(named & {name, *parameters})

    assert {name for name in fixtures if not leads_there(name)} == SHARED
