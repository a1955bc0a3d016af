"""What ends a live run before the first test, and what no live test may use."""

from __future__ import annotations

import pytest
from live_runs import LiveRuns
from stand_in import StandIn

from pytest_optum_auth.live.sandbox import availability
from pytest_optum_auth.live.sandbox.availability import Obstacle, environment_or_obstacle
from pytest_optum_auth.live.sandbox.environment import read_environment

PRODUCTION = (
    "ERROR: {} points to the production host apigw.optum.com, which tests never call: set it to "
    "the sandbox (sandbox-apigw.optum.com), or unset it, or add --optum-live=off."
)
LIVE = "def test_it(optum_live): pass"


def usage_error(result: pytest.RunResult) -> str:
    """The only line of a run that a usage error ended before the first test."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in [*result.outlines, *result.errlines] if line.startswith("ERROR")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("variable", ["OPTUM_TOKEN_URL", "OPTUM_BASE_URL"])
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize("mode", ["auto", "require"])
def test_a_production_host_ends_the_run_before_any_test(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    workers: tuple[str, ...],
    mode: str,
) -> None:
    monkeypatch.setenv(variable, "https://user:word@APIGW.optum.com.:443/path?key=value")
    inner.tests(LIVE)

    result = inner.run(f"--optum-live={mode}", "-p", "xdist.plugin", *workers)

    assert usage_error(result) == PRODUCTION.format(variable)


def test_a_production_host_does_not_matter_when_live_tests_are_off(
    inner: LiveRuns, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_TOKEN_URL", "https://apigw.optum.com/token")
    inner.tests(LIVE)

    inner.run("--optum-live=off").assert_outcomes(skipped=1)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
def test_a_production_host_does_not_matter_to_unit_tests(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    monkeypatch.setenv("OPTUM_TOKEN_URL", "https://apigw.optum.com/token")
    inner.tests("def test_mine(): pass\n" + LIVE)

    result = inner.run("-p", "xdist.plugin", *workers, "-m", "not optum_live")

    result.assert_outcomes(passed=1, deselected=0 if workers else 1)


def test_a_production_host_does_not_matter_without_credentials(
    inner: LiveRuns, no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_TOKEN_URL", "https://apigw.optum.com/token")
    inner.tests(LIVE)

    inner.run().assert_outcomes(skipped=1)


def test_a_listed_host_may_be_called(
    inner: LiveRuns, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_BASE_URL", "https://gateway.example.com")
    inner.pytester.makeini("[pytest]\noptum_live_hosts = gateway.example.com")
    inner.tests(
        "def test_it(optum_live): assert optum_live.base_url == 'https://gateway.example.com'"
    )

    inner.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_that_are_part_of_a_variable_end_the_run(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    quote: str,
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", f"{quote}quoted-in-a-file{quote}")
    inner.tests(LIVE)

    assert usage_error(inner.run()) == (
        "ERROR: OPTUM_CLIENT_SECRET is wrapped in quotes that are part of its value (docker "
        "--env-file and some CI systems keep them): remove the quotes, or add --optum-live=off."
    )


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--debug",), "--debug"),
        (("--pastebin=all",), "--pastebin"),
        (("-p", "recorder", "--record-mode=once"), "--record-mode"),
        (("-p", "recorder", "--snapshot-update"), "--snapshot-update"),
    ],
)
def test_an_option_that_copies_secrets_ends_a_live_run(
    inner: LiveRuns, live_credentials: dict[str, str], arguments: tuple[str, ...], option: str
) -> None:
    inner.pytester.makepyfile(
        recorder="def pytest_addoption(parser):\n"
        "    parser.addoption('--record-mode')\n"
        "    parser.addoption('--snapshot-update', action='store_true')"
    )
    inner.pytester.syspathinsert()
    inner.tests(LIVE)

    assert usage_error(inner.run(*arguments)) == (
        f"ERROR: {option} copies what live tests handle, secrets included: leave it out, or add "
        "--optum-live=off."
    )


def test_a_recorder_that_only_plays_back_is_no_obstacle(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.pytester.makepyfile(
        recorder="def pytest_addoption(parser): parser.addoption('--record-mode')"
    )
    inner.pytester.syspathinsert()
    inner.tests(LIVE)

    inner.run("-p", "recorder", "--record-mode=none").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "variable",
    [
        "PYTEST_DEBUG",
        "HYPOTHESIS_EXPERIMENTAL_OBSERVABILITY",
        "INLINE_SNAPSHOT_DEFAULT_FLAGS",
    ],
)
def test_a_variable_that_copies_secrets_ends_a_live_run(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, "1")
    inner.tests(LIVE)

    assert usage_error(inner.run_subprocess()) == (
        f"ERROR: {variable} copies what live tests handle, secrets included: unset it, or add "
        "--optum-live=off."
    )


RECORDING = (
    "This live test records what it sends and gets ({}), secrets included: play back only "
    "(record_mode='none'), or take the recorder out of it."
)


@pytest.mark.parametrize(
    ("test", "source"),
    [
        (
            "@pytest.mark.vcr(record_mode='once')\ndef test_it(optum_live): pass",
            "pytest.mark.vcr(record_mode='once')",
        ),
        (
            "@pytest.fixture(autouse=True)\ndef vcr_config(): return {'record_mode': 'all'}\n"
            "def test_it(optum_live): pass",
            "vcr_config, record_mode='all'",
        ),
        (
            "@pytest.fixture(autouse=True)\ndef record_mode(): return 'new_episodes'\n"
            "def test_it(optum_live): pass",
            "fixture record_mode, 'new_episodes'",
        ),
    ],
    ids=["marker", "config", "fixture"],
)
def test_a_live_test_that_records_is_an_error(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn, test: str, source: str
) -> None:
    inner.pytester.makeini("[pytest]\nmarkers = vcr: as of a recorder")
    inner.pytester.makepyfile(test_inner=f"import pytest\n{test}")

    result = inner.run()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert RECORDING.format(source) in result.outlines
    assert stand_in.requests == []


@pytest.mark.parametrize(
    "test",
    [
        "@pytest.mark.vcr(record_mode='none')\ndef test_it(optum_live): pass",
        "@pytest.mark.vcr\ndef test_it(optum_live): pass",
        "@pytest.fixture(autouse=True)\ndef vcr_config(): return {}\n"
        "@pytest.fixture(autouse=True)\ndef record_mode(): return 'none'\n"
        "def test_it(optum_live): pass",
        "@pytest.fixture(autouse=True)\ndef vcr_config(): return 'of another plugin'\n"
        "def test_it(optum_live): pass",
    ],
)
def test_a_live_test_that_plays_back_is_none(
    inner: LiveRuns, live_credentials: dict[str, str], test: str
) -> None:
    inner.pytester.makeini("[pytest]\nmarkers = vcr: as of a recorder")
    inner.pytester.makepyfile(test_inner=f"import pytest\n{test}")

    inner.run().assert_outcomes(passed=1)


def test_debug_is_free_when_live_tests_are_off(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(LIVE)

    inner.run("--debug", "--optum-live=off").assert_outcomes(skipped=1)


def test_a_worker_with_an_environment_of_its_own_fails_its_live_tests(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"OPTUM_TOKEN_URL": "https://apigw.optum.com/token"}
    monkeypatch.setattr(availability, "remembered_environment", lambda _: read_environment(environ))

    assert environment_or_obstacle(pytestconfig) == Obstacle(
        PRODUCTION.format("OPTUM_TOKEN_URL")[7:].replace(", or add --optum-live=off", ""),
        fails=True,
    )


def test_a_live_run_does_without_the_cache(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests("def test_it(optum_live): assert optum_live.access_token")

    inner.run("-p", "no:cacheprovider").assert_outcomes(passed=1)


FAKE = (
    "A live test calls the real sandbox and cannot use {}, which puts a fake in its place: write "
    "two tests, or one with optum_target that runs against both."
)
CLOCK = (
    "A live test cannot use optum_clock: the sandbox keeps the real time, so its tokens would "
    "look expired, or never expire. Test expiry against the fake."
)
CONFLICTS = [
    ("@pytest.mark.optum_live\ndef test_it(optum_auth): pass", FAKE.format("optum_auth")),
    ("@pytest.mark.optum_live\ndef test_it(optum_env): pass", FAKE.format("optum_env")),
    ("def test_it(optum_live, optum_clock): pass", CLOCK),
    ("@pytest.mark.optum_clock\ndef test_it(optum_live): pass", CLOCK),
    (
        "@pytest.mark.optum_auth\n@pytest.mark.optum_live\ndef test_it(): pass",
        FAKE.format("optum_auth"),
    ),
]


@pytest.mark.parametrize(("test", "sentence"), CONFLICTS)
@pytest.mark.parametrize("credentials", ["no_credentials", "live_credentials"])
def test_a_live_test_that_asks_for_the_fake_is_an_error(
    inner: LiveRuns,
    request: pytest.FixtureRequest,
    credentials: str,
    test: str,
    sentence: str,
) -> None:
    request.getfixturevalue(credentials)
    inner.pytester.makepyfile(test_inner=f"import pytest\n{test}")

    result = inner.run()

    result.assert_outcomes(errors=1)
    assert sentence in result.outlines


def test_only_the_live_variant_of_a_target_conflicts_with_the_clock(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests("def test_it(optum_target, optum_clock): pass")

    inner.run().assert_outcomes(passed=1, errors=1)


# time-machine does not install on PyPy.
FREEZERS = pytest.mark.parametrize(
    ("module", "freeze"),
    [
        ("freezegun", "freezegun.freeze_time('2030-01-01')"),
        ("time_machine", "time_machine.travel('2030-01-01')"),
    ],
    ids=["freezegun", "time-machine"],
)


@FREEZERS
@pytest.mark.parametrize(
    "test",
    [
        "def test_it(optum_live, frozen): pass",
        "def test_it(optum_live):\n    with freeze(): optum_live.access_token",
        "def test_it(optum_live):\n    with freeze(): optum_live.credentials",
    ],
    ids=["fixture", "token", "credentials"],
)
def test_a_live_test_under_another_frozen_clock_is_an_error(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    stand_in: StandIn,
    module: str,
    freeze: str,
    test: str,
) -> None:
    pytest.importorskip(module)
    inner.pytester.makepyfile(
        test_inner=f"import pytest, {module}\n"
        f"def freeze(): return {freeze}\n"
        "@pytest.fixture\n"
        "def frozen():\n"
        "    with freeze(): yield\n"
        f"{test}\n"
    )

    result = inner.run()

    result.assert_outcomes(failed=1)
    library = module.replace("_", "-")
    assert (
        f"The clock is moved by {library}, and the sandbox keeps the real time: its tokens would "
        "look expired, or never expire. Take the frozen clock out of this live test, or test "
        "expiry against the fake (optum_auth with optum_clock)."
    ) in result.stdout.str()
    assert stand_in.requests == []


@FREEZERS
def test_a_clock_that_was_frozen_before_does_not_matter(
    inner: LiveRuns, live_credentials: dict[str, str], module: str, freeze: str
) -> None:
    pytest.importorskip(module)
    inner.tests(
        f"""
        import {module}

        def test_it(optum_live):
            with {freeze}:
                pass
            assert optum_live.access_token
        """
    )

    inner.run().assert_outcomes(passed=1)
