"""``FakeOptum``: the fake that a test talks to."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Final

from .core import active, facts, timeline, timeline_picture
from .core.clients import Credentials
from .core.gateway import Gateway
from .core.header_fields import HeaderFields
from .core.holds import Hold
from .core.injection import Injection
from .core.journal import Exchanges
from .core.messages import Json
from .core.replies import MISSING
from .core.routes import Answering, ApiRoute, new_route
from .core.settings import (
    Settings,
    SettingValues,
    checked_base_urls,
    checked_token_path,
    scope_text,
    seconds,
)
from .core.state import GatewayState
from .core.token_endpoint import V3
from .core.tokens import Token, check_claims, epoch
from .faults import Fault
from .transports import activate, chosen, deactivate

if TYPE_CHECKING:
    from responses import RequestsMock
    from respx import Router
    from typing_extensions import Unpack

    from .stubs.responses_ import ResponsesStubs
    from .stubs.respx_ import RespxStubs

__tracebackhide__ = True  # in the traceback of a test

# What the marker takes; FakeOptum itself takes where and how to intercept as well.
KEYWORDS: Final = ("client_id", "client_secret", *SettingValues.__annotations__)
# What is looked for here first.
_OF_THE_CLOCK: Final = (
    "advance", "expire_token", "move_to", "nearly_expire_token", "now", "real", "tick", "time",
)  # fmt: skip
_WHERE: Final = ("base_url", "token_path", "transports")


class FakeOptum(Settings):
    """A fake of Optum's token endpoint and of the APIs behind it.

    A context manager: inside, requests to the gateway hosts are answered here. Keyword arguments
    are the settings (``expires_in``, ``lifetime``, ``scope``, ``token_type``, ``error_format``,
    ``accept_basic``, ``clock_skew``, ``guard_stubs``, ``strict``), ``client_id`` and
    ``client_secret`` of the default client, ``base_url`` (one, or a list whose first is the one
    that is told) and ``token_path`` (both added to the known hosts and paths) and ``transports``
    (names; default: every one whose library is installed).

    Raises ``TypeError`` for an unknown keyword, ``ValueError`` for a value that makes no sense.
    """

    def __init__(
        self,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        base_url: str | Sequence[str] | None = None,
        token_path: str | None = None,
        transports: list[str] | tuple[str, ...] | None = None,
        **settings: Unpack[SettingValues],
    ) -> None:
        for name, value in settings.items():
            if name not in SettingValues.__annotations__:
                known = ", ".join((*KEYWORDS, *_WHERE))
                raise TypeError(f"unknown keyword {name!r}: known are {known}")
            setattr(self, name, value)
        self._transports = chosen(transports)
        self._state = GatewayState(
            self,
            checked_base_urls(base_url),
            facts.TOKEN_PATH if token_path is None else checked_token_path(token_path),
        )
        self._state.clients.add(client_id, client_secret, None)
        self._gateway = Gateway(self._state)
        self._responses: ResponsesStubs | None = None
        self._respx: RespxStubs | None = None
        self._depth = 0
        if self._transports:
            active.unentered.add(self._gateway)

    @property
    def gateway(self) -> Gateway:
        """What answers the requests: for what brings them by another way than the transports."""
        return self._gateway

    # What a client under test needs.

    @property
    def base_url(self) -> str:
        """The gateway's URL, by default the sandbox's; of several the first."""
        return self._state.base_url

    @property
    def token_url(self) -> str:
        """The token endpoint's URL."""
        return self._state.token_url

    @property
    def credentials(self) -> Credentials:
        """The default client's credentials, as they are now; unpacks to id and secret."""
        return self._state.clients.default

    @property
    def signing_key(self) -> bytes:
        """The key of the tokens' HS256 signature, for code that verifies them."""
        return self._state.ledger.signing_key

    # What happened.

    @property
    def tokens(self) -> list[Token]:
        """The tokens issued, oldest first."""
        return list(self._state.ledger.tokens)

    @property
    def last_token(self) -> Token | None:
        """The token issued last, or ``None``."""
        tokens = self._state.ledger.tokens
        return tokens[-1] if tokens else None

    @property
    def exchanges(self) -> Exchanges:
        """Everything seen, oldest first."""
        return Exchanges(self._state.journal.exchanges)

    @property
    def token_requests(self) -> Exchanges:
        """Every request that reached a token path, whatever the answer."""
        return Exchanges(self._state.journal.token_requests)

    @property
    def api_requests(self) -> Exchanges:
        """Every other request to a gateway host."""
        return Exchanges(self._state.journal.api_requests)

    @property
    def needless_token_requests(self) -> Exchanges:
        """Token requests that got a token while the same client held one good for over 60 s."""
        return Exchanges(self._state.journal.needless)

    # Clients and tokens.

    def add_client(
        self,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        scope: str | None = None,
    ) -> Credentials:
        """Register another client; what is not given is made up.

        ``scope``: what it may be granted, space-separated (``None``: the fake's ``scope``).
        Raises ``ValueError`` for an identifier that is registered already and for an empty value.
        """
        if scope is not None and scope_text(scope) is not None:
            raise ValueError(f"scope={scope!r}: scope must be {scope_text(scope)}")
        with self._state.lock:
            return self._state.clients.add(client_id, client_secret, scope)

    def rotate_secret(self, client_id: str | None = None) -> Credentials:
        """Give a client (``None``: the default one) a new secret; the old one is refused from now.

        ``credentials`` follows, the environment of ``optum_env`` does not. Raises ``ValueError``
        for an unknown ``client_id``.
        """
        with self._state.lock:
            credentials = self._state.clients.rotate(client_id)
            self._note(f"secret of {credentials.client_id!r} rotated")
            return credentials

    def issue_token(
        self, *, client_id: str | None = None, expires_in: int | None = None, **claims: Any
    ) -> Token:
        """A token without a request, to seed a cache.

        ``expires_in`` (seconds) is then its life as well; by default the settings decide. Other
        claims are added to the JWT. Raises ``ValueError`` for an unknown ``client_id``, for an
        ``expires_in`` that is no whole number of seconds from 0, and for a claim that the token
        decides itself.
        """
        check_claims(claims)
        if expires_in is not None and (wanted := seconds(expires_in)) is not None:
            raise ValueError(f"expires_in={expires_in!r}: expires_in must be {wanted}")
        with self._state.lock:
            client = self._state.clients.known(client_id)
            scope = self.scope if client.scope is None else client.scope
            lifetime = self.expires_in if self.lifetime is None else self.lifetime
            return self._state.ledger.issue(
                client.credentials.client_id,
                scope,
                self._state.server_now(),
                expires_in=self.expires_in if expires_in is None else expires_in,
                lifetime=lifetime if expires_in is None else expires_in,
                claims=claims,
            )

    def revoke(self, token: Token | None = None) -> None:
        """From now on ``token`` (default: the last one) is refused.

        Raises ``ValueError`` before any token exists and for a token of another fake.
        """
        with self._state.lock:
            token = self._known(token)
            self._state.ledger.revoke(token, self._state.server_now())
            self._note(f"token #{token.number} revoked")

    def revoke_all(self) -> None:
        """From now on every token issued so far is refused; moves ``not-before-policy``.

        A token that is issued afterwards, in the same second too, is good.
        """
        with self._state.lock:
            now = self._state.server_now()
            self._state.ledger.revoke_all(now)
            self._state.not_before = epoch(now)
            self._note("all tokens revoked")

    # APIs and faults.

    def protect(
        self,
        method: str,
        path: str,
        *,
        json: Json | Answering[Json] | EllipsisType = MISSING,
        text: str | Answering[str] | None = None,
        content: bytes | Answering[bytes] | None = None,
        status: int = 200,
        headers: HeaderFields | None = None,
        scope: str | None = None,
        unauthorized: Json = None,
    ) -> ApiRoute:
        """An API on the gateway that wants a good bearer token.

        ``path`` may hold ``{name}`` segments. The body is one of ``json`` (any JSON value, ``None``
        is ``null``), ``text`` (``text/plain``) and ``content`` (bytes,
        ``application/octet-stream``), and ``{}`` with none of them; it may be a function or a
        coroutine function that takes the :class:`Exchange` and returns the body, or a
        :class:`Reply`, which decides all of the answer. ``headers`` (a mapping, or pairs where a
        name may stand twice) may name another ``Content-Type``. 204 and 304 carry no body.
        ``scope``: what the token must hold, else 403; ``unauthorized`` replaces the JSON body of
        the 401. The same method and path again replaces the earlier route.

        Raises ``ValueError`` for a method, path, status or scope that makes no sense and for two
        bodies, ``TypeError`` for a body or a header of another type.
        """
        route = new_route(
            method,
            self._state.addresses.without_base(path),
            self._state.addresses.api_hosts,
            scope=scope,
            unauthorized=unauthorized,
        )
        if self._state.addresses.is_token_path(route.path):
            raise ValueError(
                f"path {route.path!r}: that is the token endpoint, which answers itself"
            )
        route.then(json=json, text=text, content=content, status=status, headers=headers)
        self._state.add_route(route)
        return route

    @property
    def responses(self) -> RequestsMock:
        """Stubs of the APIs behind the gateway, written with responses.

        A ``responses.RequestsMock`` that is never started: the fake asks it, so that it answers
        every client library. Raises ``ModuleNotFoundError`` where responses is not installed.
        """
        if self._responses is None:
            from .stubs import responses_stubs

            self._responses = responses_stubs()
            self._set_stubs()
        return self._responses.mock

    @property
    def respx(self) -> Router:
        """Stubs of the APIs behind the gateway, written with respx.

        A ``respx.Router`` with ``base_url``, never started: the fake asks it, so that it answers
        every client library. Raises ``ModuleNotFoundError`` where respx is not installed.
        """
        if self._respx is None:
            from .stubs import respx_stubs

            self._respx = respx_stubs(self.base_url)
            self._set_stubs()
        return self._respx.router

    def _set_stubs(self) -> None:
        self._state.stubs = [stubs for stubs in (self._responses, self._respx) if stubs]

    def inject(self, fault: Fault, *, times: int | None = 1) -> Injection:
        """The next ``times`` token requests meet ``fault`` (``None``: all of them).

        Returns a handle with ``hits`` and ``cancel()``. A fault that was injected with a number
        and is met less often fails the test at its end. Raises ``TypeError`` for something that
        is no fault, ``ValueError`` for ``times`` below 1 and for a fault that takes away a key
        which the answer does not have.
        """
        with self._state.lock:
            return self._state.faults.add(fault, times, V3.documented_keys)

    def inject_api(self, fault: Fault, *, times: int | None = 1) -> Injection:
        """The next ``times`` API requests with a good token meet ``fault`` (``None``: all).

        Whoever would have answered: ``protect``, a stub of ``responses`` or ``respx``, a stub of a
        tool that the test has started. A fault of the route itself comes first. Otherwise as
        :meth:`inject`.
        """
        with self._state.lock:
            return self._state.api_faults.add(fault, times, None)

    def hold(self) -> Hold:
        """Keep token requests waiting at the endpoint, until its end or ``release()``."""
        return Hold(self._state.holds)

    # The end.

    def problems(self) -> str:
        """What :meth:`verify` would say and nobody was told of yet; ``""``: nothing."""
        return self._state.problems()

    def failed_with(self, error: BaseException) -> None:
        """The test has failed with ``error``: its end does not repeat that."""
        self._state.failed_with(error)

    def verify(self) -> None:
        """Raise ``AssertionError`` now: unmet faults, unexpected requests, stubs never asked.

        The end of the test does not repeat what this said.
        """
        problems = self.problems()
        if problems:
            raise AssertionError(problems)

    def __enter__(self) -> FakeOptum:
        if self._depth == 0:
            self._state.started_at = self._state.local_now()
            activate(self._gateway, self._transports)
            entered.setdefault(self, 0)
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._depth = max(0, self._depth - 1)
        if self._depth or self._gateway not in active.gateways():
            return
        for hold in list(self._state.holds):
            hold.release()
        deactivate(self._gateway)
        if self.strict and kind is None:
            self.verify()

    def timeline(self) -> str:
        """What happened, one line an exchange, for people; no secrets."""
        return timeline.render(self._state.journal.entries, self._state.started_at)

    def timeline_svg(self) -> str:
        """:meth:`timeline` as a picture (SVG): tokens' lives as bars, requests as marks above."""
        return timeline_picture.render(
            self._state.journal.entries, self._state.ledger.tokens, self._state.started_at,
            self.clock_skew,
        )  # fmt: skip

    # A type checker would take it to mean that every name is there.
    if not TYPE_CHECKING:

        def __getattr__(self, name):
            if name in _OF_THE_CLOCK:
                raise AttributeError(
                    f"a FakeOptum has no {name!r}: time is moved by the fixture optum_clock, "
                    f"optum_clock.{name}"
                )
            raise AttributeError(f"a FakeOptum has no attribute {name!r}")

    def _known(self, token: Token | None) -> Token:
        found = self.last_token if token is None else self._state.ledger.find(token.value)
        if found is None:
            raise ValueError(
                "no token was issued yet: let the client make a request or use issue_token() first"
                if token is None
                else f"{token!r} was not issued by this fake"
            )
        return found

    def _note(self, text: str) -> None:
        self._state.note(text)

    def __repr__(self) -> str:
        return (
            f"<FakeOptum {self.base_url}, {len(self._state.ledger.tokens)} tokens, "
            f"{len(self._state.journal.exchanges)} exchanges>"
        )


#: Those that have been entered and are still there, each with how many entries of its journal
#: are of earlier tests: the report of a failing test shows the others.
entered: Final[weakref.WeakKeyDictionary[FakeOptum, int]] = weakref.WeakKeyDictionary()
