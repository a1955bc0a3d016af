"""What is masked beside the reports of tests: warnings, the junit file, pytest's cache."""

from __future__ import annotations

import json

from live_runs import LiveRuns
from stand_in import CLIENT_SECRET

SUITE = """
    import os, warnings

    def test_it(record_xml_attribute, request):
        secret = os.environ["OPTUM_CLIENT_SECRET"]
        record_xml_attribute("seen", secret)
        request.config.cache.set("mine/value", [secret, "plain"])
        warnings.warn(secret)
"""
# The suite around may have made every warning an error.
SHOWN = ("-W", "default")
JUNIT = ("-o", "junit_family=xunit1", "--junitxml=junit.xml")


def test_a_warning_shows_no_secret(inner: LiveRuns, live_credentials: dict[str, str]) -> None:
    inner.tests(SUITE)

    result = inner.run(*SHOWN)

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["  *test_inner.py:7: UserWarning: [[]redacted]"])


def test_an_attribute_in_the_junit_file_shows_no_secret(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(SUITE)

    inner.run(*SHOWN, *JUNIT).assert_outcomes(passed=1)

    assert 'seen="[redacted]"' in inner.pytester.path.joinpath("junit.xml").read_text()


def test_a_junit_file_without_a_secret_is_left_alone(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests("def test_it(record_xml_attribute): record_xml_attribute('seen', 'plain')")

    inner.run(*SHOWN, *JUNIT).assert_outcomes(passed=1)

    assert 'seen="plain"' in inner.pytester.path.joinpath("junit.xml").read_text()


def test_a_value_in_the_cache_of_pytest_shows_no_secret(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(SUITE)

    inner.run(*SHOWN)

    written = inner.pytester.path.joinpath(".pytest_cache/v/mine/value").read_text()
    assert json.loads(written) == ["[redacted]", "plain"]


def test_nothing_is_masked_when_live_tests_are_off(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(SUITE)

    inner.run("--optum-live=off", *SHOWN, *JUNIT).assert_outcomes(passed=1)

    written = inner.pytester.path.joinpath(".pytest_cache/v/mine/value").read_text()
    assert json.loads(written) == [CLIENT_SECRET, "plain"]
