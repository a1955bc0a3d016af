"""The README: each of its examples is run, and its failing run prints what it shows."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import pytest_optum_auth
from pytest_optum_auth import faults
from pytest_optum_auth.core.settings import Settings, SettingValues

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# pytest-asyncio, where it is installed, warns of an option of its own.
OPTIONS = ("-p", "optum_auth", "-p", "no:asyncio", "--color=no")

# A heading, or a block of code: the text between two fences.
_HEADING = r"^#+ (?P<heading>[^\n]+)$"
_BLOCK = r"^```(?P<language>\w*)\n(?P<code>.*?)^```$"
_PARTS = re.compile(f"{_HEADING}|{_BLOCK}", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    """Heading and code of each block in ``language``."""
    found = []
    heading = ""
    for match in _PARTS.finditer(README):
        if match["heading"]:
            heading = match["heading"]
        elif match["language"] == language:
            found.append((heading, match["code"]))
    return found


PYTHON = blocks("python")
FORGETFUL_CLIENT = """
import requests


class EligibilityClient:
    def __init__(self, client_id, client_secret):
        self.credentials = {"client_id": client_id, "client_secret": client_secret}
        self.token = None

    def check(self, member_id):
        if self.token is None:  # and when it has expired?
            self.token = self.fetch_token()
        answer = requests.post(
            "https://sandbox-apigw.optum.com/oihub/eligibility/v1/pre-service/member",
            json={"memberId": member_id},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        answer.raise_for_status()
        return answer.json()

    def fetch_token(self):
        answer = requests.post(
            "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token",
            data={"grant_type": "client_credentials", **self.credentials},
        )
        answer.raise_for_status()
        return answer.json()["access_token"]
"""


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where nobody has set anything: CI, too, makes pytest write other lines."""
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", *(n for n in os.environ if "OPTUM" in n)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def test_every_block_says_its_language() -> None:
    fences = re.findall(r"^```(\w*)$", README, re.M)
    opening = fences[::2]

    assert set(opening) <= {"", "python", "console", "sh", "ini", "toml", "yaml"}
    # The line that installs is the only one without.
    assert opening.count("") == 1
    assert len(PYTHON) == opening.count("python") > 0


@pytest.mark.parametrize("number", range(len(PYTHON)), ids=lambda i: f"{i}-{PYTHON[i][0]}")
def test_the_example_runs(pytester: pytest.Pytester, number: int) -> None:
    client = (ROOT / "examples/requests_client.py").read_text(encoding="utf-8")
    pytester.makepyfile(eligibility=client, test_example=PYTHON[number][1])

    # cryptography keeps the datetime that it sees first, which in this process may be a frozen one.
    alone = "optum_server" in PYTHON[number][1]
    run = pytester.runpytest_subprocess if alone else pytester.runpytest_inprocess
    result = run(*OPTIONS, "-W", "error")

    outcomes = result.parseoutcomes()
    assert set(outcomes) <= {"passed", "skipped"}
    assert sum(outcomes.values()) >= 1


def test_the_failing_run_prints_what_the_readme_shows(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(eligibility=FORGETFUL_CLIENT, test_eligibility=PYTHON[0][1])

    result = pytester.runpytest_inprocess(*OPTIONS, "--tb=short")

    shown = blocks("console")[0][1]
    printed = result.stdout.str()
    assert normalised(shown) == normalised(printed[printed.index("=" * 35 + " FAILURES ") :])


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its first line and the rule."""
    section = re.split(rf"^#+ {re.escape(heading)}$", README, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, flags=re.MULTILINE)[0]
    lines = re.findall(r"^\|(.*)\|$", section, re.MULTILINE)[2:]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def test_the_settings_stand_in_their_table_with_their_defaults() -> None:
    table = {row[0]: row[1] for row in rows("Settings")}

    defaults = {name: vars(Settings)[name].default for name in SettingValues.__annotations__}
    shown = {f"`{name}`": f"`{value!r}`".replace("'", '"') for name, value in defaults.items()}
    assert table == shown


def test_every_fault_stands_in_its_table() -> None:
    table = " ".join(row[0] for row in rows("Faults"))

    assert {*re.findall(r"(?<!\.)\b([a-z_]+)\(", table)} == {*faults.__all__} - {"Fault"}


def test_every_public_name_is_listed() -> None:
    [listed] = re.findall(r"imported from `pytest_optum_auth`: (.*?)\.$", README, re.M | re.S)

    assert re.findall(r"`(\w+)`", listed) == pytest_optum_auth.__all__


def test_every_option_is_listed(pytester: pytest.Pytester) -> None:
    help_text = pytester.runpytest_inprocess(*OPTIONS, "--help").stdout.str()

    listed = [row[0].strip("`") for row in rows("Options")]
    assert sorted(listed) == sorted(re.findall(r"^  (optum_\w+) \(", help_text, re.MULTILINE))


def normalised(output: str) -> str:
    """Without what differs between machines: where a library lies, line numbers, durations."""
    output = re.sub(r"^\S*site-packages/", ".../", output, flags=re.M)
    output = re.sub(r":\d+: in ", ":0: in ", output)
    output = re.sub(r"in \d+\.\d+s", "in 0.10s", output)
    return "\n".join(line.rstrip(" ") for line in output.strip().splitlines())
