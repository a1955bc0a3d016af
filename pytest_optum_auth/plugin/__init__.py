"""The pytest plugin: options, markers and hooks, and nothing that costs at start-up.

What does the work is imported by the hook or the fixture that needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from typing import Any

import pytest

from ..core import facts
from ..live import mode as live_mode
from .fixtures import (
    _optum_https,
    optum_auth,
    optum_client_check,
    optum_clock,
    optum_env,
    optum_live,
    optum_responses,
    optum_respx,
    optum_server,
    optum_target,
)

__all__ = [
    "_optum_https",
    "optum_auth",
    "optum_client_check",
    "optum_clock",
    "optum_env",
    "optum_live",
    "optum_responses",
    "optum_respx",
    "optum_server",
    "optum_target",
]

_running_key = pytest.StashKey[bool]()

_MARKERS = (
    "optum_auth(**settings): the fake token endpoint, set up with client_id, client_secret, "
    "expires_in, lifetime, scope, token_type, error_format, accept_basic, clock_skew, guard_stubs, "
    "strict",
    "optum_clock(start=None, tick=False, sleep_moves=False): a clock that stands still, starting "
    "at '2026-01-01T00:00:00Z', an aware datetime or seconds since 1970 (default: now); with tick "
    "it runs; with sleep_moves sleeps return at once and move it",
    "optum_client_check(known={}, only=[]): the promises that the client is known to break, with "
    "the reason, and those to try (default: all)",
    "optum_live: runs against the live sandbox, and is skipped unless credentials are set",
)
_USERS_OF_TRANSPORTS = {"optum_auth", "optum_target"}
_FIXTURES_OF_MARKERS = ("optum_clock", "optum_auth")
# By either of them, the entry point's or the module's, a conftest or `-p` may ask for this plugin.
_NAMES = ("optum_auth", __name__)
_PACKAGE = __package__.rpartition(".")[0]
_FAKES = f"{_PACKAGE}.fake"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    for name in _NAMES:
        # pytest fails when one module is loaded under a second name; a name that is taken is left.
        if not pluginmanager.has_plugin(name):
            pluginmanager.register(object(), name)
    group = parser.getgroup("optum-auth")
    group.addoption(
        "--optum-live",
        choices=live_mode.MODES,
        default=None,
        help="live tests: auto (when credentials are set), off, require (missing ones fail)",
    )
    group.addoption(
        "--optum-timelines",
        metavar="DIR",
        default=None,
        help="write the timeline of each failed test that used the fake into DIR, as a picture",
    )
    group.addoption(
        "--optum-client-table",
        metavar="PATH",
        default=None,
        help="write the table of optum_client_check to PATH, as Markdown",
    )
    parser.addini("optum_live", "as --optum-live (default: auto)", default="auto")
    parser.addini(
        "optum_live_hosts",
        "hosts that live tests may call beside the sandbox, separated by spaces",
        type="args",
        default=[],
    )
    parser.addini(
        "optum_live_secrets",
        "variables whose values are masked like OPTUM_CLIENT_SECRET, separated by spaces",
        type="args",
        default=[],
    )
    parser.addini(
        "optum_base_url",
        "base URLs of the gateway, separated by spaces; the first is optum_auth.base_url (default: "
        "the sandbox's)",
        default="",
    )
    parser.addini(
        "optum_guard",
        "how long connections to a gateway that no fake answers are stopped: session (default: "
        "until the session ends, also between tests) or test (only in tests that use the fake)",
        default="session",
    )
    parser.addini("optum_token_path", "another path of the token endpoint", default="")
    parser.addini(
        "optum_transports",
        "client libraries to intercept, separated by spaces (default: all that are installed)",
        type="args",
        default=[],
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "optum_client_check" in metafunc.fixturenames:
        from ..checks import hooks

        hooks.parametrize(metafunc)


# tryfirst: before anything else loads, and around pytest's own capture.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    _mask_secrets(early_config)
    try:
        return (yield)
    finally:
        # A conftest, or a plugin that reads a file, may have set them.
        _mask_secrets(early_config)


def _mask_secrets(config: pytest.Config) -> None:
    secrets = live_mode.secrets_in(config, os.environ)
    if secrets:
        from ..live.redaction import plugin as redaction

        live = live_mode.live_is_on(live_mode.live_mode(config), os.environ)
        redaction.protect(config, secrets, live=live)


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    guard = config.getini("optum_guard")
    if guard not in ("session", "test"):
        raise pytest.UsageError(f"ini optum_guard is {guard!r}: it must be one of session, test.")
    _mask_secrets(config)
    mode = live_mode.live_mode(config)
    if mode == "require" or live_mode.live_is_on(mode, os.environ):
        from ..live.run import hooks

        hooks.configure(config)
    if live_mode.runs_contract(config):
        from ..live.contract import table as contract_table

        contract_table.register(config)


def pytest_report_header(config: pytest.Config) -> str:
    base_url = [*config.getini("optum_base_url").split(), facts.BASE_URL][0]
    live = live_mode.live_status(live_mode.live_mode(config), os.environ)
    return f"optum-auth: fake of {base_url}, {live}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if live_mode.lacks_marker(item):
            # Before pytest selects by -m, which is to find it.
            item.add_marker(live_mode.MARKER)


# tryfirst: what ends the run is told before a worker of xdist offers its tests.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    for item in session.items:
        # Not before: a conftest may mark what was collected, the tests of a folder above all.
        for name in _FIXTURES_OF_MARKERS:
            if item.get_closest_marker(name) is not None:
                from . import markers

                markers.request_fixture(item, name)
    if any(map(_uses_transports, session.items)):
        from . import session_guard, standing_transports

        standing_transports.stand(session.config, _uses_transports)
        session_guard.guard(session)
    if any(map(live_mode.is_live, session.items)):
        from ..live.run import hooks

        hooks.collected(session)


def _uses_transports(item: pytest.Item) -> bool:
    return not _USERS_OF_TRANSPORTS.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    messages = getattr(node, "workeroutput", {}).get("optum_guard")
    if messages:
        from .session_guard import Verdict

        Verdict.register(node.config, messages)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    item.stash[_running_key] = True
    try:
        return (yield)
    finally:
        del item.stash[_running_key]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    if _FAKES not in sys.modules:
        # Until somebody has made a fake, there is nothing to tell.
        return (yield)
    from . import report as reports

    if call.when == "teardown":
        reports.name_fixture(call)
    report = yield
    # Asked afterwards: of a unittest.TestCase pytest itself learns only now how it has ended.
    if call.excinfo is not None or call.when == "teardown":
        # What is reported while the test runs is a subtest: what it left unmet, a later one may.
        reports.complete(report, item, call, ends=_running_key not in item.stash)
    return report


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    masking = sys.modules.get(f"{_PACKAGE}.core.masking")
    if masking is None or not any(isinstance(side, masking.Whole) for side in (left, right)):
        return None
    # pytest would tell in what they differ, which is the secret.
    return [f"{left!r} {op} {right!r}"]


def pytest_sessionfinish() -> None:
    # A run that ends before its last test has kept them for the next one.
    transports = sys.modules.get(f"{_PACKAGE}.transports")
    if transports is not None:
        transports.release()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    if any(hasattr(report, "optum_client_check_result") for report in reports):
        from ..checks import table

        table.summarize(terminalreporter, config.option.optum_client_table)
