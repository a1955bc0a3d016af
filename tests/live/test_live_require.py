"""``--optum-live=require``: a run that is green because it left live tests out, is not green."""

from __future__ import annotations

import pytest
from live_runs import LiveRuns
from test_live_modes import MISSING, SUITE

NONE_RAN = (
    "--optum-live=require: no live test ran. Select at least one test with the marker optum_live "
    "or the fixture optum_live (look at the paths, -m, -k and --lf), or use --optum-live=auto."
)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize(
    "arguments", [("-k", "plain"), ("-m", "optum_life"), ("-k", "nothing")], ids=" ".join
)
def test_require_fails_when_no_live_test_ran(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    arguments: tuple[str, ...],
    workers: tuple[str, ...],
) -> None:
    inner.tests(SUITE)

    result = inner.run("--optum-live=require", "-p", "xdist.plugin", *workers, *arguments)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert NONE_RAN in result.outlines


def test_require_names_the_missing_variables_when_no_live_test_ran(
    inner: LiveRuns, no_credentials: None
) -> None:
    inner.tests(SUITE)

    result = inner.run("--optum-live=require", "-k", "plain")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert f"{NONE_RAN} Also, {MISSING}." in result.outlines


def test_auto_does_not_mind_when_no_live_test_ran(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(SUITE)

    assert inner.run("-k", "plain").ret == pytest.ExitCode.OK


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize(
    "body",
    [
        "@pytest.mark.skip\n    def test_left_out(optum_live): pass",
        "def test_left_out(optum_live): pytest.skip('not today')",
        "@pytest.mark.xfail(run=False)\n    def test_left_out(optum_live): pass",
    ],
    ids=["mark", "call", "not run"],
)
def test_require_fails_when_a_live_test_was_skipped(
    inner: LiveRuns, live_credentials: dict[str, str], body: str, workers: tuple[str, ...]
) -> None:
    inner.tests(f"{SUITE}\n    {body}")

    result = inner.run("--optum-live=require", "-p", "xdist.plugin", *workers)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (
        "--optum-live=require: these live tests were skipped: test_inner.py::test_left_out. "
        "Let them run, or leave them out of this run (-m, -k, --deselect)."
    ) in result.outlines


SKIPPED_MODULES = {
    "importorskip": "import pytest; pytest.importorskip('a_package_that_is_not_there')\n",
    "skip": "import pytest; pytest.skip('not here', allow_module_level=True)\n",
}


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
@pytest.mark.parametrize("skip", SKIPPED_MODULES)
@pytest.mark.parametrize(
    "live",
    [
        "pytestmark = pytest.mark.optum_live\ndef test_it(): pass",
        "def test_it(optum_target): pass",
    ],
    ids=["marker", "target"],
)
def test_require_fails_when_a_module_of_live_tests_skips_itself(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    skip: str,
    live: str,
    workers: tuple[str, ...],
) -> None:
    inner.tests(SUITE)
    inner.pytester.mkdir("sub").joinpath("test_skipped.py").write_text(SKIPPED_MODULES[skip] + live)

    result = inner.run("--optum-live=require", "-p", "xdist.plugin", *workers)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (
        "--optum-live=require: these live tests were skipped: sub/test_skipped.py. "
        "Let them run, or leave them out of this run (-m, -k, --deselect)."
    ) in result.outlines


@pytest.mark.parametrize("skip", SKIPPED_MODULES)
def test_require_fails_when_a_folder_of_live_tests_skips_itself(
    inner: LiveRuns, live_credentials: dict[str, str], skip: str
) -> None:
    inner.tests(SUITE)
    folder = inner.pytester.mkdir("sub")
    folder.joinpath("conftest.py").write_text(SKIPPED_MODULES[skip])
    folder.joinpath("test_it.py").write_text("def test_it(optum_live): pass")

    result = inner.run("--optum-live=require")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (
        "--optum-live=require: these live tests were skipped: sub. "
        "Let them run, or leave them out of this run (-m, -k, --deselect)."
    ) in result.outlines


CONFTEST = """
import pytest
@pytest.fixture
def client(account): return account
@pytest.fixture
def account(optum_live): return optum_live
live = pytest.mark.optum_live
def pytest_report_header(): return "optum_live"
"""


@pytest.mark.parametrize(
    ("body", "is_live"),
    [
        ("def test_it(account): pass", True),
        ("def test_it(client): pass", True),
        ("from conftest import live\n@live\ndef test_it(): pass", True),
        ("def test_it(clients): pass", False),
    ],
    ids=["fixture", "fixture of a fixture", "mark", "another"],
)
def test_a_module_that_skips_itself_may_be_live_by_a_conftest_above_it(
    inner: LiveRuns, live_credentials: dict[str, str], body: str, is_live: bool
) -> None:
    inner.tests(SUITE)
    inner.pytester.makeconftest(CONFTEST)
    inner.pytester.mkdir("sub").joinpath("test_it.py").write_text(SKIPPED_MODULES["skip"] + body)

    result = inner.run("--optum-live=require")

    assert result.ret == (pytest.ExitCode.TESTS_FAILED if is_live else pytest.ExitCode.OK)


def test_require_fails_when_the_run_ends_before_its_last_live_test(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(
        """
        import pytest

        def test_first(optum_live): assert optum_live.access_token
        def test_second(): pytest.exit("enough", returncode=0)
        def test_third(optum_live): assert optum_live.access_token
        """
    )

    result = inner.run("--optum-live=require")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (
        "--optum-live=require: the run ended without these live tests: test_inner.py::test_third. "
        "Let them run, or leave them out of this run (-m, -k, --deselect)."
    ) in result.outlines


@pytest.mark.parametrize("skips", ["test_it.py", "conftest.py"])
def test_require_does_not_mind_others_that_skip_themselves(
    inner: LiveRuns, live_credentials: dict[str, str], skips: str
) -> None:
    inner.tests(SUITE)
    folder = inner.pytester.mkdir("sub")
    folder.joinpath("test_it.py").write_text("def test_it(): pass")
    folder.joinpath(skips).write_text(SKIPPED_MODULES["skip"])

    assert inner.run("--optum-live=require").ret == pytest.ExitCode.OK


def test_require_counts_an_expected_failure_as_run(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(
        """
        import pytest

        @pytest.mark.xfail
        def test_it(optum_live): assert not optum_live.access_token
        """
    )

    result = inner.run("--optum-live=require")

    result.assert_outcomes(xfailed=1)
    assert result.ret == pytest.ExitCode.OK


def test_an_expected_failure_does_not_excuse_missing_credentials(
    inner: LiveRuns, no_credentials: None
) -> None:
    inner.tests("import pytest\n@pytest.mark.xfail\ndef test_it(optum_live): pass")

    assert inner.run("--optum-live=require").ret == pytest.ExitCode.TESTS_FAILED


def test_require_leaves_a_failed_run_as_it_is(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests("def test_it(): assert False")

    result = inner.run("--optum-live=require")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert NONE_RAN not in result.outlines


def test_listing_the_tests_runs_none_and_is_no_failure(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(SUITE)

    assert inner.run("--optum-live=require", "--collect-only").ret == pytest.ExitCode.OK
