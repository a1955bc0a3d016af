"""The APIs behind the gateway, as a test sets them up: routes of ours, stubs of other tools."""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING

from ..core.header_fields import HeaderFields
from ..core.messages import Json
from ..core.replies import MISSING
from ..core.routes import Answering, ApiRoute, new_route
from ..core.state import GatewayState

if TYPE_CHECKING:
    from responses import RequestsMock
    from respx import Router

    from ..stubs.responses_ import ResponsesStubs
    from ..stubs.respx_ import RespxStubs

__tracebackhide__ = True  # in the traceback of a test


class Apis:
    """What answers a request that carries a token."""

    _state: GatewayState
    _responses: ResponsesStubs | None = None
    _respx: RespxStubs | None = None

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
            from ..stubs import responses_stubs

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
            from ..stubs import respx_stubs

            self._respx = respx_stubs(self._state.base_url)
            self._set_stubs()
        return self._respx.router

    def _set_stubs(self) -> None:
        self._state.stubs = [stubs for stubs in (self._responses, self._respx) if stubs]
