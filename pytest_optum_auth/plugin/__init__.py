"""The pytest plugin: options, markers and fixtures, and nothing that costs at start-up.

What does the work is imported by the fixture that needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from ..core import facts
from ..live import mode as live_mode

if TYPE_CHECKING:
    from responses import RequestsMock
    from respx import Router

    from ..checks.client_check import ClientCheck
    from ..clock import Clock
    from ..fake import FakeOptum
    from ..live.sandbox import LiveSandbox
    from ..live.target import Target
    from ..server.served import Server, ServerSession

_fake_key = pytest.StashKey["FakeOptum"]()
_running_key = pytest.StashKey[bool]()

_MARKERS = (
    "optum_auth(**settings): the fake token endpoint, set up with client_id, client_secret, "
    "expires_in, lifetime, scope, token_type, error_format, accept_basic, clock_skew, guard_stubs, "
    "strict",
    "optum_clock(start=None, sleep_moves=False): a clock that stands still, starting at "
    "'2026-01-01T00:00:00Z', an aware datetime or seconds since 1970 (default: now); with "
    "sleep_moves sleeps return at once and move it",
    "optum_client_check(known={}, only=[]): the promises that the client is known to break, with "
    "the reason, and those to try (default: all)",
    "optum_live: runs against the live sandbox, and is skipped unless credentials are set",
)
_USERS_OF_TRANSPORTS = {"optum_auth", "optum_target"}
_FIXTURES_OF_MARKERS = ("optum_clock", "optum_auth")
# By either of them, the entry point's or the module's, a conftest or `-p` may ask for this plugin.
_NAMES = ("optum_auth", __name__)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    for name in _NAMES:
        # pytest fails when one module is loaded under a second name; a name that is taken is left.
        if not pluginmanager.has_plugin(name):
            pluginmanager.register(object(), name)
    parser.getgroup("optum-auth").addoption(
        "--optum-live",
        choices=live_mode.MODES,
        default=None,
        help="live tests: auto (when credentials are set), off, require (missing ones fail)",
    )
    parser.getgroup("optum-auth").addoption(
        "--optum-timelines",
        metavar="DIR",
        default=None,
        help="write the timeline of each failed test that used the fake into DIR, as a picture",
    )
    parser.getgroup("optum-auth").addoption(
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
        for name in _FIXTURES_OF_MARKERS:
            if item.get_closest_marker(name) is not None:
                from . import markers

                markers.request_fixture(item, name)


# tryfirst: what ends the run is told before a worker of xdist offers its tests.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if any(map(_uses_transports, session.items)):
        # The transports keep the genuine methods of the libraries: taken before a mock that a
        # fixture of a wider scope starts has replaced them.
        from ..transports import load_imported

        load_imported()
        _guard_session(session)
    if any(item.get_closest_marker(live_mode.MARKER) is not None for item in session.items):
        from ..live.run import hooks

        hooks.collected(session)


def _guard_session(session: pytest.Session) -> None:
    """Stop connections to a gateway until the session ends, when a test has a fake."""
    if session.config.getini("optum_guard") == "test" or session.config.option.collectonly:
        return
    from ..core.messages import host_of
    from . import session_guard

    if any(map(session_guard.uses_fake, session.items)):
        hosts = map(host_of, session.config.getini("optum_base_url").split())
        guard = session_guard.SessionGuard(facts.HOSTS.union(hosts))
        session.config.pluginmanager.register(guard, "optum-session-guard")
        guard.install()
        session.config.add_cleanup(guard.remove)


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
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    if not _uses_transports(item):
        return (yield)
    from .. import transports

    stays = nextitem is not None and _uses_transports(nextitem)
    if stays:
        transports.keep()
    try:
        return (yield)
    finally:
        if not stays:
            transports.release()


def pytest_sessionfinish() -> None:
    # A run that ends before its last test has kept them for the next one.
    transports = sys.modules.get(f"{__package__.rpartition('.')[0]}.transports")
    if transports is not None:
        transports.release()


def _uses_transports(item: pytest.Item) -> bool:
    return not _USERS_OF_TRANSPORTS.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    # Until somebody has made a fake, there is nothing to tell.
    if f"{__package__.rpartition('.')[0]}.fake" not in sys.modules:
        return (yield)
    from . import report as reports

    reports.name_fixture(call)
    report = yield
    fake = item.stash.get(_fake_key, None)
    if call.excinfo is not None:
        # What is reported while the test runs is a subtest: what it left unmet, a later one may.
        ends = call.when == "call" and _running_key not in item.stash
        if fake is not None:
            fake.failed_with(call.excinfo.value)
        reports.explain(report, item, fake, ends=ends)
        if report.failed and fake is not None:
            from . import pictures

            pictures.keep(report, fake, item.config)
    if call.when == "teardown":
        reports.end_of_test()
        if fake is not None:
            # pytest keeps its items to the end of the run.
            del item.stash[_fake_key]
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    if any(hasattr(report, "optum_client_check_result") for report in reports):
        from ..checks import table

        table.summarize(terminalreporter, config.option.optum_client_table)


@pytest.fixture
def optum_auth(request: pytest.FixtureRequest) -> Iterator[FakeOptum]:
    """The fake token endpoint (``FakeOptum``): every client library that is installed meets it.

    ``@pytest.mark.optum_auth(**settings)`` sets it up.
    """
    from ..fake import KEYWORDS, FakeOptum
    from . import markers

    if "optum_clock" in request.fixturenames:
        # So that the fake never sees the time before the clock started.
        request.getfixturevalue("optum_clock")
    ini = request.config.getini
    try:
        fake = FakeOptum(
            base_url=ini("optum_base_url").split() or None,
            token_path=ini("optum_token_path") or None,
            transports=ini("optum_transports") or None,
            **markers.merged(request.node, "optum_auth", KEYWORDS),
        )
    except (ValueError, pytest.UsageError) as error:
        raise markers.usage_error(str(error)) from None
    request.node.stash[_fake_key] = fake
    try:
        with fake:
            yield fake
    except AssertionError as problems:
        raise pytest.fail.Exception(str(problems), pytrace=False) from None


@pytest.fixture
def optum_responses(optum_auth: FakeOptum) -> RequestsMock:
    """Stubs of the APIs behind the gateway, written with responses (``RequestsMock``).

    They answer every client library; the same object as ``optum_auth.responses``.
    """
    stubs: RequestsMock = _stubs(optum_auth, "responses")
    return stubs


@pytest.fixture
def optum_respx(request: pytest.FixtureRequest, optum_auth: FakeOptum) -> Router:
    """Stubs of the APIs behind the gateway, written with respx (``respx.Router``).

    They answer every client library; the same object as ``optum_auth.respx``.
    ``@pytest.mark.respx(assert_all_called=False)`` counts, as with the fixture of respx.
    """
    router: Router = _stubs(optum_auth, "respx")
    marker = request.node.get_closest_marker("respx")
    if marker is not None and "assert_all_called" in marker.kwargs:
        from ..stubs.respx_internals import want_all_called

        want_all_called(router, marker.kwargs["assert_all_called"])
    return router


def _stubs(optum_auth: FakeOptum, library: str) -> Any:
    try:
        return getattr(optum_auth, library)
    except ModuleNotFoundError as missing:
        raise pytest.fail.Exception(str(missing), pytrace=False) from None


@pytest.fixture
def optum_clock(request: pytest.FixtureRequest) -> Iterator[Clock]:
    """A clock that stands still (``Clock``) and moves only when told.

    ``@pytest.mark.optum_clock("2026-01-01T00:00:00Z")`` starts it elsewhere.
    """
    from ..clock import KEYWORDS, Clock
    from . import markers

    try:
        clock = Clock(**markers.merged(request.node, "optum_clock", KEYWORDS, positional=1))
    except ValueError as error:
        raise markers.usage_error(str(error)) from None
    with clock:
        yield clock


@pytest.fixture(scope="session")
def _optum_https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerSession]:
    """The listener and the CA of the session's HTTPS server."""
    from ..server.served import ServerSession

    try:
        session = ServerSession(tmp_path_factory.mktemp("optum-ca"))
    except ModuleNotFoundError as missing:
        raise pytest.fail.Exception(str(missing), pytrace=False) from None
    with session:
        yield session


@pytest.fixture
def optum_server(optum_auth: FakeOptum, _optum_https: ServerSession) -> Iterator[Server]:
    """The fake over real HTTPS on loopback (``Server``), for clients that no mock reaches.

    Needs the extra ``server``.
    """
    with _optum_https.serving(optum_auth.gateway) as server:
        yield server


@pytest.fixture
def optum_env(
    request: pytest.FixtureRequest, optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The variables of public client code, set to the fake's for the test, and as a dict.

    ``OPTUM_CLIENT_ID``, ``OPTUM_CLIENT_SECRET``, ``OPTUM_TOKEN_URL``, ``OPTUM_AUTH_URL`` (the same
    under its other name) and ``OPTUM_BASE_URL``. With ``optum_server`` they
    lead to it, and the variables that make clients trust its CA are set.
    """
    from ..core.messages import Form

    client_id, client_secret = optum_auth.credentials
    # A dict whose repr hides the secret.
    variables = Form({facts.ENV_CLIENT_ID: client_id, facts.ENV_CLIENT_SECRET: client_secret})
    target: FakeOptum | Server = optum_auth
    if "optum_server" in request.fixturenames:
        target = server = request.getfixturevalue("optum_server")
        variables.update(server.environment())
    variables[facts.ENV_TOKEN_URL] = target.token_url
    variables[facts.ENV_AUTH_URL] = target.token_url
    variables[facts.ENV_BASE_URL] = target.base_url
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture(scope="session")
def optum_live(request: pytest.FixtureRequest) -> LiveSandbox:
    """The real sandbox (``LiveSandbox``): one token a session, fetched when it is first used.

    The test is skipped without credentials, and fails under ``--optum-live=require``.
    """
    from ..live.sandbox import open_sandbox

    return open_sandbox(request)


@pytest.fixture(params=["fake", pytest.param("live", marks=pytest.mark.optum_live)])
def optum_target(request: pytest.FixtureRequest) -> Target:
    """The same test against the fake and against the sandbox (``Target``)."""
    from ..live.target import fake_target, live_target

    # By name, so that each variant sets up only its own side.
    if request.param == "live":
        return live_target(request.getfixturevalue("optum_live"))
    if request.param != "fake":
        pytest.fail(
            f"optum_target is parametrized with {request.param!r}: it must be 'fake' or 'live'.",
            pytrace=False,
        )
    return fake_target(request.getfixturevalue("optum_auth"))


@pytest.fixture
def optum_client_check(
    request: pytest.FixtureRequest, optum_auth: FakeOptum, optum_clock: Clock
) -> Iterator[ClientCheck]:
    """Runs the test once for each promise of a good client (``ClientCheck``).

    ``@pytest.mark.optum_client_check(known={"single-flight": "one thread only"}, only=[...])``
    makes strict xfails of those that are known to be broken, or limits the run.
    """
    from ..checks import hooks

    yield from hooks.open_check(request, optum_auth, optum_clock)
