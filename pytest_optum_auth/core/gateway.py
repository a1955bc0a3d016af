"""The gateway: a request goes in, an answer comes out, and both are in the journal.

It opens no socket and does not sleep: where a request has to wait, :meth:`Gateway.respond` yields
the wait and goes on when the transport comes back.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from urllib.parse import urlsplit

from . import unexpected
from .answerers import Mismatch, Unanswered
from .api_handlers import ApiHandler, RouteHandler, StubHandler, ToolHandler
from .asking import Steps
from .fault import Fault
from .handler import Handler
from .injection import Injection
from .journal import Exchange
from .messages import NetworkFault, Request, Response, host_of
from .other_tools import HandedOver, OtherTool, PassedThrough, ShownAnswer
from .state import GatewayState
from .token_handler import TokenHandler
from .unexpected import Unexpected
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
        self, request: Request, tool: OtherTool | None = None, *, arrived: bool = False
    ) -> Steps:
        """The way to the answer: yields what to wait for and whom to ask, returns the response.

        ``tool`` is asked where nobody here answers; :class:`HandedOver` is raised with what it
        says. Raises :class:`NetworkFault` where no HTTP answer comes. A transport whose client
        gives up throws one in. ``arrived``: the transport has a connection to the client, and a
        path that nobody protects gets a 404 instead of a refused connection.
        """
        if os.getpid() != self._process:
            raise ForkedProcess(unexpected.FORKED)
        addresses = self.state.addresses
        parts = urlsplit(request.url)
        host = host_of(request.url)
        version = addresses.version_at(host, parts.path)
        if parts.scheme != "https":
            exchange = Exchange("api" if version is None else "token", request)
            raise self._refused(exchange, unexpected.plain_http(request))
        if version is not None:
            return self._serve(TokenHandler(self.state, request, version), arrived)
        paths = addresses.paths(host, parts.path)
        allowed: list[str] = []
        for path in paths if addresses.has_apis(host) else ():
            route, path_params, methods = self.state.routes.find(request.method, path)
            if route is not None:
                return self._serve(RouteHandler(self.state, request, route, path_params), arrived)
            allowed = allowed or methods
        return self._without_route(request, host, paths[-1], allowed, tool, arrived)

    def _without_route(
        self,
        request: Request,
        host: str,
        path: str,
        allowed: list[str],
        tool: OtherTool | None,
        arrived: bool,
    ) -> Steps:
        """To an API without a route of that method: a stub answers, or nobody does.

        ``allowed``: the methods for which its ``path`` has routes.
        """
        mismatches: list[Mismatch] = []
        handler: ApiHandler | None = None
        if self.state.stubs and self.state.addresses.has_apis(host):
            handler = self._find_stub(request, mismatches)
        if handler is None and tool is not None and not allowed:
            handler = ToolHandler(self.state, request, tool)
        if handler is not None:
            try:
                return (yield from self._serve(handler, arrived))
            except PassedThrough:
                pass
            except Unanswered as unanswered:
                mismatches.append(unanswered.mismatch)
        why = self._why_refused(request, host, path, allowed, mismatches, arrived)
        answer = why.answer and why.answer.to(request.method, self.state.server_now())
        fault = self._refused(Exchange("api", request), why, answer)
        if answer is None:
            raise fault
        return answer

    def _why_refused(
        self,
        request: Request,
        host: str,
        path: str,
        allowed: list[str],
        mismatches: list[Mismatch],
        arrived: bool,
    ) -> Unexpected:
        state = self.state
        if not state.addresses.has_apis(host):
            return unexpected.no_api(request, host, path, state.base_url)
        if allowed:
            return unexpected.other_method(request, path, allowed, state.api_error_format)
        return unexpected.unprotected(
            request,
            path,
            state.routes,
            state.addresses.token_paths(host),
            mismatches,
            arrived=arrived,
            by=state.protected_by,
        )

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
        """What is the same whoever handles it: holds, the check, faults and waits, the journal."""
        handler.exchange.at = self.state.local_now()
        # Those that are released have left the list, and one that is just now lets through.
        for hold in tuple(handler.holds):
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

    def _refused(
        self, exchange: Exchange, why: Unexpected, answer: Response | None = None
    ) -> NetworkFault:
        """What a client meets that gets no ``answer``. The test is told at its end."""
        exchange.outcome = f"refused: {why.outcome}"
        self.state.unexpected(why.message)
        self._record(exchange, answer)
        return NetworkFault("connect", unexpected.in_one_line(why.message))
