"""The fixtures: each imports what does its work when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from ..core import facts

if TYPE_CHECKING:
    from responses import RequestsMock
    from respx import Router

    from ..checks.client_check import ClientCheck
    from ..clock import Clock
    from ..fake import FakeOptum
    from ..live.sandbox import LiveSandbox
    from ..live.target import Target
    from ..server.served import Server, ServerSession

# The fake of an item, for its reports.
FAKE: Final = pytest.StashKey["FakeOptum"]()


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
    request.node.stash[FAKE] = fake
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
    from ..core.masking import Variables

    client_id, client_secret = optum_auth.credentials
    variables = Variables({facts.ENV_CLIENT_ID: client_id, facts.ENV_CLIENT_SECRET: client_secret})
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
