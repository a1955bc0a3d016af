"""The plugin in pytest: what loading it costs, fixtures, markers, options."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from inner_runs import Run, part

import pytest_optum_auth

KNOWN = (
    "client_id, client_secret, expires_in, lifetime, scope, token_type, error_format, clock_skew, "
    "strict"
)


# Start-up.


def modules_after(tmp_path: Path, *options: str) -> set[str]:
    """What a run of pytest on one test that asks for nothing has loaded, in a fresh process."""
    (tmp_path / "test_it.py").write_text(
        "import json, sys\n"
        "def test_it():\n"
        "    with open('modules.json', 'w') as file:\n"
        "        json.dump(sorted(sys.modules), file)\n"
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name in ("PYTEST_ADDOPTS", "OPTUM_CLIENT_ID", "OPTUM_CLIENT_SECRET"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    return set(json.loads((tmp_path / "modules.json").read_text()))


def test_loading_the_plugin_imports_no_library_and_few_modules(tmp_path: Path) -> None:
    bare = modules_after(tmp_path)
    added = modules_after(tmp_path, "-p", "optum_auth") - bare

    heavy = {"requests", "httpx", "httpx2", "aiohttp", "responses", "respx", "freezegun", "jwt"}
    assert not heavy & (bare | added)
    assert {name for name in added if name.startswith("pytest_optum_auth")} == {
        "pytest_optum_auth",
        "pytest_optum_auth.facts",
        "pytest_optum_auth.live_mode",
        "pytest_optum_auth.plugin",
    }
    assert len(added) <= 5


def test_a_test_that_asks_for_nothing_runs_as_if_it_were_not_installed(run: Run) -> None:
    result = run(
        """
import time
import requests

before = (requests.Session.send, requests.adapters.HTTPAdapter.send, time.time)

def test_it(request):
    assert (requests.Session.send, requests.adapters.HTTPAdapter.send, time.time) == before
    assert not [name for name in request.fixturenames if name.startswith("optum")]
""",
        "--setup-show",
    )

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*SETUP*optum*")


def test_the_package_exports_what_it_documents() -> None:
    for name in pytest_optum_auth.__all__:
        assert getattr(pytest_optum_auth, name) is not None
    assert set(pytest_optum_auth.__all__) <= set(dir(pytest_optum_auth))
    assert {"ApiRoute", "Clock", "Credentials", "Exchange", "FakeOptum", "Fault", "Token"} <= set(
        pytest_optum_auth.__all__
    )


def test_its_names_are_imported_when_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pytest_optum_auth, "faults")

    assert repr(pytest_optum_auth.faults.timeout()) == "timeout()"


def test_the_package_has_no_other_name() -> None:
    with pytest.raises(
        AttributeError, match="module 'pytest_optum_auth' has no attribute 'nonsense'"
    ):
        _ = pytest_optum_auth.nonsense


# The header and the markers.

LIVE = "live tests are skipped: OPTUM_CLIENT_ID and OPTUM_CLIENT_SECRET not set"


@pytest.mark.parametrize(
    ("ini", "url"),
    [
        ("", "https://sandbox-apigw.optum.com"),
        ("optum_base_url = https://gw.example.com", "https://gw.example.com"),
    ],
)
def test_the_header_has_one_line(ini: str, url: str, run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\n{ini}")

    result = run("def test_it():\n    pass\n")

    lines = [line for line in result.outlines if "optum-auth:" in line]
    assert lines == [f"optum-auth: fake of {url}, {LIVE}"]


def test_the_markers_are_registered(run: Run) -> None:
    result = run("", "--markers")

    lines = [line for line in result.outlines if line.startswith("@pytest.mark.optum_")]
    assert lines == [
        "@pytest.mark.optum_auth(**settings): the fake token endpoint, with these settings of "
        "FakeOptum",
        "@pytest.mark.optum_clock(start=None): a clock that stands still, starting there",
        "@pytest.mark.optum_live: runs against the live sandbox when credentials are set",
    ]


def test_the_fixtures_explain_themselves(run: Run) -> None:
    result = run("", "--fixtures")

    for name in ("optum_auth", "optum_clock", "optum_env"):
        result.stdout.re_match_lines([rf"{name} -- .*plugin\.py:\d+", r"    \w+"])
    result.stdout.no_fnmatch_line("*no docstring available*optum*")


def test_the_options_are_registered(run: Run) -> None:
    result = run("", "--help")

    for name in (
        "optum_base_url (string):",
        "optum_token_path (string):",
        "optum_transports (args):",
    ):
        result.stdout.fnmatch_lines([f"  {name}*"])


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


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        (
            "optum_auth(expire_in=60)",
            f"@pytest.mark.optum_auth: unknown keyword 'expire_in': known are {KNOWN}",
        ),
        (
            "optum_auth(60)",
            f"@pytest.mark.optum_auth takes at most 0 argument without a name: known are {KNOWN}",
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
            "@pytest.mark.optum_clock: unknown keyword 'begin': known are start",
        ),
        (
            "optum_clock(0, 1)",
            "@pytest.mark.optum_clock takes at most 1 argument without a name: known are start",
        ),
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
    told = part(result, "ERROR at setup of test_it")
    assert [line.partition("UsageError: ")[2] for line in told if line.startswith("E")] == [message]


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        (
            "optum_base_url = http://gw.example.com",
            "base_url 'http://gw.example.com': a base URL is https:// and a host, for example "
            "'https://sandbox-apigw.optum.com'",
        ),
        (
            "optum_token_path = oauth",
            "token_path 'oauth': a path starts with a slash and has no query, for example "
            "'/apip/auth/sntl/v1/token'",
        ),
    ],
)
def test_an_ini_option_that_makes_no_sense_is_a_usage_error(
    ini: str, message: str, run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeini(f"[pytest]\n{ini}")

    result = run("def test_it(optum_auth):\n    pass\n")

    result.assert_outcomes(errors=1)
    told = part(result, "ERROR at setup of test_it")
    assert [line.partition("UsageError: ")[2] for line in told if line.startswith("E")] == [message]


def test_ini_options_name_another_gateway_and_path(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\noptum_base_url = https://gw.example.com\noptum_token_path = /oauth/token"
    )

    result = run(
        """
import requests

def test_it(optum_auth):
    assert optum_auth.token_url == "https://gw.example.com/oauth/token"
    for url in (optum_auth.token_url, "https://apigw.optum.com/apip/auth/sntl/v1/token"):
        assert requests.post(url).status_code == 415
"""
    )

    result.assert_outcomes(passed=1)


def test_an_ini_option_chooses_the_transports(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\noptum_transports = httpx\n")

    result = run(
        """
import httpx, requests

before = requests.Session.send, httpx.Client.send

def test_it(optum_auth):
    assert httpx.post(optum_auth.token_url).status_code == 415
    assert requests.Session.send is before[0]
    assert httpx.Client.send is not before[1]

def test_after_it():
    assert (requests.Session.send, httpx.Client.send) == before
"""
    )

    result.assert_outcomes(passed=2)


# Markers alone, fixtures together.


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


def test_a_marker_activates_for_a_doctest_item_without_harm(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(documented='"""\n>>> 1 + 1\n2\n"""\n')
    pytester.makeconftest(
        """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.optum_auth)
"""
    )

    result = run("def test_it():\n    pass\n", "--doctest-modules")

    assert result.ret == 0


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
        "OPTUM_CLIENT_ID", "OPTUM_CLIENT_SECRET", "OPTUM_TOKEN_URL", "OPTUM_BASE_URL"
    ]
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
