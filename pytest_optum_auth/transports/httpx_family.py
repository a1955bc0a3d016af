"""httpx and its successor httpx2: their transports end at the gateway, sync and async.

The user's clients, event hooks, auth flows, redirects and own transports around
``HTTPTransport`` run; what ``HTTPTransport`` would send to a gateway host is answered.

Names that httpx does not offer publicly stand here and nowhere else, with tests that fail when they
change: ``Client._transport_for_url``, ``HTTPTransport._pool`` and, of httpcore's, ``_retries``.
"""

from __future__ import annotations

import functools
import http.client
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

from ..core.active import gateway_at
from ..core.gateway import Gateway
from ..core.http11 import received
from ..core.messages import Headers, NetworkFault, Request, Response
from ..patching import Interception, Lookout, Method, OverOthers
from ..patching.originals import genuine_class
from ..stubs.foreign import passage_of, past, past_async, respx_in, tool_of
from .drive import drive, drive_async
from .httpx_stubs import ASYNC, SYNC, ConnectionEnds, PastTool

__tracebackhide__ = True  # in the traceback of a test


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
        self._ends = ConnectionEnds(self._core)
        self._cut_stream = _kind_of_cut_stream(library)
        sync, not_sync, client, async_client, request = (
            genuine_class(cls, self._name)
            for cls in (
                library.HTTPTransport,
                library.AsyncHTTPTransport,
                library.Client,
                library.AsyncClient,
                library.Request,
            )
        )
        self._halves = (
            _Half(client, sync, "handle_request", self._around_sync),
            _Half(async_client, not_sync, "handle_async_request", self._around_async),
        )
        # Where a tracer has replaced a client's method, by the genuine one that it was shown,
        # nobody comes to us before a mock that has started since.
        self._made = Lookout(request, "__init__", self._rise)

    def install(self) -> None:
        """Requests to a gateway host end at the gateway."""
        for half in self._halves:
            half.install()
        self._made.install()

    def _rise(self) -> None:
        for half in self._halves:
            half.rise()

    def remove(self) -> None:
        """Undo :meth:`install`."""
        self._made.remove()
        for half in self._halves:
            half.remove()
        self._ends.remove()

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
            self._ends.install()
            stubbed = functools.partial(beneath, transport, request)
            return past(found, request, stubbed, answer, SYNC)

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
            self._ends.install()
            stubbed = functools.partial(beneath, transport, request)
            return await past_async(found, request, stubbed, answer, ASYNC)

        return handle_async_request

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
            Headers(_fields(request.headers)),
            body,
            request.extensions.get("timeout", {}).get("read"),
        )

    def _outgoing(self, answer: Response, request: Any) -> Any:
        body, missing = received(answer, request.method)
        # A stream, as from the network: closing it is what tells the client the elapsed time.
        stream = self._library.ByteStream(body)
        if missing:
            fault = NetworkFault("disconnect", f"{missing} bytes of the answer never came")
            stream = self._cut_stream(body, self._exception(fault, request))
        phrase = http.client.responses.get(answer.status, "")
        return self._library.Response(
            answer.status,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in answer.headers],
            stream=stream,
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": phrase.encode()},
            request=request,
        )

    def _exception(self, fault: NetworkFault, request: Any) -> Exception:
        original: Any = fault.original
        if isinstance(original, self._library.RequestError):
            original.request = request
            exception: Exception = original
        else:
            exception = self._exceptions[fault.kind](fault.message, request=request)
        return exception


class _Half:
    """The sync or the async half of the library: a transport, and the client that sends by it."""

    def __init__(
        self, client: type, transport: type, name: str, around: Callable[[Method], Method]
    ) -> None:
        self._transport = Interception(transport, name, around)
        # respx replaces that, above the user's own transport.
        self._choice = OverOthers(client, "_transport_for_url", self._around_choice)
        self._send = Lookout(client, "send", self.rise)

    def install(self) -> None:
        for interception in (self._transport, self._choice, self._send):
            interception.install()

    def remove(self) -> None:
        for interception in (self._send, self._choice, self._transport):
            interception.remove()

    def rise(self) -> None:
        """Lie on top again, whoever has come since."""
        self._transport.rise()
        self._choice.rise()

    def _around_choice(self, beneath: Method) -> Method:
        tool = tool_of(beneath)

        def transport_for_url(client: Any, url: Any) -> Any:
            if _gateway_of(url) is None:
                return beneath(client, url)
            chosen = self._choice.genuine(client, url)
            return chosen if tool is None else PastTool(tool, beneath(client, url), chosen)

        return transport_for_url


def _kind_of_cut_stream(library: ModuleType) -> type:
    """The kind of stream of ``library`` that raises an error at its end."""

    # To a type checker its base is a variable.
    class CutStream(library.ByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, body: bytes, error: Exception) -> None:
            super().__init__(body)
            self._error = error

        def __iter__(self) -> Iterator[bytes]:
            yield from super().__iter__()
            raise self._error

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in super().__aiter__():
                yield chunk
            raise self._error

    return CutStream


def _gateway_of(url: Any) -> Gateway | None:
    return gateway_at(url.raw_host.decode("ascii"))


def _fields(headers: Any) -> list[tuple[str, str]]:
    try:
        return [(name.decode("ascii"), value.decode("ascii")) for name, value in headers.raw]
    except UnicodeDecodeError:
        # It tries one encoding after the other, each time that it is asked for.
        encoding = headers.encoding
    return [(name.decode("latin-1"), value.decode(encoding)) for name, value in headers.raw]


def _retries(transport: Any) -> int:
    """How often the transport tries again to connect: its pool knows, and nobody else."""
    # A transport of the user's own may not have called the one that it is made of.
    pool = getattr(transport, "_pool", None)
    return 0 if pool is None else int(pool._retries)
