"""aiohttp: connections to a gateway host end at the gateway, in memory.

So sessions, middlewares, connectors and their pools, traces, cookies, timeouts and exceptions are
aiohttp's own.

Names that aiohttp does not offer publicly stand here, with tests that fail when they change:
``TCPConnector._create_connection``, ``ClientSession._request``, ``ClientSession._build_url`` and
``ClientResponse._body``.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import aiohttp
from yarl import URL

from ..core.active import gateway_for
from ..core.messages import Response
from ..core.other_tools import ShownAnswer
from ..patching import Interception, Lookout, Method, OverOthers
from ..patching.originals import genuine_class
from ..stubs.foreign import Library, past_async, tool_of
from .aiohttp_connection import NAME, GatewayConnection, around_create_connection, known_by

__tracebackhide__ = True  # in the traceback of a test


def _around_connect(beneath: Method) -> Method:
    async def connect(connector: Any, req: Any, traces: Any, timeout: Any) -> Any:
        _create_connection.rise()
        # Each request has limits of its own, also on a connection that another one has left.
        connection = await beneath(connector, req, traces=traces, timeout=timeout)
        transport = connection.transport
        if isinstance(transport, GatewayConnection):
            transport.timeout = timeout.total or timeout.sock_read or None
        return connection

    return connect


def _around_request(beneath: Method) -> Method:
    tool = tool_of(beneath)

    def request(session: Any, method: str, url: Any, **kwargs: Any) -> Any:
        # Not a coroutine function: what lies beneath need not be one, and is called at once.
        full = _full_url(session, url)
        if gateway_for(str(full), NAME) is None:
            return beneath(session, method, url, **kwargs)
        if tool is None:
            return _request.genuine(session, method, url, **kwargs)
        return past_tool(tool, known_by(method, full), session, method, url, **kwargs)

    async def past_tool(tool: str, call: Any, *args: Any, **kwargs: Any) -> Any:
        if hasattr(kwargs.get("data"), "__aiter__"):
            # It can be read once, and both the tool and the gateway read it.
            kwargs["data"] = b"".join([chunk async for chunk in kwargs["data"]])
        stubbed, onward = (
            functools.partial(way, *args, **kwargs) for way in (beneath, _request.genuine)
        )
        return await past_async(tool, call, stubbed, onward, _LIBRARY)

    return request


def _full_url(session: Any, url: Any) -> URL:
    """The URL of a request of ``session``; one that is none leads nowhere."""
    try:
        full: URL = session._build_url(url)
    except (TypeError, ValueError):
        return URL()
    return full


def _shown(answer: aiohttp.ClientResponse) -> ShownAnswer:
    """An answer of another tool, for the journal."""
    return ShownAnswer(answer.status, answer.headers.items(), lambda: answer._body or b"")


async def _read(answer: aiohttp.ClientResponse) -> Response:
    return Response(answer.status, tuple(answer.headers.items()), await answer.read())


_LIBRARY: Final = Library(_shown, _read)


def _around_call(beneath: Method) -> Method:
    def call(session: Any, *args: Any, **kwargs: Any) -> Any:
        _request.rise()
        return beneath(session, *args, **kwargs)

    return call


_Session: Final = genuine_class(aiohttp.ClientSession, "aiohttp")
_create_connection: Final = Interception(
    genuine_class(aiohttp.TCPConnector, "aiohttp"), "_create_connection", around_create_connection
)
# aioresponses and vcr replace that.
_request: Final = OverOthers(_Session, "_request", _around_request)
_CALLS: Final = ("request", "get", "options", "head", "post", "put", "patch", "delete")
_interceptions: Final = (
    _create_connection,
    Interception(genuine_class(aiohttp.BaseConnector, "aiohttp"), "connect", _around_connect),
    _request,
    # For `aiohttp.request`, which calls none of them.
    Lookout(_Session, "__init__", _request.rise),
    *(Interception(_Session, name, _around_call, comes_back=True) for name in _CALLS),
)


def install() -> None:
    """Requests of every ``aiohttp.ClientSession`` to a gateway host end at the gateway."""
    for interception in _interceptions:
        interception.install()


def remove() -> None:
    """Undo :func:`install`."""
    for interception in reversed(_interceptions):
        interception.remove()
