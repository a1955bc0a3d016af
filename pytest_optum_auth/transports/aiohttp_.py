"""aiohttp: connections to a gateway host end at the gateway, in memory.

What aiohttp writes to such a connection is answered with the bytes that a server would send. So
sessions, middlewares, connectors and their pools, traces, cookies, timeouts and exceptions are
aiohttp's own.

Names that aiohttp does not offer publicly stand here, with tests that fail when they change:
``TCPConnector._create_connection``, ``ClientSession._request``, ``ClientSession._build_url``,
``ClientResponse._body`` and ``client_proto.ResponseHandler``.
"""

from __future__ import annotations

import asyncio
import errno
import functools
from dataclasses import replace
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from ..core.active import gateway_for
from ..core.asking import Steps
from ..core.http11 import CONTINUE, MalformedRequest, RequestParser, ends_connection, render
from ..core.messages import NetworkFault, Request, Response
from ..core.other_tools import ShownAnswer
from ..patching import Interception, Lookout, Method, OverOthers
from ..patching.originals import genuine_class
from ..stubs.foreign import Library, passage_of, past_async, tool_of
from .drive import drive_async

__tracebackhide__ = True  # in the traceback of a test


# Before aiohttp 3.10 they have no names of their own, nor is the read timeout public.
_SILENCE: Final = getattr(aiohttp, "SocketTimeoutError", aiohttp.ServerTimeoutError)
_CONNECT_TIMEOUT: Final = getattr(aiohttp, "ConnectionTimeoutError", aiohttp.ServerTimeoutError)


class _GatewayConnection(asyncio.Transport):
    """A connection whose other end is the gateway that answers for ``origin`` at the time."""

    def __init__(self, origin: str, key: Any, protocol: ResponseHandler) -> None:
        super().__init__()
        self._origin = origin
        self._key = key
        self._protocol = protocol
        self._parser = RequestParser("aiohttp", origin)
        self._loop = asyncio.get_running_loop()
        self._closed = False
        # Of the request that uses the connection (seconds).
        self.timeout: float | None = None
        self._reply: Steps | None = None
        self._answering: asyncio.Task[None] | None = None

    def write(self, data: Any) -> None:
        if self._closed:
            return
        self._parser.feed(bytes(data))
        try:
            incoming = self._parser.next_request()
        except MalformedRequest as refusal:
            self._loop.call_soon(self._protocol.data_received, render(refusal.answer, close=True))
            self.close()
            return
        if incoming is not None:
            request = replace(incoming.request, timeout=self.timeout)
            self._answering = self._loop.create_task(self._answer(request))
        elif self._parser.wants_continue():
            self._loop.call_soon(self._protocol.data_received, CONTINUE)

    async def _answer(self, request: Request) -> None:
        # Not within aiohttp's write(), where an eager task would still be.
        await asyncio.sleep(0)
        gateway = gateway_for(self._origin)
        if gateway is None:
            self.close()
            return
        try:
            passage = passage_of(_call(request.method, URL(request.url)))
            self._reply = gateway.respond(request, passage)
            answer = await drive_async(self._reply, None)
        except NetworkFault as fault:
            self._act_out(fault)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            # Of the user's own callable, or of another tool: it reaches whoever made the request.
            self._protocol.set_exception(error)
        else:
            last = ends_connection(answer, request.method)
            self._protocol.data_received(render(answer, close=last))
            if last:
                self.close()

    def _act_out(self, fault: NetworkFault) -> None:
        if isinstance(fault.original, aiohttp.ClientError):
            self._protocol.set_exception(fault.original)
        elif fault.kind == "disconnect":
            self._protocol.set_exception(aiohttp.ServerDisconnectedError(fault.message))
        elif fault.kind == "connect":
            refused = OSError(errno.ECONNREFUSED, fault.message)
            self._protocol.set_exception(aiohttp.ClientConnectorError(self._key, refused))
        elif fault.kind == "connect timeout":
            self._protocol.set_exception(_CONNECT_TIMEOUT(fault.message))
        elif getattr(self._protocol, "read_timeout", True):
            self._protocol.set_exception(_SILENCE(fault.message))
        else:
            # What the timeout of the whole request raises.
            self._protocol.set_exception(asyncio.TimeoutError(fault.message))

    def is_closing(self) -> bool:
        # In the pool of a session that outlives the fake it is no longer of use.
        return self._closed or gateway_for(self._origin) is None

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        answering = self._answering
        if answering is None or answering.done() or answering is asyncio.current_task(self._loop):
            self._loop.call_soon(self._protocol.connection_lost, None)
            return
        if self._reply is not None:
            # At once, so that the journal has it when the client sees its exception.
            self._reply.close()
        answering.cancel()
        answering.add_done_callback(lambda _: self._protocol.connection_lost(None))

    def abort(self) -> None:
        self.close()

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """An answer comes in one piece."""

    def resume_reading(self) -> None:
        """As above."""


def _around_create_connection(beneath: Method) -> Method:
    async def create_connection(connector: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        if gateway_for(str(req.url)) is None:
            return await beneath(connector, req, *args, **kwargs)
        protocol = ResponseHandler(asyncio.get_running_loop())
        origin = str(req.url.origin())
        protocol.connection_made(_GatewayConnection(origin, req.connection_key, protocol))
        return protocol

    return create_connection


def _around_connect(beneath: Method) -> Method:
    async def connect(connector: Any, req: Any, traces: Any, timeout: Any) -> Any:
        _create_connection.rise()
        # Each request has limits of its own, also on a connection that another one has left.
        connection = await beneath(connector, req, traces=traces, timeout=timeout)
        transport = connection.transport
        if isinstance(transport, _GatewayConnection):
            transport.timeout = timeout.total or timeout.sock_read or None
        return connection

    return connect


def _around_request(beneath: Method) -> Method:
    tool = tool_of(beneath)

    def request(session: Any, method: str, url: Any, **kwargs: Any) -> Any:
        # No coroutine function: what lies beneath may be none, and is called at once.
        whole = _whole(session, url)
        if gateway_for(str(whole)) is None:
            return beneath(session, method, url, **kwargs)
        if tool is None:
            return _request.genuine(session, method, url, **kwargs)
        return past_tool(tool, _call(method, whole), session, method, url, **kwargs)

    async def past_tool(tool: str, call: Any, *args: Any, **kwargs: Any) -> Any:
        if hasattr(kwargs.get("data"), "__aiter__"):
            # It can be read once, and two will.
            kwargs["data"] = b"".join([chunk async for chunk in kwargs["data"]])
        stubbed, onward = (
            functools.partial(way, *args, **kwargs) for way in (beneath, _request.genuine)
        )
        return await past_async(tool, call, stubbed, onward, _LIBRARY)

    return request


def _whole(session: Any, url: Any) -> URL:
    """The URL of a request of ``session``; one that is none leads nowhere."""
    try:
        whole: URL = session._build_url(url)
    except (TypeError, ValueError):
        return URL()
    return whole


def _call(method: str, url: URL) -> tuple[str, str]:
    """What a request is known by, to a session and to its connection."""
    return method.upper(), url.path


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
    genuine_class(aiohttp.TCPConnector, "aiohttp"), "_create_connection", _around_create_connection
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
