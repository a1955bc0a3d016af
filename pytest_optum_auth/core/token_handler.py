"""The handler of requests to the token endpoint: what it grants, and how the answer is written."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from . import facts, keycloak, token_endpoint
from .advice import advice
from .fault import Fault
from .handler import failure, spoiled
from .holds import Hold
from .injection import Injection
from .journal import Exchange
from .messages import Request, Response, error_response
from .spans import in_seconds
from .state import GatewayState
from .token_endpoint import V2, Grant, Version
from .token_request import ParsedBody, fields_of

# Shorter than this a client may well fetch the next token early.
_NEEDLESS: Final = dt.timedelta(seconds=60)
_SUCCESS_FIELDS: Final = (("Content-Type", facts.JSON), *facts.NO_STORE.items())


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
        self.seen: list[Exchange] | None = None
        self.holds: Sequence[Hold] = state.holds

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
        self.exchange.advice = advice(self._request, self._version, self._state.clients)
        return error_response(
            self.error_format,
            verdict.status,
            verdict.reasons,
            code=verdict.code,
            headers=verdict.headers,
        )

    def claim(self, refused: bool) -> Injection | None:
        return self._state.faults.claim(not refused)

    def failed(self, error: BaseException) -> str:
        return failure(self.exchange, facts.TOKEN_ENDPOINT, error)

    def succeed(self, fault: Fault | None) -> Response:
        assert self._grant is not None, "succeed() follows a check() that refused nothing"
        if fault is not None:
            # Injected for either version, and v2 has fewer keys.
            fault.check_keys(self._version.documented_keys)
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
        return spoiled(response, fault, self.exchange)

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
