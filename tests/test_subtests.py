"""Strictness beside subtests: of pytest 9, of unittest, and of the plugin for older pytests."""

from __future__ import annotations

import pytest
from inner_runs import Run, part

IMPORTS = """
import unittest
import pytest
import requests
from pytest_optum_auth import faults

UNMET = "server_error() on the token endpoint was injected 1x and met 0x"
"""
subtests = pytest.mark.skipif(
    pytest.version_tuple < (9,), reason="subtests are part of pytest from 9 on"
)


@subtests
@pytest.mark.parametrize("how", ["pytest.skip('no')", "pytest.xfail('no')"])
def test_a_subtest_that_is_skipped_does_not_excuse_an_unmet_fault(how: str, run: Run) -> None:
    result = run(
        f"""{IMPORTS}
def test_it(optum_auth, subtests):
    optum_auth.inject(faults.server_error())
    with subtests.test("not on this platform"):
        {how}
"""
    )

    assert part(result, "ERROR at teardown of test_it") == [
        "server_error() on the token endpoint was injected 1x and met 0x: the test does not test it"
    ]


@subtests
def test_a_failing_subtest_does_not_accuse_a_fault_that_a_later_one_meets(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
def test_it(optum_auth, subtests):
    optum_auth.inject(faults.server_error())
    with subtests.test("arithmetic"):
        assert 1 == 2
    with subtests.test("outage"):
        assert requests.post(optum_auth.token_url).status_code == 500
"""
    )

    output = result.stdout.str()
    assert "assert 1 == 2" in output
    assert "met 0x" not in output
    assert "Optum strictness" not in output


@subtests
def test_a_failing_subtest_shows_what_was_asked_until_then(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
def test_it(optum_auth, subtests):
    with subtests.test("outage"):
        assert requests.get(optum_auth.token_url).status_code == 200
"""
    )

    assert "405" in part(result, "Optum traffic")[0]


@subtests
def test_subtests_of_unittest_are_the_same(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def fake(self, optum_auth):
        self.optum = optum_auth

    def test_met(self):
        self.optum.inject(faults.server_error())
        with self.subTest("arithmetic"):
            self.assertEqual(1, 2)
        with self.subTest("outage"):
            self.assertEqual(requests.post(self.optum.token_url).status_code, 500)

    def test_unmet(self):
        self.optum.inject(faults.server_error())
        with self.subTest("no"):
            self.skipTest("no")
"""
    )

    assert "ERROR at teardown of TestIt.test_met" not in result.stdout.str()
    assert part(result, "ERROR at teardown of TestIt.test_unmet")[0].startswith("server_error()")


@pytest.mark.parametrize("how", ["pytest.skip('no')", "pytest.xfail('no')"])
def test_a_test_that_is_skipped_as_a_whole_is_excused(how: str, run: Run) -> None:
    result = run(
        f"""{IMPORTS}
def test_it(optum_auth):
    optum_auth.inject(faults.server_error())
    {how}
"""
    )

    assert result.ret == 0


def test_a_test_that_fails_tells_in_its_report_what_it_left_unmet(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
def test_it(optum_auth):
    optum_auth.inject(faults.server_error())
    assert 1 == 2
"""
    )

    result.assert_outcomes(failed=1)
    assert part(result, "Optum strictness") == [
        "server_error() on the token endpoint was injected 1x and met 0x: the test does not test it"
    ]
