"""The gateway: a request goes in, an answer comes out, and both are in the journal.

It opens no socket and does not sleep: where a request has to wait, :meth:`Gateway.respond` yields
the wait and goes on when the transport comes back.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from urllib.parse import urlsplit

from . import facts, unexpected
from .answerers import Mismatch, Unanswered
from .api_handlers import ApiHandler, RouteHandler, StubHandler, ToolHandler
from .asking import Steps
from .fault import Fault
from .handlers import Handler, TokenHandler
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


class ForkedProcess(RuntimeError):
    """A request in a process that was forked while the fake was active."""


class Gateway:
    """Answers requests by what ``state`` knows, and records them there."""

    def __init__(self, state: GatewayState) -> None:
        self.state = state
        self.answers_here()

    def answers_here(self) -> None:
        """Answer in this process: in one that is forked from it nobody would see what happened."""
        self._process = os.getpid()

    def respond(
        self,
        request: Request,
        tool: OtherTool | None = None,
        *,
        answers_unexpected: bool = False,
    ) -> Steps:
        """Answer a request: yields what to wait for and whom to ask, returns the response.

        ``tool`` is asked where nobody here answers; :class:`HandedOver` is raised with what it
        says. Raises :class:`NetworkFault` where no HTTP answer comes. A transport whose client
        gives up throws one in. ``answers_unexpected``: a path that nobody protects gets a 404
        instead of a refused connection, for a transport on which the request has arrived already.
        """
        if os.getpid() != self._process:
            raise ForkedProcess(unexpected.FORKED)
        parts = urlsplit(request.url)
        host = host_of(request.url)
        version = self.state.addresses.version_at(host, parts.path)
        if parts.scheme != "https":
            raise self._plain_http(Exchange("api" if version is None else "token", request))
        if version is not None:
            token_handler = TokenHandler(self.state, request, version)
            return (yield from self._serve(token_handler, answers_unexpected))
        path, allowed, has_apis = parts.path, list[str](), self.state.addresses.has_apis(host)
        mismatches: list[Mismatch] = []
        handler: ApiHandler | None = None
        for path in self.state.addresses.paths(host, parts.path) if has_apis else ():
            route, path_params, methods = self.state.routes.find(request.method, path)
            if route is not None:
                handler = RouteHandler(self.state, request, route, path_params)
                break
            allowed = allowed or methods
        if handler is None and has_apis and self.state.stubs:
            handler = self._find_stub(request, mismatches)
        if handler is None and tool is not None and not allowed:
            handler = ToolHandler(self.state, request, tool)
        if handler is not None:
            try:
                return (yield from self._serve(handler, answers_unexpected))
            except PassedThrough:
                pass
            except Unanswered as unanswered:
                mismatches.append(unanswered.mismatch)
        if not has_apis:
            raise self._no_api(request, host, path)
        if allowed:
            return self._other_method(request, path, allowed)
        return self._unexpected(request, path, mismatches, answers_unexpected)

    def _find_stub(self, request: Request, mismatches: list[Mismatch]) -> StubHandler | None:
        addressed = self.state.as_addressed(request)
        for stubs in self.state.stubs:
            try:
                found = stubs.find(addressed)
            except BaseException as error:
                # Of a matcher that the test wrote.
                exchange = Exchange("api", request)
                exchange.outcome = f"{type(error).__name__} in a matcher of {stubs.name}"
                self._record(exchange, None)
                raise
            if not isinstance(found, Mismatch):
                return StubHandler(self.state, request, stubs.name, found)
            if found.reasons:
                mismatches.append(found)
        return None

    def _serve(self, handler: Handler, arrived: bool) -> Steps:
        handler.exchange.at = self.state.local_now()
        if isinstance(handler, TokenHandler):
            # Those that are released have left the list, and one that is just now lets through.
            for hold in list(self.state.holds):
                yield from self._wait(hold, handler, None)
        with self.state.lock:
            refusal = handler.check()
            injection = handler.claim(refusal is not None)
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
            except (PassedThrough, Unanswered):
                raise
            except HandedOver as over:
                self._record(handler.exchange, over.shown, handler, injection)
                raise
            except (NetworkFault, GeneratorExit):
                self._record(handler.exchange, None, handler, injection)
                raise
            except BaseException as error:
                problem = handler.failed(error)
                self._record(handler.exchange, None, handler, injection)
                if problem:
                    self.state.unexpected(problem, error)
                raise
            answer = answer.to(handler.exchange.method, self.state.server_now())
            self._record(handler.exchange, answer, handler, injection)
        if answer.status < 200 and not arrived:
            # RFC 9110 section 15.2: the client goes on waiting for the answer, which never comes.
            raise NetworkFault("disconnect", f"the connection ended after {answer.status}")
        return answer

    def _answer(
        self, handler: Handler, refusal: Response | None, injection: Injection | None
    ) -> Steps:
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
        exchange = handler.exchange
        knows_no_end = exchange.timeout is None and exchange.transport != "https"
        if fault.network == "timeout" and knows_no_end:
            self.state.unexpected(unexpected.waits_for_ever(exchange.request_line, fault))
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

    def _other_method(self, request: Request, path: str, allowed: list[str]) -> Response:
        exchange = Exchange("api", request)
        method = request.method[:40]
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

    def _unexpected(
        self, request: Request, path: str, mismatches: list[Mismatch], answers_unexpected: bool
    ) -> Response:
        exchange = Exchange("api", request)
        nobody = f"no {self.state.protected_by.name} covers the path" + (
            " and no stub matches" if mismatches else ""
        )
        exchange.outcome = f"refused: {nobody}"
        message = unexpected.unprotected(
            request.method[:40],
            path,
            self.state.routes,
            self.state.addresses.token_paths(host_of(request.url)),
            mismatches,
            request.authorization[1],
            answered=answers_unexpected,
            by=self.state.protected_by,
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
