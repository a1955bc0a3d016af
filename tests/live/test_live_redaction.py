"""What is masked beside the reports of tests: warnings, the junit file, pytest's cache."""

from __future__ import annotations

import json

import pytest
from live_runs import LiveRuns
from stand_in import CLIENT_SECRET, StandIn

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
SEEN = 'seen="[OPTUM_CLIENT_SECRET, HTML-escaped]"'
JUNIT = ("-o", "junit_family=xunit1", "--junitxml=junit.xml")


def test_a_warning_shows_no_secret(inner: LiveRuns, live_credentials: dict[str, str]) -> None:
    inner.tests(SUITE)

    result = inner.run(*SHOWN)

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["  *test_inner.py:7: UserWarning: [[]OPTUM_CLIENT_SECRET]"])


def test_an_attribute_in_the_junit_file_shows_no_secret(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(SUITE)

    inner.run(*SHOWN, *JUNIT).assert_outcomes(passed=1)

    assert (
        'seen="[OPTUM_CLIENT_SECRET, HTML-escaped]"'
        in inner.pytester.path.joinpath("junit.xml").read_text()
    )


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
    assert json.loads(written) == ["[OPTUM_CLIENT_SECRET]", "plain"]


def test_the_secret_is_masked_when_live_tests_are_off_too(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(SUITE)

    inner.run("--optum-live=off", *SHOWN, *JUNIT).assert_outcomes(passed=1)

    assert (
        'seen="[OPTUM_CLIENT_SECRET, HTML-escaped]"'
        in inner.pytester.path.joinpath("junit.xml").read_text()
    )


def test_a_secret_alone_is_masked_without_an_id(
    inner: LiveRuns, no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", CLIENT_SECRET)
    inner.tests(SUITE)

    result = inner.run(*SHOWN)

    result.stdout.fnmatch_lines(["  *test_inner.py:7: UserWarning: [[]OPTUM_CLIENT_SECRET]"])


def test_further_secrets_are_masked_by_their_names(
    inner: LiveRuns, no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMS_CLIENT_SECRET", "9Qx-vT&w7=Lk+Zp3%Rb8")
    monkeypatch.setenv("EMPTY_SECRET", "")
    inner.pytester.makeini(
        "[pytest]\noptum_live_secrets = CLAIMS_CLIENT_SECRET EMPTY_SECRET UNSET_SECRET"
    )
    inner.tests("def test_it(): assert '9Qx-vT&w7=Lk+Zp3%Rb8' == ''")

    result = inner.run()

    result.stdout.fnmatch_lines(["E*AssertionError: assert '[[]CLAIMS_CLIENT_SECRET]' == ''"])
    result.stdout.no_fnmatch_line("*9Qx-vT*")


def test_what_an_offline_test_decodes_is_no_secret_and_stops_no_run(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(
        """
        import json, pytest

        TOKEN = json.loads('{"access_token": "test_token_of_a_client"}')["access_token"]

        @pytest.mark.parametrize("token", [TOKEN])
        def test_token_of_a_client(token): assert token == "test_token_of_another_client"
        """
    )

    result = inner.run("-v")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "test_inner.py::test_token_of_a_client?test_token_of_a_client? FAILED*",
            "E*assert 'test_token_of_a_client' == 'test_token_of_another_client'",
        ]
    )


def test_two_tokens_that_differ_look_different(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn
) -> None:
    inner.tests(
        """
        import ssl, urllib.parse, urllib.request, json

        def test_it(optum_live):
            first = optum_live.access_token
            client_id, client_secret = optum_live.credentials
            form = {"grant_type": "client_credentials", "client_id": client_id}
            data = urllib.parse.urlencode({**form, "client_secret": client_secret}).encode()
            # Of its own: the opener of this process keeps the first one that it makes.
            trust = ssl.create_default_context()
            with urllib.request.urlopen(optum_live.token_url, data, context=trust) as answer:
                text = answer.read().decode()
            assert [first, text] == []
        """
    )

    result = inner.run("-vv")

    result.assert_outcomes(failed=1)
    output = result.stdout.str()
    assert "[token 1]" in output
    assert '"access_token": "[token 2]"' in output
    assert not [token for token in stand_in.tokens if token[-20:] in output]


def test_credentials_that_a_conftest_loads_are_masked_in_its_own_error(
    inner: LiveRuns, no_credentials: None
) -> None:
    inner.pytester.makeconftest(
        f"""
        import os
        os.environ["OPTUM_CLIENT_SECRET"] = {CLIENT_SECRET!r}

        class Spoken(Exception):
            def __str__(self): return "it is " + os.environ["OPTUM_CLIENT_SECRET"]

        raise Spoken()
        """
    )

    result = inner.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "it is [OPTUM_CLIENT_SECRET]" in result.stderr.str()


@pytest.mark.parametrize(
    ("report", "shown"),
    [
        ((), False),
        (("-rP",), True),
        (("--junitxml=junit.xml", "-o", "junit_logging=all"), False),
    ],
)
def test_what_a_passing_test_prints_is_masked_where_it_is_shown(
    inner: LiveRuns, live_credentials: dict[str, str], report: tuple[str, ...], shown: bool
) -> None:
    inner.tests("import os\ndef test_it(): print('it is', os.environ['OPTUM_CLIENT_SECRET'])")

    result = inner.run(*report)

    assert ("it is [OPTUM_CLIENT_SECRET]" in result.outlines) is shown


def test_a_plugin_that_takes_reports_meets_masked_ones(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.pytester.makeconftest(
        """
        def pytest_runtest_logreport(report):
            if report.when == "call":
                with open("mine.txt", "w") as file: file.write(report.capstdout)
        """
    )
    inner.tests("import os\ndef test_it(): print('it is', os.environ['OPTUM_CLIENT_SECRET'])")

    inner.run().assert_outcomes(passed=1)

    written = inner.pytester.path.joinpath("mine.txt").read_text()
    assert written == "it is [OPTUM_CLIENT_SECRET]\n"


def test_what_a_report_is_turned_into_shows_no_secret(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.pytester.makeconftest(
        """
        import os

        class Mine:
            nodeid = "mine"

        def pytest_report_to_serializable(report):
            if isinstance(report, Mine):
                return {"nodeid": "mine", "more": os.environ["OPTUM_CLIENT_SECRET"]}

        def pytest_sessionfinish(session):
            turn = session.config.hook.pytest_report_to_serializable
            print(turn(config=session.config, report=Mine())["more"] == "[OPTUM_CLIENT_SECRET]")
            print(turn(config=session.config, report=object()))
        """
    )
    inner.tests("def test_it(): pass")

    result = inner.run("-s")

    result.stdout.fnmatch_lines(["*True", "None"])


def test_an_id_that_holds_the_secret_is_refused(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(
        """
        import os, pytest

        @pytest.mark.parametrize("value", [os.environ["OPTUM_CLIENT_SECRET"]])
        def test_it(value): pass
        """
    )

    result = inner.run()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert (
        "test_inner.py:3: the id of this test holds a live secret or token. "
        "Give the parameter an id of its own: pytest.param(..., id='name')."
    ) in result.outlines


def test_a_name_in_the_cache_of_pytest_shows_no_secret(
    inner: LiveRuns, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "9Qx-vT&w7=Lk+Zp3%Rb8")
    inner.tests(
        """
        import os

        def test_it(request):
            key = "mine/" + os.environ["OPTUM_CLIENT_SECRET"]
            request.config.cache.set(key, 7)
            assert request.config.cache.get(key, None) == 7
        """
    )

    inner.run().assert_outcomes(passed=1)

    folder = inner.pytester.path.joinpath(".pytest_cache/v/mine")
    assert [path.name for path in folder.iterdir()] == ["[OPTUM_CLIENT_SECRET]"]


TWO_TOKENS = """
    import dataclasses, json, os, urllib.parse, urllib.request
    import pytest

    pytestmark = pytest.mark.optum_live

    @dataclasses.dataclass
    class Held:
        token: str

    @pytest.fixture
    def answer(optum_live):
        form = dict(zip(("client_id", "client_secret"), optum_live.credentials))
        data = urllib.parse.urlencode({"grant_type": "client_credentials", **form}).encode()

        def ask():
            # Not urlopen(), which keeps the certificates of the first test that has used it.
            opener = urllib.request.build_opener()
            with opener.open(optum_live.token_url, data) as answer:
                return answer.read()

        return ask

    @pytest.mark.parametrize("held", [str, Held, lambda token: [token]], ids=["", "in", "list"])
    def test_two(answer, held):
        first, second = (json.loads(answer())["access_token"] for _ in range(2))
        assert held(first) == held(second)

    def test_bytes(answer):
        body = {"more": answer()}
        assert len(body) == 2
"""


@pytest.mark.parametrize("verbose", ["-l", "-lvv"])
def test_of_two_tokens_that_differ_late_nothing_is_shown(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn, verbose: str
) -> None:
    inner.tests(TWO_TOKENS)

    result = inner.run(verbose, "--color=no")

    result.assert_outcomes(failed=4)
    output = result.stdout.str()
    assert len(stand_in.tokens) == 7
    assert "[token 1" in output
    # pytest leaves out where two texts agree, and writes bytes in several lines.
    assert ("Skipping" in output) is (verbose == "-l")
    inside = {token.partition(".")[2] for token in stand_in.tokens}
    pieces = {text[i : i + 12] for text in inside for i in range(len(text) - 11)}
    assert [piece for piece in pieces if piece in output] == []
