"""A marker alone activates its fixture, wherever it stands."""

from __future__ import annotations

import pytest
from inner_runs import Run


def test_a_marker_alone_activates_its_fixture(run: Run) -> None:
    result = run(
        """
import time
import pytest
import requests

URL = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"

@pytest.mark.optum_auth(expires_in=60)
def test_auth():
    assert requests.post(URL).status_code == 415

@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
def test_clock():
    assert time.time() == 1767225600

@pytest.mark.optum_clock(start=0)
@pytest.mark.optum_auth
class TestBoth:
    def test_it(self):
        assert (time.time(), requests.post(URL).status_code) == (0, 415)

    def test_with_parameters(self, tmp_path, request):
        assert {"optum_auth", "optum_clock"} <= set(request.fixturenames)
        assert requests.post(URL).status_code == 415
""",
        "--strict-markers",
    )

    result.assert_outcomes(passed=4)


def test_a_marker_alone_serves_a_unittest_testcase(run: Run) -> None:
    result = run(
        """
import time
import unittest
import pytest
import requests

URL = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"

@pytest.mark.optum_auth
@pytest.mark.optum_clock(0)
class TestIt(unittest.TestCase):
    def test_it(self):
        self.assertEqual((time.time(), requests.post(URL).status_code), (0, 415))
"""
    )

    result.assert_outcomes(passed=1)


def test_a_module_mark_activates_for_every_test(run: Run) -> None:
    result = run(
        """
import pytest
import requests

pytestmark = [pytest.mark.optum_auth]
URL = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"

def test_one():
    assert requests.post(URL).status_code == 415

class TestTwo:
    def test_it(self):
        assert requests.post(URL).status_code == 415
"""
    )

    result.assert_outcomes(passed=2)


def test_a_marker_activates_after_the_fixtures_of_a_wider_scope(run: Run) -> None:
    result = run(
        """
import time
import pytest

@pytest.fixture(scope="session", autouse=True)
def session_wide():
    assert time.time() > 10**9

@pytest.fixture(scope="module")
def module_wide():
    assert time.time() > 10**9

@pytest.fixture
def narrow():
    return time.time()

@pytest.mark.optum_clock(0)
def test_it(narrow, module_wide):
    assert narrow == 0
"""
    )

    result.assert_outcomes(passed=1)


def test_a_mark_that_a_conftest_adds_to_what_was_collected_activates_too(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(documented='"""\n>>> import time\n>>> time.time()\n0.0\n"""\n')
    pytester.makeconftest(
        """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.optum_auth)
        item.add_marker(pytest.mark.optum_clock(0))
"""
    )

    result = run(
        """
import time
import requests

def test_it():
    url = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"
    assert (time.time(), requests.post(url).status_code) == (0, 415)
""",
        "--doctest-modules",
    )

    result.assert_outcomes(passed=2)


def test_an_item_that_has_no_fixtures_is_left_alone(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
import pytest

class Item(pytest.Item):
    def runtest(self):
        pass

class File(pytest.File):
    def collect(self):
        item = Item.from_parent(self, name="it")
        item.add_marker(pytest.mark.optum_auth)
        yield item

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".custom":
        return File.from_parent(parent, path=file_path)
"""
    )
    pytester.makefile(".custom", it="")

    result = run("def test_it():\n    pass\n")

    result.assert_outcomes(passed=2)


def test_a_mark_on_one_parameter_is_for_that_one_alone(run: Run) -> None:
    result = run(
        """
import pytest

@pytest.mark.parametrize("kind", [
    "before",
    pytest.param("auth", marks=pytest.mark.optum_auth(expires_in=60)),
    pytest.param("clock", marks=pytest.mark.optum_clock(0)),
    "after",
])
def test_it(request, kind):
    used = {"optum_auth", "optum_clock"} & set(request.node.funcargs)
    assert used == ({f"optum_{kind}"} if kind in ("auth", "clock") else set())
    assert set(request.fixturenames) == used | {"request", "kind"}
"""
    )

    result.assert_outcomes(passed=4)


def test_beside_its_marker_a_fixture_is_set_up_first_also_when_it_is_named_last(run: Run) -> None:
    result = run(
        """
import time
import pytest
import requests

@pytest.fixture
def schedule():
    return time.time()

@pytest.fixture
def asks():
    return requests.post("https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token").status_code

@pytest.fixture(autouse=True)
def every_test():
    return time.time()

@pytest.mark.optum_clock(0)
def test_clock(schedule, every_test, optum_clock):
    assert schedule == every_test == optum_clock.time == 0

@pytest.mark.optum_auth
def test_auth(asks, optum_auth):
    assert asks == 415

@pytest.mark.optum_auth
@pytest.mark.optum_clock(0)
def test_both(asks, schedule, optum_clock, optum_auth):
    assert (asks, schedule) == (415, 0)

@pytest.mark.optum_clock(0)
class TestClass:
    def test_it(self, schedule, optum_clock):
        assert schedule == 0
"""
    )

    result.assert_outcomes(passed=4)


def test_a_fixture_of_that_name_with_a_wider_scope_stays_where_it_is(run: Run) -> None:
    result = run(
        """
import pytest
from pytest_optum_auth import FakeOptum

@pytest.fixture(scope="module")
def optum_auth():
    with FakeOptum() as fake:
        yield fake

@pytest.fixture(scope="session")
def first():
    pass

@pytest.mark.optum_auth
def test_it(first, optum_auth, request):
    assert request.fixturenames[:2] == ["first", "optum_auth"]
"""
    )

    result.assert_outcomes(passed=1)
