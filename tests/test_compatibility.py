"""Projects that load plugins by name, import by importlib, or turn pytest's strict mode on.

Needs no client library but requests, and no conftest, so that it also runs where the others cannot
be installed.
"""

from __future__ import annotations

import importlib.metadata

import pytest
from inner_runs import OPTIONS, Run, part

# Without our plugin. This process has imported it long ago, which pytest 8 warns of.
SETTLED = [*OPTIONS[2:], "-W", "ignore::pytest.PytestAssertRewriteWarning"]
MODULE = ("-p", "pytest_optum_auth.plugin")
ENTRY_POINT = ("-p", "optum_auth")
PYTEST = tuple(int(part) for part in pytest.__version__.split(".")[:2])
since_9 = pytest.mark.skipif(PYTEST < (9, 0), reason="strict mode came with pytest 9")
since_9_2 = pytest.mark.skipif(PYTEST < (9, 2), reason="pytest 9.0 and 9.1 end with a traceback")

# Every fixture and marker. One test is skipped: the live one has no credentials.
SUITE = """
import os
import time

import pytest
import requests

FAKE = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"

def test_fixtures(optum_auth, optum_clock, optum_env):
    form = {"grant_type": "client_credentials", "client_id": os.environ["OPTUM_CLIENT_ID"],
            "client_secret": optum_env["OPTUM_CLIENT_SECRET"]}
    assert requests.post(FAKE, data=form).status_code == 200
    optum_clock.expire_token()

@pytest.mark.optum_auth(expires_in=60)
@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
class TestMarkers:
    def test_it(self):
        assert requests.post(FAKE).status_code == 415
        assert time.time() == 1767225600

    @pytest.mark.parametrize("seconds", [1, 2], ids=str)
    def test_parameters(self, seconds, optum_clock):
        optum_clock.tick(seconds)

def test_https(optum_server):
    url, ca = optum_server.token_url, optum_server.ca_bundle
    assert requests.post(url, verify=ca).status_code == 415

@pytest.mark.parametrize("member", ["one", "two"])
def test_target(member, optum_target):
    assert not optum_target.is_live

@pytest.mark.optum_live
def test_live(optum_live):
    assert False
"""
OUTCOMES = {"passed": 7, "skipped": 3}


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``project(*options, autoload=False)``: pytest with our plugin and xdist installed alone."""
    installed = [importlib.metadata.distribution(d) for d in ("pytest-optum-auth", "pytest-xdist")]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda **_: iter(installed))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*options: str, autoload: bool = False) -> pytest.RunResult:
        if autoload:
            monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
        else:
            monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        return pytester.runpytest_inprocess(*SETTLED, *options)

    return run


def headers(result: pytest.RunResult) -> int:
    """How many lines of the plugin stand in the header."""
    return len([line for line in result.outlines if line.startswith("optum-auth: fake of ")])


# By which name, and how often, the plugin is asked for.

ONE = """
import pytest

@pytest.mark.optum_auth(expires_in=60)
def test_it(optum_auth):
    assert optum_auth.expires_in == 60
"""
NAMED = {
    "unnamed": (),
    "entry-point": ENTRY_POINT,
    "module": MODULE,
    "both": (*ENTRY_POINT, *MODULE),
    "both-reversed": (*MODULE, *ENTRY_POINT),
}
CONFTEST = 'pytest_plugins = ["pytest_optum_auth.plugin"]'
OPTION = pytest.param(
    True,
    ("--disable-plugin-autoload",),
    marks=pytest.mark.skipif(PYTEST < (8, 4), reason="the option came with pytest 8.4"),
    id="off-by-option",
)
ABSENT = pytest.mark.parametrize(
    ("autoload", "options"),
    [
        pytest.param(False, (), id="not-named"),
        pytest.param(True, ("-p", "no:optum_auth"), id="blocked"),
        OPTION,
    ],
)


@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize(
    ("autoload", "conftest"),
    [(True, ""), (True, CONFTEST), (False, CONFTEST)],
    ids=["autoload", "autoload-conftest", "conftest"],
)
def test_the_plugin_is_loaded_once_whoever_asks_for_it(
    named: str, autoload: bool, conftest: str, project: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(ONE)
    pytester.makeconftest(conftest)

    result = project(*NAMED[named], autoload=autoload)

    result.assert_outcomes(passed=1)
    assert headers(result) == 1


@pytest.mark.parametrize("named", [name for name in NAMED if name != "unnamed"])
@pytest.mark.parametrize(("autoload", "options"), [pytest.param(False, (), id="off"), OPTION])
def test_naming_it_is_enough_without_autoload(
    named: str,
    autoload: bool,
    options: tuple[str, ...],
    project: Run,
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(ONE)

    result = project(*options, *NAMED[named], autoload=autoload)

    result.assert_outcomes(passed=1)
    assert headers(result) == 1


@ABSENT
def test_without_the_plugin_there_is_no_fixture_and_no_line(
    autoload: bool, options: tuple[str, ...], project: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile("def test_it(optum_auth):\n    pass\n")

    result = project(*options, autoload=autoload)

    result.assert_outcomes(errors=1)
    assert "E       fixture 'optum_auth' not found" in part(result, "ERROR at setup of test_it")
    assert headers(result) == 0


@pytest.fixture
def one_file_a_marker(pytester: pytest.Pytester) -> None:
    """A test for each marker, in a file that is an error when the marker is unknown."""
    for marker in ("optum_auth", "optum_clock", "optum_live"):
        source = f"import pytest\n@pytest.mark.{marker}\ndef test_it():\n    pass\n"
        pytester.makepyfile(**{f"test_{marker}": source})


# In processes of their own: within one, pytest remembers a marker that was known once.


@ABSENT
@pytest.mark.usefixtures("project", "one_file_a_marker")
def test_without_the_plugin_its_markers_are_unknown(
    autoload: bool,
    options: tuple[str, ...],
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not autoload:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    result = pytester.runpytest_subprocess("--strict-markers", *options)

    result.assert_outcomes(errors=3)
    for marker in ("optum_auth", "optum_clock", "optum_live"):
        result.stdout.fnmatch_lines_random(
            [f"*'{marker}' not found in `markers` configuration option"]
        )


@pytest.mark.usefixtures("project", "one_file_a_marker")
@pytest.mark.parametrize("named", [ENTRY_POINT, MODULE], ids=["entry-point", "module"])
def test_with_the_plugin_its_markers_are_known(
    named: tuple[str, ...], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    result = pytester.runpytest_subprocess("--strict-markers", *named)

    result.assert_outcomes(passed=2, skipped=1)


# The workers of xdist, itself loaded by name.

WORKERS = ("-p", "xdist.plugin", "-n", "2")


def test_workers_get_the_plugin_that_was_named(project: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    result = project(*WORKERS, *ENTRY_POINT)

    assert (result.parseoutcomes(), headers(result)) == (OUTCOMES, 1)


def test_workers_do_not_get_a_plugin_that_was_not_named(
    project: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile("def test_it(optum_auth):\n    pass\n")

    result = project(*WORKERS)

    result.assert_outcomes(errors=1)
    assert "E       fixture 'optum_auth' not found" in part(result, "ERROR at setup of test_it")


# --import-mode=importlib.


@pytest.fixture
def two_of_one_name(pytester: pytest.Pytester) -> None:
    """Two files called ``test_token.py`` in folders that are no packages."""
    for folder in ("claims", "eligibility"):
        pytester.mkdir(folder).joinpath("test_token.py").write_text(SUITE, encoding="utf-8")


@pytest.mark.usefixtures("two_of_one_name")
def test_two_files_of_one_name_are_imported_by_importlib(project: Run) -> None:
    result = project("--import-mode=importlib", *ENTRY_POINT)

    assert result.parseoutcomes() == {name: 2 * count for name, count in OUTCOMES.items()}


@pytest.mark.usefixtures("two_of_one_name")
def test_two_files_of_one_name_are_an_error_otherwise(project: Run) -> None:
    result = project(*ENTRY_POINT)

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(["import file mismatch:"])


def test_a_src_layout_is_imported_by_importlib(project: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\naddopts = --import-mode=importlib\npythonpath = src\n")
    pytester.mkdir("src").joinpath("client.py").write_text(
        "import requests\n\ndef ask(optum):\n    return requests.post(optum.token_url)\n"
    )
    pytester.mkdir("tests").joinpath("test_client.py").write_text(
        "import client\n\n"
        "def test_it(optum_target):\n    assert client.ask(optum_target).status_code == 415\n"
    )

    result = project(*MODULE)

    assert result.parseoutcomes() == {"passed": 1, "skipped": 1}


# The strict mode of pytest 9, in both kinds of file that turn it on.

INI = "[pytest]\nstrict = true\n"
TOML = "[tool.pytest]\nstrict = true\n"


@pytest.fixture(params=[("tox.ini", INI), ("pyproject.toml", TOML)], ids=["ini", "toml"])
def strict(request: pytest.FixtureRequest, pytester: pytest.Pytester) -> None:
    """The project's configuration turns strict mode on."""
    name, text = request.param
    pytester.path.joinpath(name).write_text(text, encoding="utf-8")


@since_9
@pytest.mark.usefixtures("strict")
def test_strict_mode_has_no_objection(project: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    assert project(*ENTRY_POINT).parseoutcomes() == OUTCOMES


OBJECTIONABLE = {
    "marker": (
        "@pytest.mark.optum_ath\ndef test_it(): pass",
        "'optum_ath' not found in `markers` configuration option",
    ),
    "ids": (
        "@pytest.mark.parametrize('member', ['one', 'one'])\n"
        "def test_it(member, optum_target): pass",
        "*Duplicate parametrization IDs detected, but strict_parametrization_ids is set.",
    ),
    "xfail": ("@pytest.mark.xfail\ndef test_it(optum_auth): pass", "?XPASS(strict)?*"),
}


@since_9
@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("what", OBJECTIONABLE)
def test_strict_mode_is_really_on(what: str, project: Run, pytester: pytest.Pytester) -> None:
    source, message = OBJECTIONABLE[what]
    pytester.makepyfile(f"import pytest\n{source}\n")

    result = project(*ENTRY_POINT)

    assert result.ret != 0
    result.stdout.fnmatch_lines([message])


@since_9
@pytest.mark.parametrize("misspelt", ["optum_lives = 'off'", "optum_host = ['a']"])
def test_strict_mode_refuses_an_option_that_is_not_ours(
    misspelt: str, project: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyprojecttoml(TOML + misspelt)

    result = project(*ENTRY_POINT)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines[0] == f"ERROR: Unknown config option: {misspelt.split()[0]}"


@since_9
@pytest.mark.usefixtures("strict")
def test_the_contract_is_strict(project: Run) -> None:
    result = project(
        "--import-mode=importlib", *ENTRY_POINT, "--pyargs", "pytest_optum_auth.contract"
    )

    assert set(result.parseoutcomes()) == {"passed", "skipped"}


# Options as TOML values, which pytest 9's own table does not convert.


@pytest.mark.parametrize(
    "table", [pytest.param("[tool.pytest]", marks=since_9), "[tool.pytest.ini_options]"]
)
def test_options_are_toml_values(table: str, project: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        table
        + """
optum_live = "off"
optum_live_hosts = ["one.example.com", "two.example.com"]
optum_transports = ["requests"]
optum_base_url = "https://gw.example.com"
optum_token_path = "/oauth/token"
"""
    )
    pytester.makepyfile(
        """
import pytest, requests

def test_it(optum_auth, pytestconfig):
    assert pytestconfig.getini("optum_live_hosts") == ["one.example.com", "two.example.com"]
    assert pytestconfig.getini("optum_transports") == ["requests"]
    assert requests.post("https://gw.example.com/oauth/token").status_code == 415
"""
    )

    result = project(*ENTRY_POINT)

    result.assert_outcomes(passed=1)
    assert "optum-auth: fake of https://gw.example.com, live tests are off" in result.outlines


@since_9
def test_a_listed_host_may_be_called(
    project: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyprojecttoml(f'{TOML}optum_live_hosts = ["one.example.com", "two.example.com"]\n')
    pytester.makepyfile("import pytest\n\n@pytest.mark.optum_live\ndef test_it():\n    pass\n")
    monkeypatch.setenv("OPTUM_CLIENT_ID", "a-client-of-nobody")
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "a-secret-of-nobody")

    runs = []
    for host in ("one", "two", "three"):
        monkeypatch.setenv("OPTUM_TOKEN_URL", f"https://{host}.example.com/oauth/token")
        runs.append(project(*ENTRY_POINT).ret)

    assert runs == [pytest.ExitCode.OK, pytest.ExitCode.OK, pytest.ExitCode.USAGE_ERROR]


@since_9_2
@pytest.mark.parametrize("value", ["false", "true", '["off"]'])
def test_a_mode_of_another_type_ends_the_run(
    value: str, project: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyprojecttoml(f"{TOML}optum_live = {value}\n")

    result = project(*ENTRY_POINT)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    kind = "list: ['off']" if value.startswith("[") else f"bool: {value.title()}"
    message = f"pyproject.toml: config option 'optum_live' expects a string, got {kind}"
    assert result.errlines[0].endswith(message)


@pytest.mark.parametrize("value", ['"false"', "false"])
def test_a_mode_that_is_none_ends_the_run(
    value: str, project: Run, pytester: pytest.Pytester
) -> None:
    # The table of before pytest 9, which makes a text of the value.
    pytester.makepyprojecttoml(f"[tool.pytest.ini_options]\noptum_live = {value}\n")

    result = project(*ENTRY_POINT)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    shown = value.strip('"') if '"' in value else value.title()
    message = f"ERROR: ini optum_live is {shown!r}: it must be one of auto, off, require."
    assert result.errlines[0] == message


@since_9_2
def test_transports_that_are_no_list_are_a_usage_error(
    project: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyprojecttoml(f'{TOML}optum_transports = "requests httpx"\n')
    pytester.makepyfile("def test_it(optum_auth):\n    pass\n")

    result = project(*ENTRY_POINT)

    result.assert_outcomes(errors=1)
    assert part(result, "ERROR at setup of test_it") == [
        f"usage error: {pytester.path / 'pyproject.toml'}: config option 'optum_transports' "
        "expects a list for type 'args', got str: 'requests httpx'"
    ]
