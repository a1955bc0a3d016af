"""Outcomes and exit codes: with and without credentials, in each mode of ``--optum-live``."""

from __future__ import annotations

import pytest
from live_runs import LiveRuns
from stand_in import StandIn

from pytest_optum_auth.live.mode import live_status, missing_credentials, missing_sentence

SUITE = """
    import pytest

    @pytest.mark.optum_live
    def test_marked(): pass

    def test_fixture(optum_live): assert optum_live.access_token

    def test_target(optum_target): assert optum_target.token_url

    def test_plain(): pass
"""
MISSING = (
    "OPTUM_CLIENT_ID and OPTUM_CLIENT_SECRET are not set: export the sandbox credentials "
    "(OPTUM_CLIENT_ID=… OPTUM_CLIENT_SECRET=… pytest, or secrets of the CI job)"
)


@pytest.mark.parametrize(
    ("mode", "outcomes", "exit_code"),
    [
        ("auto", {"passed": 2, "skipped": 3}, pytest.ExitCode.OK),
        ("off", {"passed": 2, "skipped": 3}, pytest.ExitCode.OK),
        ("require", {"passed": 2, "errors": 3}, pytest.ExitCode.TESTS_FAILED),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_without_credentials_live_tests_are_skipped_or_fail(
    inner: LiveRuns,
    no_credentials: None,
    mode: str,
    outcomes: dict[str, int],
    exit_code: int,
    workers: tuple[str, ...],
) -> None:
    inner.tests(SUITE)

    result = inner.run(f"--optum-live={mode}", "-p", "xdist.plugin", *workers)

    result.assert_outcomes(**outcomes)
    assert result.ret == exit_code


@pytest.mark.parametrize(
    ("mode", "outcomes"),
    [
        ("auto", {"passed": 5}),
        ("off", {"passed": 2, "skipped": 3}),
        ("require", {"passed": 5}),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_with_credentials_live_tests_run_unless_they_are_off(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    mode: str,
    outcomes: dict[str, int],
    workers: tuple[str, ...],
) -> None:
    inner.tests(SUITE)

    result = inner.run(f"--optum-live={mode}", "-p", "xdist.plugin", *workers)

    result.assert_outcomes(**outcomes)
    assert result.ret == pytest.ExitCode.OK


def test_the_ini_option_sets_the_mode(inner: LiveRuns, no_credentials: None) -> None:
    inner.tests(SUITE)
    inner.pytester.makeini("[pytest]\noptum_live = require")

    inner.run().assert_outcomes(passed=2, errors=3)


def test_the_command_line_wins_over_the_ini_option(inner: LiveRuns, no_credentials: None) -> None:
    inner.tests(SUITE)
    inner.pytester.makeini("[pytest]\noptum_live = require")

    inner.run("--optum-live=off").assert_outcomes(passed=2, skipped=3)


def test_another_value_in_the_ini_file_is_a_usage_error(
    inner: LiveRuns, no_credentials: None
) -> None:
    inner.tests(SUITE)
    inner.pytester.makeini("[pytest]\noptum_live = sometimes")

    result = inner.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines[:1] == [
        "ERROR: ini optum_live is 'sometimes': it must be one of auto, off, require."
    ]


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_blank_variable_is_a_missing_one(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    blank: str,
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", blank)
    inner.tests(SUITE)

    result = inner.run("-rs", "-k", "marked")

    assert (
        "SKIPPED [1] test_inner.py:3: OPTUM_CLIENT_SECRET is not set: export the sandbox "
        "credentials (OPTUM_CLIENT_SECRET=… pytest, or secrets of the CI job)"
    ) in result.outlines


@pytest.mark.parametrize(
    "reference",
    [
        "$(OPTUM_CLIENT_SECRET)",
        "$(optum-sandbox.secret)",
        "${OPTUM_CLIENT_SECRET}",
        "${OPTUM_CLIENT_SECRET:-}",
        "$OPTUM_CLIENT_SECRET",
        "$optum_client_secret",
        "${{ secrets.OPTUM_CLIENT_SECRET }}",
        "{{ optum_client_secret }}",
        "%OPTUM_CLIENT_SECRET%",
        "<< pipeline.parameters.secret >>",
        "%env.OPTUM_CLIENT_SECRET%",
        "#{optum-client-secret}#",
        "@OPTUM_CLIENT_SECRET@",
        "$env:OPTUM_CLIENT_SECRET",
        "op://vault/optum/secret",
    ],
)
def test_a_reference_that_the_ci_system_has_not_replaced_is_no_value(reference: str) -> None:
    environ = {"OPTUM_CLIENT_ID": "me", "OPTUM_CLIENT_SECRET": f"{reference}\n"}

    missing = missing_credentials(environ)

    assert missing_sentence(missing) == (
        "OPTUM_CLIENT_SECRET is a reference that was not replaced, such as $(NAME): export the "
        "sandbox credentials (OPTUM_CLIENT_SECRET=… pytest, or secrets of the CI job)"
    )
    assert live_status("auto", environ) == (
        "live tests are skipped: OPTUM_CLIENT_SECRET a reference that was not replaced, such as "
        "$(NAME)"
    )


@pytest.mark.parametrize(
    "secret",
    [
        "$ecret-Of-A-Client",
        "$1a2B3c4D5e6F",
        "a$(b)c",
        "${unclosed",
        "$aB3xKq9",
        "50%off%",
        "#1{a}",
        "@home",
        "x:/y",
    ],
)
def test_a_secret_with_such_signs_in_it_is_a_value(secret: str) -> None:
    assert missing_credentials({"OPTUM_CLIENT_ID": "me", "OPTUM_CLIENT_SECRET": secret}) == {}


def test_what_is_missing_for_two_reasons_is_told_with_both() -> None:
    missing = missing_credentials({"OPTUM_CLIENT_SECRET": "$(SECRET)"})

    assert missing_sentence(missing).startswith(
        "OPTUM_CLIENT_ID is not set, OPTUM_CLIENT_SECRET is a reference that was not replaced, "
    )


def test_live_tests_are_skipped_when_the_secret_is_a_reference(
    inner: LiveRuns, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "$(OPTUM_CLIENT_SECRET)")
    inner.tests(SUITE)

    inner.run().assert_outcomes(passed=2, skipped=3)


@pytest.mark.parametrize(
    ("mode", "reason"), [("auto", MISSING), ("off", "live tests are off (--optum-live=off)")]
)
def test_the_reason_of_a_skip_stands_at_the_test(
    inner: LiveRuns, no_credentials: None, mode: str, reason: str
) -> None:
    inner.tests(SUITE)

    result = inner.run("-rs", f"--optum-live={mode}", "-k", "marked")

    assert f"SKIPPED [1] test_inner.py:3: {reason}" in result.outlines


def test_require_says_which_variables_are_missing(inner: LiveRuns, no_credentials: None) -> None:
    inner.tests(SUITE)

    result = inner.run("--optum-live=require", "-k", "marked")

    assert f"--optum-live=require, and {MISSING}." in result.outlines


@pytest.mark.parametrize(
    ("mode", "outcomes"),
    [("auto", {"skipped": 1}), ("off", {"skipped": 1}), ("require", {"failed": 1})],
)
def test_a_sandbox_asked_for_by_name_is_skipped_or_fails_alike(
    inner: LiveRuns, no_credentials: None, mode: str, outcomes: dict[str, int]
) -> None:
    inner.tests("def test_it(request): request.getfixturevalue('optum_live')")

    inner.run(f"--optum-live={mode}").assert_outcomes(**outcomes)


def test_variables_that_a_test_sets_come_too_late(inner: LiveRuns, no_credentials: None) -> None:
    inner.tests(
        """
        def test_it(request, monkeypatch):
            monkeypatch.setenv("OPTUM_CLIENT_ID", "late")
            monkeypatch.setenv("OPTUM_CLIENT_SECRET", "late-secret")
            request.getfixturevalue("optum_live")
        """
    )

    result = inner.run("-rs")

    result.stdout.fnmatch_lines(
        [
            "SKIPPED * OPTUM_CLIENT_ID and OPTUM_CLIENT_SECRET were not set when pytest started: "
            "export them before, a test or fixture that sets them comes too late"
        ]
    )


def test_a_secret_that_a_conftest_loads_counts_and_is_masked(
    inner: LiveRuns, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = live_credentials["OPTUM_CLIENT_SECRET"]
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "replaced by the conftest")
    inner.pytester.makeconftest(f"import os; os.environ['OPTUM_CLIENT_SECRET'] = {secret!r}")
    inner.tests(
        """
        def test_it(optum_live):
            assert (optum_live.access_token, *optum_live.credentials) == ()
        """
    )

    result = inner.run("-vv")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E * assert ('[[]token 1]', 'stand-in-client', '[[]OPTUM_CLIENT_SECRET]') == ()"]
    )


@pytest.mark.parametrize(
    ("expression", "outcomes"),
    [("optum_live", {"passed": 3}), ("not optum_live", {"passed": 2})],
)
def test_the_marker_selects_users_of_the_fixture_too(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    expression: str,
    outcomes: dict[str, int],
) -> None:
    inner.tests(SUITE)

    result = inner.run("-m", expression)

    result.assert_outcomes(**outcomes, deselected=5 - outcomes["passed"])


TARGETS = """
    import pytest

    @pytest.mark.parametrize("optum_target", ["live"], indirect=True)
    def test_live(optum_target): assert optum_target.is_live

    @pytest.mark.parametrize("optum_target", ["fake"], indirect=True)
    def test_fake(optum_target): assert not optum_target.is_live
"""


@pytest.mark.parametrize(
    ("expression", "chosen"), [("optum_live", "test_live"), ("not optum_live", "test_fake")]
)
def test_a_target_that_a_test_chooses_itself_keeps_the_marker(
    inner: LiveRuns, live_credentials: dict[str, str], expression: str, chosen: str
) -> None:
    inner.tests(TARGETS)

    result = inner.run("-v", "-m", expression)

    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines([f"*::{chosen}?* PASSED *"])


def test_a_target_that_is_neither_is_an_error(inner: LiveRuns, no_credentials: None) -> None:
    inner.tests(TARGETS.replace('"live"', '"sandbox"'))

    result = inner.run()

    result.assert_outcomes(passed=1, errors=1)
    assert (
        "optum_target is parametrized with 'sandbox': it must be 'fake' or 'live'."
    ) in result.outlines


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_session_asks_for_one_token_in_each_process(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    stand_in: StandIn,
    workers: tuple[str, ...],
) -> None:
    inner.tests(
        """
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(optum_live, number): assert optum_live.access_token
        """
    )

    inner.run("-p", "xdist.plugin", *workers).assert_outcomes(passed=6)

    assert len(stand_in.requests) == (len(workers) or 1)


def test_a_session_asks_for_no_token_that_nobody_reads(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn
) -> None:
    inner.tests("def test_it(optum_live): assert optum_live.credentials.client_id")

    inner.run().assert_outcomes(passed=1)

    assert stand_in.requests == []


def test_a_target_says_whether_it_is_live(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn
) -> None:
    inner.tests(
        f"""
        def test_it(optum_target, request):
            assert optum_target.is_live == ("live" in request.node.name)
            assert (optum_target.base_url == {stand_in.base_url!r}) == optum_target.is_live
            assert len([*optum_target.credentials]) == 2
        """
    )

    result = inner.run("-v")

    result.stdout.fnmatch_lines(["*::test_it?fake? PASSED *", "*::test_it?live? PASSED *"])


def test_without_credentials_nothing_of_the_live_mode_is_loaded(
    inner: LiveRuns, no_credentials: None
) -> None:
    inner.tests(
        """
        import sys

        def test_it():
            loaded = [name for name in sys.modules if "optum_auth.live." in name]
            assert loaded == ["pytest_optum_auth.live.mode"]
        """
    )

    inner.run_subprocess().assert_outcomes(passed=1)


def test_with_credentials_the_live_mode_is_loaded(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(
        "import sys\n"
        "def test_it(): assert 'pytest_optum_auth.live.redaction.redactor' in sys.modules"
    )

    inner.run_subprocess().assert_outcomes(passed=1)
