"""What the documentation says is shown all the same: it is, and nothing is told that is not."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from live_runs import LiveRuns

from pytest_optum_auth.live.redaction.redactor import Redactor

PAGE = Path(__file__).parents[2] / "docs/explanation/secrets.md"
SECRET = "9Qx-vT&w7=Lk+Zp3%Rb8"
OPAQUE = "3f9a77b0c1d24e5f8a6b9c0d1e2f3a4b"
SUITE = """
import logging, os

SECRET = os.environ["OPTUM_CLIENT_SECRET"]

class Own(logging.StreamHandler):
    def emit(self, record):
        os.write(2, f"handler {record.msg}\\n".encode())

def test_it(tmp_path):
    os.write(1, f"descriptor {SECRET}\\n".encode())
    (tmp_path / "own.txt").write_text(SECRET)
    print("file", (tmp_path / "own.txt").read_text() == "9Qx-vT&w7=Lk+Zp3%Rb8")
    print("pieces ", end="")
    for character in SECRET:
        print(character, end="", flush=True)
    logging.getLogger("own").addHandler(Own())
    logging.getLogger("own").warning(SECRET)
    print("masked", SECRET)
"""


@pytest.fixture
def secret(no_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the environment of a run that holds no live test."""
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", SECRET)


def shown(secret: str, text: str) -> bool:
    """Whether a text is left as it is by a redactor that knows ``secret``."""
    redactor = Redactor(by_form=True)
    redactor.learn_secret("S", secret)
    return redactor.redact(text) == text


# By their first words in the table; runs of pytest follow below.
LEFT: dict[str, Callable[[], bool]] = {
    "a secret of fewer than eight characters": lambda: shown("1234567", "1234567"),
    "a part of a secret of fewer than": lambda: shown("pa&s/w0rd", "pa&s/w0r"),
    "a token of a client that is neither": lambda: shown(SECRET, f"got {OPAQUE}"),
}
RUNS = {
    "what a test or a subprocess writes to a file descriptor": f"descriptor {SECRET}",
    "files that a test": "file True",
    "a secret that is written in pieces": f"pieces {SECRET}",
    "a log handler that formats": f"handler {SECRET}",
}
OTHERS = {
    "a secret that a fixture sets",
    "what a conftest prints of a secret",
    "`--debug`",
}


def rows() -> list[str]:
    """The first column of the table of leaks."""
    table = PAGE.read_text("utf-8").partition("## What is shown all the same")[2]
    return re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[1:]


def test_each_row_of_the_table_is_shown_here() -> None:
    known = {*LEFT, *RUNS, *OTHERS}

    assert len(rows()) == len(known) <= 12
    assert [row for row in rows() if not row.startswith(tuple(known))] == []


@pytest.mark.parametrize("what", LEFT)
def test_a_value_is_shown(what: str) -> None:
    assert LEFT[what]()


def test_what_goes_past_is_shown(inner: LiveRuns, secret: None) -> None:
    inner.pytester.makepyfile(test_inner=SUITE)

    result = inner.run_subprocess("-s")

    output = result.stdout.str() + result.stderr.str()
    assert [text for text in RUNS.values() if text not in output] == []
    assert "masked [OPTUM_CLIENT_SECRET]" in output


def test_what_a_fixture_sets_is_shown(inner: LiveRuns, no_credentials: None) -> None:
    inner.tests(
        f"""
        def test_it(monkeypatch):
            monkeypatch.setenv("OPTUM_CLIENT_SECRET", {SECRET!r})
            assert {SECRET!r} == ""
        """
    )

    assert SECRET in inner.run().stdout.str()


def test_what_a_failing_conftest_prints_is_shown(inner: LiveRuns, no_credentials: None) -> None:
    inner.pytester.makeconftest(
        f"""
        import os
        os.environ["OPTUM_CLIENT_SECRET"] = {SECRET!r}
        print("it is", os.environ["OPTUM_CLIENT_SECRET"])
        raise RuntimeError(os.environ["OPTUM_CLIENT_SECRET"])
        """
    )

    result = inner.run()

    assert f"it is {SECRET}" in result.stdout.str()
    assert "RuntimeError: [OPTUM_CLIENT_SECRET]" in result.stderr.str()


def test_an_id_is_shown_with_live_tests_off(inner: LiveRuns, secret: None) -> None:
    inner.tests(
        """
        import os, pytest

        @pytest.mark.parametrize("value", [os.environ["OPTUM_CLIENT_SECRET"]])
        def test_it(value): os.environ["SEEN"] = os.environ["PYTEST_CURRENT_TEST"]
        """
    )

    inner.run("--optum-live=off").assert_outcomes(passed=1)

    assert SECRET in os.environ.pop("SEEN")
