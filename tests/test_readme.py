"""The README: its blocks are pasted and run as they stand, and print what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_optum_auth.core.settings import Settings, SettingValues

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# pytest-asyncio, where it is installed, warns of an option of its own.
OPTIONS = ("-p", "optum_auth", "-p", "no:asyncio", "-p", "no:randomly", "--color=no")


def blocks(language: str) -> list[str]:
    """What stands between the fences of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


CLIENT, *TESTS = blocks("python")
# The client of the README as most people write it first.
FORGETFUL_CLIENT = """
import requests

GATEWAY = "https://sandbox-apigw.optum.com"


class EligibilityClient:
    def __init__(self, client_id, client_secret):
        self.credentials = {"client_id": client_id, "client_secret": client_secret}
        self.token = None

    def check(self, member_id):
        if self.token is None:  # and when it has expired?
            self.token = self.fetch_token()
        url = f"{GATEWAY}/oihub/eligibility/v1/pre-service/member"
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.post(url, json={"memberId": member_id}, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def fetch_token(self):
        form = {"grant_type": "client_credentials", **self.credentials}
        answer = requests.post(f"{GATEWAY}/apip/auth/sntl/v1/token", data=form)
        answer.raise_for_status()
        return answer.json()["access_token"]
"""


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pytest prints does not depend on the terminal."""
    monkeypatch.setenv("COLUMNS", "80")


def test_every_block_says_its_language() -> None:
    opening = re.findall(r"^```(\w*)$", README, re.M)[::2]

    assert set(opening) <= {"", "python", "console", "sh"}
    # The line that installs is the only one without.
    assert opening.count("") == 1
    assert opening.count("sh") == 2


def test_it_can_be_read_in_six_minutes() -> None:
    assert len(README.splitlines()) <= 250
    assert len(README.split()) <= 6 * 230


@pytest.mark.parametrize("number", range(len(TESTS)))
def test_what_is_pasted_passes(pytester: pytest.Pytester, number: int) -> None:
    pytester.makepyfile(eligibility=CLIENT, test_eligibility=TESTS[number])

    outcomes = pytester.runpytest_inprocess(*OPTIONS, "-W", "error").parseoutcomes()

    assert set(outcomes) == {"passed"}


@pytest.mark.parametrize("number", range(2))
def test_of_a_forgetful_client_the_report_is_as_shown(
    pytester: pytest.Pytester, number: int
) -> None:
    pytester.makepyfile(eligibility=FORGETFUL_CLIENT, test_eligibility=TESTS[number])

    result = pytester.runpytest_inprocess(*OPTIONS)

    shown = blocks("console")[number].splitlines()
    result.stdout.fnmatch_lines(["*" if line == "..." else line for line in shown])
    assert result.parseoutcomes()["failed"] == (1, 8)[number]


def test_the_settings_stand_in_their_table_with_their_defaults() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", README, re.MULTILINE))

    defaults = {name: vars(Settings)[name] for name in SettingValues.__annotations__}
    assert table == {name: f"{value!r}".replace("'", '"') for name, value in defaults.items()}


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_what_it_says_is_not_said_again_in_the_documentation() -> None:
    text = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    sentences = [words(each) for each in re.split(r"(?<=[.:])\s|\n\n|\|", text)]
    pages = [words(path.read_text(encoding="utf-8")) for path in (ROOT / "docs").rglob("*.md")]

    long = [sentence for sentence in sentences if len(sentence.split()) >= 12]
    assert len(long) > 20
    assert [each for each in long if any(each in page for page in pages)] == []


def words(text: str) -> str:
    """The words of ``text``, without marks and without the targets of links."""
    return " ".join(re.findall(r"\w+", re.sub(r"\]\([^)]*\)", "]", text).lower()))
