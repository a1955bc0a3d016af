"""A connection of aiohttp whose other end is the gateway.

What aiohttp writes to it is answered with the bytes that a server would send.

A name that aiohttp does not offer publicly stands here, with a test that fails when it changes:
``client_proto.ResponseHandler``.
"""

from __future__ import annotations

import asyncio
import errno
from typing import Any, Final, NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from ..core.active import gateway_for
from ..core.asking import Steps
from ..core.http11 import CONTINUE, MalformedRequest, RequestParser, ends_connection, render
from ..core.messages import NetworkFault, Request
from ..patching import Method
from ..stubs.foreign import passage_of
from .drive import drive_async

__tracebackhide__ = True  # in the traceback of a test

NAME: Final = "aiohttp"
# Before aiohttp 3.10 they have no names of their own, nor is the read timeout public.
_SILENCE: Final = getattr(aiohttp, "SocketTimeoutError", aiohttp.ServerTimeoutError)
_CONNECT_TIMEOUT: Final = getattr(aiohttp, "ConnectionTimeoutError", aiohttp.ServerTimeoutError)


class GatewayConnection(asyncio.Transport):
    """A connection whose other end is the gateway that answers for ``origin`` at the time."""

    def __init__(self, origin: str, key: Any, protocol: ResponseHandler) -> None:
        super().__init__()
        self._origin = origin
        self._key = key
        self._protocol = protocol
        self._parser = RequestParser(NAME, origin)
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
            request = incoming.request._replace(timeout=self.timeout)
            self._answering = self._loop.create_task(self._answer(request))
        elif self._parser.wants_continue():
            self._loop.call_soon(self._protocol.data_received, CONTINUE)

    async def _answer(self, request: Request) -> None:
        # Not within aiohttp's write(), where an eager task would still be.
        await asyncio.sleep(0)
        gateway = gateway_for(self._origin, NAME)
        if gateway is None:
            self.close()
            return
        try:
            passage = passage_of(known_by(request.method, URL(request.url)))
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
        return self._closed or gateway_for(self._origin, NAME) is None

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


def around_create_connection(beneath: Method) -> Method:
    async def create_connection(connector: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        if gateway_for(str(req.url), NAME) is None:
            return await beneath(connector, req, *args, **kwargs)
        protocol = ResponseHandler(asyncio.get_running_loop())
        origin = str(req.url.origin())
        protocol.connection_made(GatewayConnection(origin, req.connection_key, protocol))
        return protocol

    return create_connection


class KnownBy(NamedTuple):
    """What a request is known by, to a session and to its connection."""

    method: str
    url: str


def known_by(method: str, url: URL) -> KnownBy:
    """See :class:`KnownBy`; of the URL the path."""
    return KnownBy(method.upper(), url.path)
