"""The plugin in pytest: what loading it costs, what it registers and says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from inner_runs import Run

import pytest_optum_auth
from pytest_optum_auth.fake import KEYWORDS


def modules_after(tmp_path: Path, *options: str) -> set[str]:
    """What a run of pytest on one test that asks for nothing has loaded, in a fresh process."""
    (tmp_path / "test_it.py").write_text(
        "import json, sys\n"
        "def test_it():\n"
        "    with open('modules.json', 'w') as file:\n"
        "        json.dump(sorted(sys.modules), file)\n"
    )
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
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
        "pytest_optum_auth.core",
        "pytest_optum_auth.core.facts",
        "pytest_optum_auth.live",
        "pytest_optum_auth.live.mode",
        "pytest_optum_auth.plugin",
        "pytest_optum_auth.plugin.fixtures",
        "pytest_optum_auth.pytest_internals",
    }
    assert len(added) <= 8


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
    assert {"ApiRoute", "Clock", "Credentials", "Exchange", "FakeOptum", "Fault", "Token"} <= set(
        pytest_optum_auth.__all__
    )


def test_who_looks_into_every_module_loads_nothing() -> None:
    """As freezegun does when it starts."""
    assert not set(dir(pytest_optum_auth)) & {"Clock", "FakeOptum", "LiveSandbox", "Server"}


def test_its_names_are_imported_when_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pytest_optum_auth, "faults")

    assert repr(pytest_optum_auth.faults.timeout()) == "timeout()"


def test_the_package_has_no_other_name() -> None:
    with pytest.raises(
        AttributeError, match="module 'pytest_optum_auth' has no attribute 'nonsense'"
    ):
        _ = pytest_optum_auth.nonsense


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
        "@pytest.mark.optum_auth(**settings): the fake token endpoint, set up with "
        f"{', '.join(KEYWORDS)}",
        "@pytest.mark.optum_clock(start=None, tick=False, sleep_moves=False): a clock that stands "
        "still, starting at '2026-01-01T00:00:00Z', an aware datetime or seconds since 1970 "
        "(default: now); with tick it runs; with sleep_moves sleeps return at once and move it",
        "@pytest.mark.optum_client_check(known={}, only=[]): the promises that the client is known "
        "to break, with the reason, and those to try (default: all)",
        "@pytest.mark.optum_live: runs against the live sandbox, and is skipped unless credentials "
        "are set",
    ]


def test_the_fixtures_explain_themselves(run: Run) -> None:
    result = run("", "--fixtures")

    for name in ("optum_auth", "optum_clock", "optum_env"):
        result.stdout.re_match_lines([rf"{name} -- .*plugin[/\\]fixtures\.py:\d+", r"    \w+"])
    result.stdout.no_fnmatch_line("*no docstring available*optum*")


def test_the_options_are_registered(run: Run) -> None:
    result = run("", "--help")

    for name in (
        "optum_base_url (string):",
        "optum_guard (string):",
        "optum_token_path (string):",
        "optum_transports (args):",
    ):
        result.stdout.fnmatch_lines([f"  {name}*"])
