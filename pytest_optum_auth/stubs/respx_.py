"""``optum_respx``: stubs written with respx, that answer every client library.

A router that is never started: nothing of httpx is replaced. The gateway asks it, by what respx
offers for that: ``handler`` and ``async_handler``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import respx
from respx.models import AllMockedAssertionError, PassThrough
from respx.patterns import Host

from ..core.answerers import Mismatch, Stub, Unanswered
from ..core.asking import Ask, Steps
from ..core.messages import Request, Response
from .network_failures import network_fault
from .respx_internals import wants_all_called

__tracebackhide__ = True  # in the traceback of a test

_NAME: Final = "optum_respx"
_URL_PARTS: Final = ("method", "scheme", "host", "path", "url")


class RespxStubs:
    """The stubs of one fake: ``router`` is what the test writes them with."""

    name = _NAME

    def __init__(self, base_url: str) -> None:
        self.router = respx.Router(base_url=base_url)

    def find(self, request: Request) -> Callable[[], Steps] | Mismatch:
        """What answers ``request``; no stub is used up yet."""
        if not self.router.routes:
            return Mismatch()
        incoming = httpx.Request(
            request.method, request.url, headers=request.headers.as_sent(), content=request.body
        )
        reasons = []
        for route in self.router.routes:
            missed = _missed(route, incoming)
            if not missed:
                return functools.partial(self._answer, route, incoming)
            reasons.append((_shown(route), missed))
        return Mismatch(_NAME, tuple(reasons))

    def _answer(self, route: respx.Route, request: httpx.Request) -> Steps:
        asynchronous = functools.partial(self._ask_async, request)
        # Where a side effect may be a coroutine function, a loop is needed in any case.
        function = asynchronous if _may_be_async(route) else functools.partial(self._ask, request)
        try:
            answer: Response = yield Ask(function, asynchronous)
        except (AllMockedAssertionError, PassThrough):
            reasons = [(_shown(route), "its side effect has left the request to others")]
            raise Unanswered(Mismatch(_NAME, tuple(reasons))) from None
        except Exception as error:
            if isinstance(error.__cause__, StopIteration):
                raise AssertionError(
                    f"the stub {_shown(route)} of {_NAME} has no answer left: its side_effect has "
                    "ended"
                ) from None
            fault = network_fault(error, _NAME)
            if fault is None:
                raise
            raise fault from error
        return answer

    def _ask(self, request: httpx.Request) -> Any:
        answer = self.router.handler(request)
        if isinstance(answer.stream, httpx.SyncByteStream):
            return _response(answer, b"".join(answer.stream))
        return _read(answer)

    async def _ask_async(self, request: httpx.Request) -> Response:
        return await _read(await self.router.async_handler(request))

    def never_asked(self) -> list[Stub]:
        """The stubs that no request has reached, unless the test has said that it does not mind."""
        if not wants_all_called(self.router):
            return []
        return [Stub(_shown(r), _host(r), id(r)) for r in self.router.routes if not r.called]


async def _read(answer: httpx.Response) -> Response:
    if isinstance(answer.stream, httpx.AsyncByteStream):
        return _response(answer, b"".join([part async for part in answer.stream]))
    return _response(answer, b"".join(answer.stream))


def _response(answer: httpx.Response, body: bytes) -> Response:
    # Of a connection there was none.
    fields = [field for field in answer.headers.multi_items() if field[0] != "connection"]
    return Response(answer.status_code, tuple(fields), body)


def _may_be_async(route: respx.Route) -> bool:
    effect = route.side_effect
    # A handler of respx is an object that is called: its class has the coroutine function.
    functions = (effect, type(effect).__call__) if callable(effect) else ()
    return isinstance(effect, Iterator) or any(map(inspect.iscoroutinefunction, functions))


def _missed(route: respx.Route, request: httpx.Request) -> str:
    """Why the route does not answer ``request``; empty: it does."""
    if route.is_pass_through:
        return "it passes requests through, and nothing leaves the machine"
    if not route.pattern or route.pattern.match(request):
        return ""
    missed = [_told(part) for part in route.pattern if not part.match(request)]
    return f"{' and '.join(missed) or 'it'} does not match"


def _told(part: Any) -> str:
    return f"{part.key} {part.lookup.value} {part.value!r}"


def _shown(route: respx.Route) -> str:
    parts = {part.key: part.value for part in route.pattern}
    url = "".join(
        f"{value if isinstance(value, str) else getattr(value, 'pattern', value)}{end}"
        for value, end in (
            (parts.get("method", "any method"), " "),
            (parts.get("scheme", "https"), "://"),
            (parts.get("host", "any host"), ""),
            (parts.get("path", parts.get("url", "")), ""),
        )
    )
    more = [_told(part) for part in route.pattern if part.key not in _URL_PARTS]
    return " with ".join([url, *([" and ".join(more)] if more else [])])


def _host(route: respx.Route) -> str | None:
    """The host that the route is for; ``None``: any, or a pattern."""
    hosts = [p.value for p in route.pattern if isinstance(p, Host) and isinstance(p.value, str)]
    return hosts[0] if hosts else None
