"""The gateway: a request goes in, an answer comes out, and both are in the journal.

It opens no socket and does not sleep: where a request has to wait, :meth:`Gateway.respond` yields
the wait and goes on when the transport comes back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

from . import facts, unexpected
from .fault import Fault
from .handlers import ApiHandler, Handler, StubHandler, TokenHandler
from .injection import Injection
from .journal import Exchange
from .messages import (
    NetworkFault,
    Request,
    Response,
    error_response,
    host_of,
    json_response,
)
from .other_tools import HandedOver, OtherTool, PassedThrough, ShownAnswer
from .state import GatewayState
from .waits import Pause, Wait

__tracebackhide__ = True  # in the traceback of a test

# It yields waits and callables.
Reply = Generator[Any, Any, Response]


class Gateway:
    """Answers requests by what ``state`` knows, and records them there."""

    def __init__(self, state: GatewayState) -> None:
        self.state = state

    def respond(
        self,
        request: Request,
        tool: OtherTool | None = None,
        *,
        answers_unexpected: bool = False,
    ) -> Reply:
        """Answer a request.

        It yields what to wait for, or a callable whose result (on async transports: what comes of
        awaiting it) is sent in. ``tool`` is asked where nobody here answers, and
        :class:`HandedOver` raised with what it says.

        Raises :class:`NetworkFault` where no HTTP answer comes. A transport whose client gives up
        throws one in. ``answers_unexpected``: a path that nobody protects gets a 404 instead of a
        refused connection, for a transport on which the request has arrived already.
        """
        parts = urlsplit(request.url)
        host = host_of(request.url)
        version = self.state.addresses.version_at(host, parts.path)
        if parts.scheme != "https":
            raise self._plain_http(Exchange("api" if version is None else "token", request))
        if version is not None:
            handler = TokenHandler(self.state, request, version)
            return (yield from self._serve(handler, answers_unexpected))
        path, allowed, has_apis = parts.path, list[str](), self.state.addresses.has_apis(host)
        for path in self.state.addresses.paths(host, parts.path) if has_apis else ():
            route, path_params, methods = self.state.routes.find(request.method, path)
            if route is not None:
                api = ApiHandler(self.state, request, route, path_params)
                return (yield from self._serve(api, answers_unexpected))
            allowed = allowed or methods
        if tool is not None and not allowed:
            with contextlib.suppress(PassedThrough):
                stub = StubHandler(self.state, request, tool)
                return (yield from self._serve(stub, answers_unexpected))
        if not has_apis:
            raise self._no_api(request, host, path)
        return self._unexpected(request, path, allowed, answers_unexpected)

    def _serve(self, handler: Handler, arrived: bool) -> Reply:
        handler.exchange.at = self.state.local_now()
        if isinstance(handler, TokenHandler):
            for hold in list(self.state.holds):
                if not hold.released:
                    yield from self._wait(hold, handler, None)
        with self.state.lock:
            refusal = handler.check()
            injection = handler.faults.claim(refusal is None)
        if injection is not None and injection.fault.wait:
            yield from self._wait(Pause(injection.fault.wait), handler, injection)
            with self.state.lock:
                refusal = handler.check()
                if refusal is not None and injection.fault.spoil is not None:
                    # It would have succeeded before the wait: the fault waits for another.
                    injection.claimed -= 1
                    injection = None
        with handler.alone():
            try:
                answer = yield from self._answer(handler, refusal, injection)
            except HandedOver as over:
                self._record(handler.exchange, over.shown, handler, injection)
                raise
            except GeneratorExit:
                self._record(handler.exchange, None, handler, injection)
                raise
            except NetworkFault:
                self._record(handler.exchange, None, handler, injection)
                raise
            except Exception as error:
                handler.exchange.outcome = f"{type(error).__name__} while the answer was made"
                self._record(handler.exchange, None, handler, injection)
                self.state.unexpected(f"{handler.faults.where}: {type(error).__name__}: {error}")
                raise
            answer = answer.to(handler.exchange.method, self.state.server_now())
            self._record(handler.exchange, answer, handler, injection)
        if answer.status < 200 and not arrived:
            # RFC 9110 section 15.2: the client goes on waiting for the answer, which never comes.
            raise NetworkFault("disconnect", f"the connection ended after {answer.status}")
        return answer

    def _answer(
        self, handler: Handler, refusal: Response | None, injection: Injection | None
    ) -> Reply:
        fault = None if injection is None else injection.fault
        answer = None if fault is None else self._acted_out(fault, handler)
        if answer is not None:
            return answer
        if refusal is not None:
            return refusal
        success = handler.succeed(fault)
        return success if isinstance(success, Response) else (yield from success)

    def _acted_out(self, fault: Fault, handler: Handler) -> Response | None:
        """What the fault answers itself, or ``None`` when the ordinary answer follows."""
        if fault.network is None and fault.response is None:
            return None
        handler.exchange.outcome = f"fault: {fault!r}"
        if fault.response is not None:
            return fault.response(handler.error_format)
        raise NetworkFault(fault.network or "", f"{fault!r} of pytest-optum-auth")

    def _wait(
        self, wait: Wait, handler: Handler, injection: Injection | None
    ) -> Generator[Wait, None, None]:
        """Wait, and leave a line in the journal when the client does not wait as long."""
        try:
            yield wait
        except (NetworkFault, GeneratorExit):
            during = "hold()" if injection is None else f"fault: {injection.fault!r}"
            handler.exchange.outcome = f"the client gave up during {during}"
            self._record(handler.exchange, None, handler, injection)
            raise

    def _record(
        self,
        exchange: Exchange,
        answer: Response | ShownAnswer | None,
        handler: Handler | None = None,
        injection: Injection | None = None,
    ) -> None:
        with self.state.lock:
            exchange.end(self.state.local_now(), answer)
            if injection is not None:
                injection.hits += 1
            if handler is not None and handler.seen is not None:
                handler.seen.append(exchange)
            self.state.journal.record(exchange)

    def _plain_http(self, exchange: Exchange) -> NetworkFault:
        exchange.outcome = "refused: plain http"
        message = unexpected.plain_http(exchange.method[:40], exchange.url.partition("?")[0])
        self.state.unexpected(message)
        self._record(exchange, None)
        return NetworkFault("connect", message)

    def _no_api(self, request: Request, host: str, path: str) -> NetworkFault:
        exchange = Exchange("api", request)
        exchange.outcome = f"refused: {host} issues tokens only"
        message = unexpected.no_api(request.method[:40], host, path, self.state.base_url)
        self.state.unexpected(message)
        self._record(exchange, None)
        return NetworkFault("connect", unexpected.in_one_line(message))

    def _unexpected(
        self, request: Request, path: str, allowed: list[str], answers_unexpected: bool
    ) -> Response:
        exchange = Exchange("api", request)
        method = request.method[:40]
        if allowed:
            exchange.outcome = f"refused: protected for {' and '.join(allowed)} only"
            self.state.unexpected(unexpected.other_method(method, path, allowed))
            names = " or ".join(f"'{name}'" for name in allowed)
            answer = error_response(
                self.state.api_error_format,
                405,
                (facts.METHOD_REFUSED.format(method=method, allowed=names),),
                headers=[("Allow", ", ".join(allowed))],
            ).to(request.method, self.state.server_now())
            self._record(exchange, answer)
            return answer
        exchange.outcome = "refused: no protect() covers the path"
        message = unexpected.unprotected(
            method,
            path,
            self.state.routes,
            self.state.addresses.token_paths(host_of(request.url)),
        )
        self.state.unexpected(message)
        message = unexpected.in_one_line(message)
        if answers_unexpected:
            answer = json_response(404, {"message": message})
            answer = answer.to(request.method, self.state.server_now())
            self._record(exchange, answer)
            return answer
        self._record(exchange, None)
        raise NetworkFault("connect", message)
