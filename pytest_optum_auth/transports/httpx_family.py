"""httpx and its successor httpx2: their transports end at the gateway, sync and async.

The user's clients, event hooks, auth flows, redirects and own transports around
``HTTPTransport`` run; what ``HTTPTransport`` would send to a gateway host is answered.

Names that httpx does not offer publicly stand here and nowhere else, with tests that fail when they
change: ``Client._transport_for_url``, ``HTTPTransport._pool`` and, of httpcore's, ``_retries``.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from ..core.active import gateway_at
from ..core.gateway import Gateway
from ..core.messages import Headers, NetworkFault, Request, Response
from ..core.other_tools import PassedThrough, ShownAnswer
from ..patching import Interception, Method, OverOthers
from ..stubs.foreign import Library, is_handed_over, passage_of, past, past_async, respx_in, tool_of
from .drive import drive, drive_async

__tracebackhide__ = True  # in the traceback of a test


# What connects, of httpcore: to a host, and by a proxy to one.
_POOLS: Final = ("ConnectionPool", "HTTPProxy", "AsyncConnectionPool", "AsyncHTTPProxy")


class HttpxTransport:
    """The interception of one of the two libraries."""

    def __init__(self, library: ModuleType) -> None:
        self._library = library
        self._name = library.__name__
        # Of httpx httpcore, of httpx2 httpcore2.
        self._core = self._name.replace("httpx", "httpcore")
        self._exceptions = {
            "connect": library.ConnectError,
            "connect timeout": library.ConnectTimeout,
            "timeout": library.ReadTimeout,
            "disconnect": library.RemoteProtocolError,
        }
        self._pools: list[Interception] = []
        sync, not_sync = library.HTTPTransport, library.AsyncHTTPTransport
        self._halves = (
            _Half(library.Client, sync, "handle_request", self._around_sync),
            _Half(library.AsyncClient, not_sync, "handle_async_request", self._around_async),
        )

    def install(self) -> None:
        """Requests to a gateway host end at the gateway."""
        for half in self._halves:
            half.install()

    def remove(self) -> None:
        """Undo :meth:`install`."""
        for half in self._halves:
            half.remove()
        for pool in self._pools:
            pool.remove()

    def _around_sync(self, beneath: Method) -> Method:
        tool = tool_of(beneath)

        def handle_request(transport: Any, request: Any) -> Any:
            gateway = _gateway_of(request.url)
            if gateway is None:
                return beneath(transport, request)
            answer = functools.partial(self._answer, gateway, transport, request)
            found = tool or respx_in(self._core)
            if found is None:
                return answer()
            self._watch_connections()
            stubbed = functools.partial(beneath, transport, request)
            return past(found, request, stubbed, answer, _SYNC)

        return handle_request

    def _around_async(self, beneath: Method) -> Method:
        tool = tool_of(beneath)

        async def handle_async_request(transport: Any, request: Any) -> Any:
            gateway = _gateway_of(request.url)
            if gateway is None:
                return await beneath(transport, request)
            answer = functools.partial(self._answer_async, gateway, transport, request)
            found = tool or respx_in(self._core)
            if found is None:
                return await answer()
            self._watch_connections()
            stubbed = functools.partial(beneath, transport, request)
            return await past_async(found, request, stubbed, answer, _ASYNC)

        return handle_async_request

    def _watch_connections(self) -> None:
        """Stop what respx lets through at its lower level, where a connection would be opened."""
        if not self._pools:
            # As late as this: httpx loads it with the first client, and it loads trio.
            core = importlib.import_module(self._core)
            self._pools = [
                Interception(getattr(core, name), "create_connection", _around_create_connection)
                for name in _POOLS
            ]
        for pool in self._pools:
            pool.install()

    def _answer(self, gateway: Gateway, transport: Any, request: Any) -> Any:
        incoming = self._incoming(request, request.read())
        passage = passage_of(request)
        again = _retries(transport)
        while True:
            try:
                answer = drive(gateway.respond(incoming, passage), incoming.timeout)
                return self._outgoing(answer, request)
            except NetworkFault as fault:
                if not fault.kind.startswith("connect") or not again:
                    raise self._exception(fault, request) from None
                again -= 1

    async def _answer_async(self, gateway: Gateway, transport: Any, request: Any) -> Any:
        incoming = self._incoming(request, await request.aread())
        passage = passage_of(request)
        again = _retries(transport)
        while True:
            try:
                reply = gateway.respond(incoming, passage)
                return self._outgoing(await drive_async(reply, incoming.timeout), request)
            except NetworkFault as fault:
                if not fault.kind.startswith("connect") or not again:
                    raise self._exception(fault, request) from None
                again -= 1

    def _incoming(self, request: Any, body: bytes) -> Request:
        return Request(
            self._name,
            request.method,
            str(request.url),
            Headers(
                (name.decode("latin-1"), value)
                for (name, _), (_, value) in zip(
                    request.headers.raw, request.headers.multi_items(), strict=True
                )
            ),
            body,
            request.extensions.get("timeout", {}).get("read"),
        )

    def _outgoing(self, answer: Response, request: Any) -> Any:
        # A stream, as from the network: closing it is what tells the client the elapsed time.
        return self._library.Response(
            answer.status,
            headers=answer.headers,
            stream=self._library.ByteStream(answer.body),
            extensions={"http_version": b"HTTP/1.1"},
            request=request,
        )

    def _exception(self, fault: NetworkFault, request: Any) -> Exception:
        original = fault.original
        if original is not None and isinstance(original, self._library.RequestError):
            exception: Exception = original
            exception.request = request  # type: ignore[attr-defined]
        else:
            exception = self._exceptions[fault.kind](fault.message, request=request)
        return exception


def _around_create_connection(beneath: Method) -> Method:
    def create_connection(pool: Any, origin: Any) -> Any:
        if is_handed_over() and gateway_at(origin.host.decode("ascii")) is not None:
            raise PassedThrough
        return beneath(pool, origin)

    return create_connection


class _Half:
    """The sync or the async half of the library: a transport, and the client that sends by it."""

    def __init__(
        self, client: type, transport: type, name: str, around: Callable[[Method], Method]
    ) -> None:
        self._transport = Interception(transport, name, around)
        # respx replaces that, above the user's own transport.
        self._choice = OverOthers(client, "_transport_for_url", self._around_choice)
        self._send = Interception(client, "send", self._around_send, comes_back=True)

    def install(self) -> None:
        for interception in (self._transport, self._choice, self._send):
            interception.install()

    def remove(self) -> None:
        for interception in (self._send, self._choice, self._transport):
            interception.remove()

    def _around_send(self, beneath: Method) -> Method:
        def send(client: Any, request: Any, **kwargs: Any) -> Any:
            self._transport.rise()
            self._choice.rise()
            return beneath(client, request, **kwargs)

        return send

    def _around_choice(self, beneath: Method) -> Method:
        tool = tool_of(beneath)

        def transport_for_url(client: Any, url: Any) -> Any:
            if _gateway_of(url) is None:
                return beneath(client, url)
            chosen = self._choice.genuine(client, url)
            return chosen if tool is None else _Past(tool, beneath(client, url), chosen)

        return transport_for_url


class _Past:
    """The transport that a client would use without the tool that has chosen ``stubbed`` for it."""

    def __init__(self, tool: str, stubbed: Any, chosen: Any) -> None:
        self._tool = tool
        self._stubbed = stubbed
        self._chosen = chosen

    def handle_request(self, request: Any) -> Any:
        stubbed, onward = (
            functools.partial(way.handle_request, request) for way in (self._stubbed, self._chosen)
        )
        return past(self._tool, request, stubbed, onward, _SYNC)

    async def handle_async_request(self, request: Any) -> Any:
        stubbed, onward = (
            functools.partial(w.handle_async_request, request)
            for w in (self._stubbed, self._chosen)
        )
        return await past_async(self._tool, request, stubbed, onward, _ASYNC)


def _gateway_of(url: Any) -> Gateway | None:
    return gateway_at(url.raw_host.decode("ascii"))


def _shown(answer: Any) -> ShownAnswer:
    """An answer of another tool, for the journal."""
    headers = answer.headers.multi_items()
    return ShownAnswer(answer.status_code, headers, functools.partial(_content, answer))


def _content(answer: Any) -> bytes:
    # RuntimeError: not read, or taken from the stream.
    with contextlib.suppress(RuntimeError):
        content: bytes = answer.content
        return content
    return b""


def _read(answer: Any) -> Response:
    return Response(answer.status_code, tuple(answer.headers.multi_items()), answer.read())


async def _read_async(answer: Any) -> Response:
    return Response(answer.status_code, tuple(answer.headers.multi_items()), await answer.aread())


_SYNC: Final = Library(_shown, _read)
_ASYNC: Final = Library(_shown, _read_async)


def _retries(transport: Any) -> int:
    """How often the transport tries again to connect: its pool knows, and nobody else."""
    # A transport of the user's own may not have called the one that it is made of.
    pool = getattr(transport, "_pool", None)
    return 0 if pool is None else int(pool._retries)
