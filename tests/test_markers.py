"""The markers: they merge, they refuse what makes no sense, they alone activate a fixture."""

from __future__ import annotations

import pytest
from inner_runs import Run, part

KNOWN = (
    "client_id, client_secret, expires_in, lifetime, scope, token_type, error_format, "
    "accept_basic, clock_skew, guard_stubs, strict"
)


def test_markers_merge_and_the_nearest_wins(run: Run) -> None:
    result = run(
        """
import pytest

pytestmark = pytest.mark.optum_auth(expires_in=1, token_type="bearer", scope="openid")

@pytest.mark.optum_auth(expires_in=2, client_id="class")
class TestIt:
    @pytest.mark.optum_auth(expires_in=3)
    def test_function(self, optum_auth):
        assert optum_auth.expires_in == 3
        assert optum_auth.credentials.client_id == "class"
        assert (optum_auth.token_type, optum_auth.scope) == ("bearer", "openid")

    def test_class(self, optum_auth):
        assert optum_auth.expires_in == 2

def test_module(optum_auth):
    assert optum_auth.expires_in == 1
    assert optum_auth.credentials.client_id == "optum-test-client-1"
""",
        "--strict-markers",
    )

    result.assert_outcomes(passed=3)


def test_a_class_is_nearer_than_its_bases_and_a_parameter_than_its_function(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.mark.optum_auth(expires_in=1, scope="openid")
class Base:
    pass

@pytest.mark.optum_auth(expires_in=2, token_type="bearer")
class TestMiddle(Base):
    expected = 2

    def test_it(self, optum_auth):
        assert optum_auth.expires_in == self.expected
        assert (optum_auth.token_type, optum_auth.scope) == ("bearer", "openid")

class TestPlain(TestMiddle):
    pass

@pytest.mark.optum_auth(client_id="below")
@pytest.mark.optum_auth(expires_in=3)
class TestNear(TestMiddle):
    expected = 3

class TestOneMark(TestMiddle):
    expected = 4
    pytestmark = pytest.mark.optum_auth(expires_in=4)

@pytest.mark.optum_auth(expires_in=5)
@pytest.mark.parametrize("life", [pytest.param(6, marks=pytest.mark.optum_auth(expires_in=6)), 5])
def test_parameter(life, optum_auth):
    assert optum_auth.expires_in == life
""",
        "--strict-markers",
    )

    result.assert_outcomes(passed=6)


def test_what_a_hook_adds_to_class_and_test_is_a_default(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(
        """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.optum_auth(expires_in=1, scope="openid"))
        item.parent.add_marker(pytest.mark.optum_auth(client_id="added"))
"""
    )

    result = run(
        """
import pytest

class TestIt:
    @pytest.mark.optum_auth(expires_in=2)
    def test_it(self, optum_auth):
        assert (optum_auth.expires_in, optum_auth.scope) == (2, "openid")
        assert optum_auth.credentials.client_id == "added"
""",
        "--strict-markers",
    )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        (
            "optum_auth(expire_in=60)",
            f"@pytest.mark.optum_auth: unknown keyword 'expire_in': known are {KNOWN}",
        ),
        (
            "optum_auth(60)",
            f"@pytest.mark.optum_auth takes no argument without a name: known are {KNOWN}",
        ),
        (
            "optum_auth(base_url='https://gw.example.com')",
            f"@pytest.mark.optum_auth: unknown keyword 'base_url': known are {KNOWN}",
        ),
        (
            "optum_auth(expires_in=-1)",
            "expires_in=-1: expires_in must be a whole number of seconds from 0 to 3162240000 "
            "(a century)",
        ),
        (
            "optum_clock(begin=0)",
            "@pytest.mark.optum_clock: unknown keyword 'begin': known are start, tick, sleep_moves",
        ),
        (
            "optum_clock(0, 1)",
            "@pytest.mark.optum_clock takes at most 1 argument without a name: known are start, "
            "tick, sleep_moves",
        ),
        ("optum_clock(0, start=1)", "@pytest.mark.optum_clock: 'start' is given twice"),
        (
            "optum_clock('2026-01-01')",
            "'2026-01-01' is naive and could mean any time zone: add one, as in "
            "'2026-01-01T00:00:00Z' or datetime(2026, 1, 1, tzinfo=timezone.utc)",
        ),
        (
            "optum_clock('noon')",
            "'noon' is no moment: write it as in '2026-01-01T00:00:00Z'",
        ),
    ],
)
def test_a_marker_that_makes_no_sense_is_a_usage_error(marker: str, message: str, run: Run) -> None:
    result = run(f"import pytest\n@pytest.mark.{marker}\ndef test_it():\n    pass\n")

    result.assert_outcomes(errors=1)
    assert part(result, "ERROR at setup of test_it") == [f"usage error: {message}"]
