"""httpx beside stubs of other tools: how one is passed, how its answers are read, where it ends."""

from __future__ import annotations

import contextlib
import functools
import importlib
from typing import Any, Final

from ..core.active import gateway_at
from ..core.messages import Response
from ..core.other_tools import PassedThrough, ShownAnswer
from ..patching import Interception, Method
from ..stubs.foreign import Library, is_handed_over, past, past_async

__tracebackhide__ = True  # in the traceback of a test

# What connects, of httpcore: to a host, and by a proxy to one.
_POOLS: Final = ("ConnectionPool", "HTTPProxy", "AsyncConnectionPool", "AsyncHTTPProxy")


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


SYNC: Final = Library(_shown, _read)
ASYNC: Final = Library(_shown, _read_async)


class PastTool:
    """The transport that a client would use without the tool that has chosen ``stubbed`` for it."""

    def __init__(self, tool: str, stubbed: Any, chosen: Any) -> None:
        self._tool = tool
        self._stubbed = stubbed
        self._chosen = chosen

    def handle_request(self, request: Any) -> Any:
        stubbed, onward = (
            functools.partial(way.handle_request, request) for way in (self._stubbed, self._chosen)
        )
        return past(self._tool, request, stubbed, onward, SYNC)

    async def handle_async_request(self, request: Any) -> Any:
        stubbed, onward = (
            functools.partial(w.handle_async_request, request)
            for w in (self._stubbed, self._chosen)
        )
        return await past_async(self._tool, request, stubbed, onward, ASYNC)


class ConnectionEnds:
    """Where what a tool lets through would open a connection, of ``core`` (httpcore, httpcore2)."""

    def __init__(self, core: str) -> None:
        self._core = core
        self._pools: list[Interception] = []

    def install(self) -> None:
        """Stop there what a tool lets through to a gateway host."""
        if not self._pools:
            # As late as this: httpx loads it with the first client, and it loads trio.
            core = importlib.import_module(self._core)
            self._pools = [
                Interception(getattr(core, name), "create_connection", _around_create_connection)
                for name in _POOLS
            ]
        for pool in self._pools:
            pool.install()

    def remove(self) -> None:
        """Undo :meth:`install`."""
        for pool in self._pools:
            pool.remove()


def _around_create_connection(beneath: Method) -> Method:
    def create_connection(pool: Any, origin: Any) -> Any:
        if is_handed_over() and gateway_at(origin.host.decode("ascii")) is not None:
            raise PassedThrough
        return beneath(pool, origin)

    return create_connection
