"""Requests to APIs behind the gateway: a good bearer token first, then whoever answers.

Three answer: a route of ``protect``, a stub that the test wrote for the gateway, and a stub of a
tool that the test has started itself.
"""

from __future__ import annotations

import abc
import contextlib
import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from .asking import Ask, Steps
from .bearer import check_bearer
from .fault import Fault
from .handler import failure, spoiled
from .holds import Hold
from .injection import FaultQueue, Injection
from .journal import Exchange
from .messages import NetworkFault, Request, Response, error_response, host_of, json_response
from .other_tools import HandedOver, OtherTool, PassedThrough
from .routes import ApiRoute
from .state import GatewayState

__tracebackhide__ = True  # in the traceback of a test


class ApiHandler(abc.ABC):
    """What is the same whoever answers."""

    holds: Sequence[Hold] = ()
    _who = "the answer"

    def __init__(
        self, state: GatewayState, request: Request, path_params: dict[str, str] | None = None
    ) -> None:
        self._state = state
        self._request = request
        self._queues: tuple[FaultQueue, ...] = (state.api_faults,)
        self._scope: str | None = None
        self._unauthorized: Any = None
        self.exchange = Exchange("api", request, path_params=path_params)
        self.seen: list[Exchange] | None = None

    @property
    def error_format(self) -> str:
        return self._state.api_error_format

    def alone(self) -> AbstractContextManager[object]:
        # Not the gateway's lock: a callable of the user may make requests of its own.
        return contextlib.nullcontext()

    def check(self) -> Response | None:
        presented = check_bearer(
            self._request, self._state.ledger, self._state.server_now(), self._scope
        )
        self.exchange.token = presented.token
        self.exchange.outcome = presented.outcome
        self.exchange.accepted = presented.status == 200
        if presented.status == 200:
            return None
        headers = [("WWW-Authenticate", presented.challenge)]
        unauthorized = presented.status == 401
        if unauthorized and self._unauthorized is not None:
            return json_response(401, self._unauthorized, headers)
        return error_response(
            self.error_format,
            presented.status,
            (presented.reason,),
            failure_reason="InvalidToken" if unauthorized else "",
            code="invalid_token" if unauthorized else "insufficient_scope",
            headers=headers,
        )

    def claim(self, refused: bool) -> Injection | None:
        # Met by a refused request too, a fault would hide a client that never renews its token.
        claims = (queue.claim(True) for queue in self._queues)
        return None if refused else next(filter(None, claims), None)

    def succeed(self, fault: Fault | None) -> Steps:
        try:
            answer = yield from self._answer(fault)
        except GeneratorExit:
            self._tell(f"the client gave up on {self._who}")
            raise
        return spoiled(answer, fault, self.exchange)

    @abc.abstractmethod
    def _answer(self, fault: Fault | None) -> Steps:
        """The steps to the answer; ``fault`` is still to spoil it."""

    def failed(self, error: BaseException) -> str:
        self._tell(f"raised by {self._who}")
        # Most are raised on purpose, for the client. Over HTTPS it does not learn of them.
        on_purpose = isinstance(error, Exception) and not isinstance(error, AssertionError)
        if on_purpose and self.exchange.transport != "https":
            return ""
        what = f"{self.exchange.request_line}, answered by {self._who}"
        return f"{what}: {type(error).__name__}: {error}"

    def _tell(self, what: str) -> None:
        self.exchange.outcome = ", ".join(filter(None, [self.exchange.outcome, what]))


class RouteHandler(ApiHandler):
    """A route of ``protect`` answers."""

    def __init__(
        self, state: GatewayState, request: Request, route: ApiRoute, path_params: dict[str, str]
    ) -> None:
        super().__init__(state, request, path_params)
        self._route = route
        self._queues = (route.faults, state.api_faults)
        self._scope = route.scope
        self._unauthorized = route.unauthorized
        self.seen = route.seen

    def _answer(self, fault: Fault | None) -> Steps:
        uses_up = fault is None or fault.spoil is None
        return (yield from self._route.script.reply(self.exchange, uses_up=uses_up))

    def failed(self, error: BaseException) -> str:
        return failure(self.exchange, self._route.faults.where, error)


class StubHandler(ApiHandler):
    """A stub that the test wrote for the gateway answers: ``ask`` gives the steps."""

    def __init__(
        self, state: GatewayState, request: Request, stubs: str, ask: Callable[[], Steps]
    ) -> None:
        super().__init__(state, request)
        self._who = stubs
        self._ask = ask

    def _answer(self, fault: Fault | None) -> Steps:
        try:
            answer = yield from self._ask()
        except NetworkFault:
            self._tell(f"raised by {self._who}")
            raise
        self._tell(f"answered by {self._who}")
        return answer


class ToolHandler(ApiHandler):
    """A stub of a tool that the test has started itself answers."""

    def __init__(self, state: GatewayState, request: Request, tool: OtherTool) -> None:
        super().__init__(state, request)
        self._tool = tool
        self._who = tool.name

    def check(self) -> Response | None:
        is_api = self._state.addresses.has_apis(host_of(self._request.url))
        return super().check() if self._state.settings.guard_stubs and is_api else None

    def _answer(self, fault: Fault | None) -> Steps:
        tool = self._tool
        try:
            answer = yield Ask(tool.ask)
        except (PassedThrough, GeneratorExit):
            raise
        except BaseException as error:
            no_stub = tool.has_no_stub(error)
            self._tell(f"no stub of {tool.name} matched" if no_stub else f"raised by {tool.name}")
            raise HandedOver(error=error) from None
        self._tell(f"answered by {tool.name}")
        if fault is None:
            raise HandedOver(answer, tool.shown(answer))
        response: Response = yield Ask(functools.partial(tool.read, answer))
        return response
