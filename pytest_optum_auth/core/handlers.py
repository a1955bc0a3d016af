"""The two kinds of request that a gateway takes: for a token, and to an API behind it.

The handler of each says whether it would succeed (:meth:`check`) and how it does (:meth:`succeed`);
the gateway does with both what is the same for both: faults, waits, the journal.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from . import facts, keycloak, token_endpoint
from .bearer import check_bearer
from .fault import Fault
from .injection import FaultQueue
from .journal import Exchange, in_seconds
from .messages import Request, Response, error_response, host_of, json_response
from .other_tools import HandedOver, OtherTool, PassedThrough
from .routes import ApiRoute
from .state import GatewayState
from .token_endpoint import V2, Grant, Version
from .token_request import ParsedBody, fields_of

# Shorter than this a client may well fetch the next token early.
_NEEDLESS: Final = dt.timedelta(seconds=60)
_SUCCESS_FIELDS: Final = (("Content-Type", facts.JSON), *facts.NO_STORE.items())


# What somebody else is called for, with what he returns sent in; the end is the response.
Steps = Generator[Callable[[], Any], Any, Response]


class Handler(Protocol):
    """A request on its way through the gateway."""

    exchange: Exchange
    faults: FaultQueue
    seen: list[Exchange] | None

    @property
    def error_format(self) -> str:
        """How errors are written."""

    def alone(self) -> AbstractContextManager[object]:
        """Held while the answer is made and recorded."""

    def check(self) -> Response | None:
        """Why it is refused, or ``None``; also writes the exchange's outcome."""

    def succeed(self, fault: Fault | None) -> Response | Steps:
        """The success, spoiled by ``fault`` where it does that; or the steps that lead to it."""


class TokenHandler:
    """A request to the token endpoint."""

    def __init__(self, state: GatewayState, request: Request, version: Version) -> None:
        self._state = state
        self._request = request
        self._version = version
        # A body of another media type has no fields, and is refused for that.
        media_type = request.media_type
        right = media_type in version.media_types
        self._parsed = state.parse(media_type, request.body) if right else ParsedBody([])
        self._grant: Grant | None = None
        self.exchange = Exchange(
            "token", request, parse=functools.partial(fields_of, media_type) if right else None
        )
        self.faults = state.faults
        self.seen: list[Exchange] | None = None

    @property
    def error_format(self) -> str:
        # v2 spec: Auth_Response_Failure.
        v2 = self._version is V2
        return "rfc6749" if v2 else self._state.settings.error_format

    def alone(self) -> AbstractContextManager[object]:
        # So that tokens are recorded in the order of their numbers.
        return self._state.lock

    def check(self) -> Response | None:
        settings = self._state.settings
        as_keycloak = self.error_format == "keycloak"
        judge = keycloak.judge if as_keycloak else token_endpoint.judge
        verdict = judge(
            self._request,
            self._parsed,
            self._version,
            self._state.clients,
            settings.scope,
            settings.accept_basic,
        )
        if isinstance(verdict, Grant):
            self._grant = verdict
            return None
        self.exchange.outcome = verdict.outcome
        return error_response(
            self.error_format,
            verdict.status,
            verdict.reasons,
            code=verdict.code,
            headers=verdict.headers,
        )

    def succeed(self, fault: Fault | None) -> Response:
        assert self._grant is not None, "succeed() follows a check() that refused nothing"
        settings = self._state.settings
        v2 = self._version is V2
        content: dict[str, Any] = {
            "access_token": "",
            "expires_in": facts.V2_EXPIRES_IN if v2 else settings.expires_in,
            "refresh_expires_in": 0,
            "token_type": facts.V2_TOKEN_TYPE if v2 else settings.token_type,
            "not-before-policy": self._state.not_before,
            "scope": self._grant.scope,
        }
        if fault is None or not fault.hides_token:
            content["access_token"] = self._issue(self._grant, content["expires_in"])
        if self._grant.note:
            self.exchange.outcome += f" ({self._grant.note})"
        content = {key: content[key] for key in self._version.documented_keys}
        response = Response(200, _SUCCESS_FIELDS, json.dumps(content).encode())
        return _spoiled(response, fault, self.exchange)

    def _issue(self, grant: Grant, expires_in: int) -> str:
        client_id = grant.client.credentials.client_id
        ledger, settings = self._state.ledger, self._state.settings
        now = self._state.server_now()
        held = ledger.held(client_id, grant.scope)
        token = ledger.issue(
            client_id,
            grant.scope,
            now,
            expires_in=expires_in,
            lifetime=expires_in if settings.lifetime is None else settings.lifetime,
        )
        self.exchange.token = token
        self.exchange.outcome = f"issued token #{token.number}"
        left = dt.timedelta(0) if held is None else held.remaining(now)
        if held is not None and left > _NEEDLESS and held.too_early(now) <= dt.timedelta(0):
            self.exchange.needless = True
            self.exchange.outcome = (
                f"needless: token #{held.number} was good for another {in_seconds(left)}"
            )
        return token.value


class ApiHandler:
    """A request to a protected API."""

    def __init__(
        self, state: GatewayState, request: Request, route: ApiRoute, path_params: dict[str, str]
    ) -> None:
        self._state = state
        self._request = request
        self._route = route
        self.exchange = Exchange("api", request, path_params=path_params)
        self.faults = route.faults
        self.seen: list[Exchange] | None = route.seen

    @property
    def error_format(self) -> str:
        return self._state.api_error_format

    def alone(self) -> AbstractContextManager[object]:
        # Not the gateway's lock: a callable of the user may make requests of its own.
        return contextlib.nullcontext()

    def check(self) -> Response | None:
        return _look_at_token(self._state, self._request, self.exchange, self._route)

    def succeed(self, fault: Fault | None) -> Response:
        route = self._route
        content = route.json(self.exchange) if callable(route.json) else route.json
        headers = route.headers.items()
        if route.status in (204, 304):
            response = Response(route.status, tuple(headers), b"")
        else:
            response = json_response(route.status, content, headers)
        return _spoiled(response, fault, self.exchange)


class StubHandler:
    """A request to an API whose stub is that of a tool which the test has started itself."""

    def __init__(self, state: GatewayState, request: Request, tool: OtherTool) -> None:
        self._state = state
        self._tool = tool
        self.request = request
        self.exchange = Exchange("api", request)
        self.faults = state.api_faults
        self.seen: list[Exchange] | None = None

    @property
    def error_format(self) -> str:
        return self._state.api_error_format

    def alone(self) -> AbstractContextManager[object]:
        return contextlib.nullcontext()

    def check(self) -> Response | None:
        is_api = self._state.addresses.has_apis(host_of(self.request.url))
        if not (self._state.settings.guard_stubs and is_api):
            return None
        return _look_at_token(self._state, self.request, self.exchange)

    def succeed(self, fault: Fault | None) -> Steps:
        tool = self._tool
        try:
            answer = yield tool.ask
        except PassedThrough:
            raise
        except GeneratorExit:
            self._tell(f"the client gave up on {tool.name}")
            raise
        except BaseException as error:
            no_stub = tool.has_no_stub(error)
            self._tell(f"no stub of {tool.name} matched" if no_stub else f"raised by {tool.name}")
            raise HandedOver(error=error) from None
        self._tell(f"answered by {tool.name}")
        if fault is None:
            raise HandedOver(answer, tool.shown(answer))
        response: Response = yield functools.partial(tool.read, answer)
        return _spoiled(response, fault, self.exchange)

    def _tell(self, what: str) -> None:
        self.exchange.outcome = ", ".join(filter(None, [self.exchange.outcome, what]))


def _look_at_token(
    state: GatewayState, request: Request, exchange: Exchange, route: ApiRoute | None = None
) -> Response | None:
    """The refusal of a request without a good bearer token, or ``None``."""
    scope = None if route is None else route.scope
    presented = check_bearer(request, state.ledger, state.server_now(), scope)
    exchange.token = presented.token
    exchange.outcome = presented.outcome
    exchange.accepted = presented.status == 200
    if presented.status == 200:
        return None
    headers = [("WWW-Authenticate", presented.challenge)]
    unauthorized = presented.status == 401
    if unauthorized and route is not None and route.unauthorized is not None:
        return json_response(401, route.unauthorized, headers)
    return error_response(
        state.api_error_format,
        presented.status,
        (presented.reason,),
        failure_reason="InvalidToken" if unauthorized else "",
        code="invalid_token" if unauthorized else "insufficient_scope",
        headers=headers,
    )


def _spoiled(response: Response, fault: Fault | None, exchange: Exchange) -> Response:
    if fault is None:
        return response
    exchange.outcome = f"fault: {fault!r}, {exchange.outcome}".removesuffix(", ")
    return response if fault.spoil is None else fault.spoil(response)
