"""The pools beneath the transports of httpx and httpx2, for who comes past a transport's method.

Whoever has kept the method from before a fake calls the genuine one: so does a tracer that was put
on one client.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from ..core.active import gateway_at
from ..core.gateway import Gateway
from ..patching import Interception, Method
from ..stubs.foreign import is_handed_over, past, past_async, respx_in
from .httpx_messages import HttpxMessages
from .httpx_stubs import ASYNC, SYNC, ConnectionEnds

__tracebackhide__ = True  # in the traceback of a test


class Pools:
    """Those of ``core`` (httpcore, httpcore2).

    ``answer(gateway, transport, request)`` is what the transport would have done, with a request
    and an answer of its own library.
    """

    def __init__(
        self,
        core: str,
        messages: HttpxMessages,
        ends: ConnectionEnds,
        answer: Callable[[Gateway, Any, Any], Any],
        answer_async: Callable[[Gateway, Any, Any], Awaitable[Any]],
    ) -> None:
        self._core = core
        self._messages = messages
        self._ends = ends
        self._answer = answer
        self._answer_async = answer_async
        self._interceptions: tuple[Interception, ...] = ()

    def install(self) -> None:
        """From now on requests to a gateway host end here."""
        core: Any = sys.modules.get(self._core)
        if core is not None and not self._interceptions:
            # As late as this: httpx loads it with the first client, and it loads trio.
            self._interceptions = (
                Interception(core.ConnectionPool, "handle_request", self._around_pool),
                Interception(
                    core.AsyncConnectionPool, "handle_async_request", self._around_async_pool
                ),
            )
        for interception in self._interceptions:
            interception.install()

    def remove(self) -> None:
        """Undo :meth:`install`."""
        for interception in self._interceptions:
            interception.remove()

    def _gateway_of(self, request: Any) -> Gateway | None:
        return gateway_at(request.url.host.decode("ascii"), self._messages.name)

    def _around_pool(self, beneath: Method) -> Method:
        def handle_request(pool: Any, request: Any) -> Any:
            gateway = None if is_handed_over() else self._gateway_of(request)
            if gateway is None:
                return beneath(pool, request)
            sent = self._messages.from_core(request)
            answer = functools.partial(self._answer, gateway, SimpleNamespace(_pool=pool), sent)
            found = respx_in(self._core)
            if found is None:
                return _for_core(answer())
            self._ends.install()

            def stubbed() -> Any:
                stub = beneath(pool, request)
                return self._messages.answer_of_core(stub, stub.read(), sent)

            return _for_core(past(found, sent, stubbed, answer, SYNC))

        return handle_request

    def _around_async_pool(self, beneath: Method) -> Method:
        async def handle_async_request(pool: Any, request: Any) -> Any:
            gateway = None if is_handed_over() else self._gateway_of(request)
            if gateway is None:
                return await beneath(pool, request)
            sent = self._messages.from_core(request)
            transport = SimpleNamespace(_pool=pool)
            answer = functools.partial(self._answer_async, gateway, transport, sent)
            found = respx_in(self._core)
            if found is None:
                return _for_core(await answer())
            self._ends.install()

            async def stubbed() -> Any:
                stub = await beneath(pool, request)
                return self._messages.answer_of_core(stub, await stub.aread(), sent)

            return _for_core(await past_async(found, sent, stubbed, answer, ASYNC))

        return handle_async_request


def _for_core(answer: Any) -> Any:
    """What a transport takes of an answer of its pool."""
    return SimpleNamespace(
        status=answer.status_code,
        headers=answer.headers.raw,
        stream=answer.stream,
        extensions=answer.extensions,
    )
