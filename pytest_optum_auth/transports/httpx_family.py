"""httpx and its successor httpx2: their transports end at the gateway, sync and async.

The user's clients, event hooks, auth flows, redirects and own transports around
``HTTPTransport`` run; what ``HTTPTransport`` would send to a gateway host is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..core.active import gateway_at
from ..core.gateway import Gateway
from ..core.messages import Headers, NetworkFault, Request, Response
from ..patching import Interception, Method
from .drive import drive, drive_async

__tracebackhide__ = True  # in the traceback of a test


class HttpxTransport:
    """The interception of one of the two libraries."""

    def __init__(self, library: ModuleType) -> None:
        self._library = library
        self._name = library.__name__
        self._exceptions = {
            "connect": library.ConnectError,
            "timeout": library.ReadTimeout,
            "disconnect": library.RemoteProtocolError,
        }
        self._halves = (
            _Half(library.Client, library.HTTPTransport, "handle_request", self._around_sync),
            _Half(
                library.AsyncClient,
                library.AsyncHTTPTransport,
                "handle_async_request",
                self._around_async,
            ),
        )

    def install(self) -> None:
        """Requests to a gateway host end at the gateway."""
        for half in self._halves:
            half.install()

    def remove(self) -> None:
        """Undo :meth:`install`."""
        for half in self._halves:
            half.remove()

    def _around_sync(self, beneath: Method) -> Method:
        def handle_request(transport: Any, request: Any) -> Any:
            gateway = _gateway_of(request.url)
            if gateway is None:
                return beneath(transport, request)
            incoming = self._incoming(request, request.read())
            again = _retries(transport)
            while True:
                try:
                    answer = drive(gateway.respond(incoming), incoming.timeout)
                    return self._outgoing(answer, request)
                except NetworkFault as fault:
                    if fault.kind != "connect" or not again:
                        raise self._exception(fault, request) from None
                    again -= 1

        return handle_request

    def _around_async(self, beneath: Method) -> Method:
        async def handle_async_request(transport: Any, request: Any) -> Any:
            gateway = _gateway_of(request.url)
            if gateway is None:
                return await beneath(transport, request)
            incoming = self._incoming(request, await request.aread())
            again = _retries(transport)
            while True:
                try:
                    answer = await drive_async(gateway.respond(incoming), incoming.timeout)
                    return self._outgoing(answer, request)
                except NetworkFault as fault:
                    if fault.kind != "connect" or not again:
                        raise self._exception(fault, request) from None
                    again -= 1

        return handle_async_request

    def _incoming(self, request: Any, body: bytes) -> Request:
        return Request(
            self._name,
            request.method,
            str(request.url),
            Headers(request.headers.multi_items()),
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
        exception: Exception = self._exceptions[fault.kind](fault.message, request=request)
        return exception


class _Half:
    """The sync or the async half of the library: a transport, and the client that sends by it."""

    def __init__(
        self, client: type, transport: type, name: str, around: Callable[[Method], Method]
    ) -> None:
        self._transport = Interception(transport, name, around)
        self._choice = _Choice(client, "_transport_for_url")
        self._send = Interception(client, "send", self._around_send)

    def install(self) -> None:
        self._transport.install()
        self._send.install()

    def remove(self) -> None:
        for interception in (self._send, self._transport, self._choice):
            interception.remove()

    def _around_send(self, beneath: Method) -> Method:
        def send(client: Any, request: Any, **kwargs: Any) -> Any:
            self._transport.rise()
            self._choice.rise()
            return beneath(client, request, **kwargs)

        return send


class _Choice(Interception):
    """Which transport a client uses: respx replaces that, above the user's own transport.

    Ours stands only while somebody else's does, and answers with the genuine choice.
    """

    def __init__(self, owner: type, name: str) -> None:
        self._genuine = getattr(owner, name)
        super().__init__(owner, name, self._around)

    def rise(self) -> None:
        if getattr(self._owner, self._name) is not self._genuine:
            self.install()

    def install(self) -> None:
        self._active = True
        super().rise()

    def _around(self, beneath: Method) -> Method:
        def transport_for_url(client: Any, url: Any) -> Any:
            ours = _gateway_of(url) is not None
            return (self._genuine if ours else beneath)(client, url)

        return transport_for_url


def _gateway_of(url: Any) -> Gateway | None:
    return gateway_at(url.raw_host.decode("ascii"))


def _retries(transport: Any) -> int:
    """How often the transport tries again to connect: its pool knows, and nobody else."""
    retries: int = getattr(getattr(transport, "_pool", None), "_retries", 0)
    return retries
