"""httpx and its successor httpx2: their transports end at the gateway, sync and async.

The user's clients, event hooks, auth flows, redirects and own transports around
``HTTPTransport`` run; what ``HTTPTransport`` would send to a gateway host is answered.

Names that httpx does not offer publicly stand here and nowhere else, with tests that fail when they
change: ``Client._transport_for_url``, ``HTTPTransport._pool`` and, of httpcore's, ``_retries``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..core.active import gateway_at
from ..core.gateway import Gateway
from ..core.messages import NetworkFault
from ..patching import Interception, Lookout, Method, OverOthers
from ..patching.originals import genuine_class
from ..stubs.foreign import passage_of, past, past_async, respx_in, tool_of
from .drive import drive, drive_async
from .httpx_messages import HttpxMessages
from .httpx_pools import Pools
from .httpx_stubs import ASYNC, SYNC, ConnectionEnds, PastTool

__tracebackhide__ = True  # in the traceback of a test


class HttpxTransport:
    """The interception of one of the two libraries."""

    def __init__(self, library: ModuleType) -> None:
        self._messages = HttpxMessages(library)
        # Of httpx httpcore, of httpx2 httpcore2.
        self._core = self._messages.name.replace("httpx", "httpcore")
        self._ends = ConnectionEnds(self._core)
        transport, async_transport, client, async_client, request = (
            genuine_class(cls, self._messages.name)
            for cls in (
                library.HTTPTransport,
                library.AsyncHTTPTransport,
                library.Client,
                library.AsyncClient,
                library.Request,
            )
        )
        self._halves = (
            _Half(client, transport, "handle_request", self._around_sync, self._gateway_of),
            _Half(
                async_client,
                async_transport,
                "handle_async_request",
                self._around_async,
                self._gateway_of,
            ),
        )
        # A tracer above us may call the genuine method, which it was shown, and so pass us by. Then
        # this alone lets us rise above a mock that has started since.
        self._made = Lookout(request, "__init__", self._rise)
        self._pools = Pools(
            self._core, self._messages, self._ends, self._answer, self._answer_async
        )

    def install(self) -> None:
        """Requests to a gateway host end at the gateway."""
        for half in self._halves:
            half.install()
        self._made.install()

    def _rise(self) -> None:
        for half in self._halves:
            half.rise()
        self._pools.install()

    def remove(self) -> None:
        """Undo :meth:`install`."""
        self._made.remove()
        for half in self._halves:
            half.remove()
        self._pools.remove()
        self._ends.remove()

    def _gateway_of(self, url: Any) -> Gateway | None:
        return gateway_at(url.raw_host.decode("ascii"), self._messages.name)

    def _around_sync(self, beneath: Method) -> Method:
        tool = tool_of(beneath)

        def handle_request(transport: Any, request: Any) -> Any:
            gateway = self._gateway_of(request.url)
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
            gateway = self._gateway_of(request.url)
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
        incoming = self._messages.incoming(request, request.read())
        passage = passage_of(request)
        again = _retries(transport)
        while True:
            try:
                answer = drive(gateway.respond(incoming, passage), incoming.timeout)
                return self._messages.outgoing(answer, request)
            except NetworkFault as fault:
                if not fault.kind.startswith("connect") or not again:
                    raise self._messages.exception(fault, request) from None
                again -= 1

    async def _answer_async(self, gateway: Gateway, transport: Any, request: Any) -> Any:
        incoming = self._messages.incoming(request, await request.aread())
        passage = passage_of(request)
        again = _retries(transport)
        while True:
            try:
                reply = gateway.respond(incoming, passage)
                return self._messages.outgoing(await drive_async(reply, incoming.timeout), request)
            except NetworkFault as fault:
                if not fault.kind.startswith("connect") or not again:
                    raise self._messages.exception(fault, request) from None
                again -= 1


class _Half:
    """The sync or the async half of the library: a transport, and the client that sends by it."""

    def __init__(
        self,
        client: type,
        transport: type,
        name: str,
        around: Callable[[Method], Method],
        gateway_of: Callable[[Any], Gateway | None],
    ) -> None:
        self._gateway_of = gateway_of
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
            if self._gateway_of(url) is None:
                return beneath(client, url)
            chosen = self._choice.genuine(client, url)
            return chosen if tool is None else PastTool(tool, beneath(client, url), chosen)

        return transport_for_url


def _retries(transport: Any) -> int:
    """How often the transport tries again to connect: its pool knows, and nobody else."""
    # A transport of the user's own may not have called the one that it is made of.
    pool = getattr(transport, "_pool", None)
    return 0 if pool is None else int(pool._retries)
