"""The gateway: a request goes in, an answer comes out, and both are in the journal.

It opens no socket and does not sleep: where a request has to wait, :meth:`Gateway.respond` yields
the wait and goes on when the transport comes back.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Generator, Iterable
from typing import Final
from urllib.parse import urlsplit

from . import endpoint, facts, strays
from .calls import ApiCall, Call, TokenCall
from .clients import ClientRegistry
from .faults import Fault
from .holds import Hold
from .injection import FaultQueue, Injection
from .journal import Exchange, Journal
from .messages import NetworkFault, Request, Response, error_response, host_of, json_response
from .routes import ApiRoute, RouteTable
from .settings import Settings
from .tokens import Ledger
from .waits import Pause, Wait

__tracebackhide__ = True  # in the traceback of a test

Reply = Generator[Wait, None, Response]
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


class Gateway:
    """The state of one fake gateway, safe to be used from many threads."""

    def __init__(self, settings: Settings, base_url: str, token_paths: Iterable[str]) -> None:
        self.settings = settings
        self.base_url = base_url
        self.hosts = facts.GATEWAY_HOSTS | {host_of(base_url)}
        self.token_paths = {
            **dict.fromkeys((facts.TOKEN_PATH, facts.SHORT_TOKEN_PATH, *token_paths), endpoint.V3),
            facts.V2_TOKEN_PATH: endpoint.V2,
        }
        self.clients = ClientRegistry()
        self.ledger = Ledger()
        self.journal = Journal()
        self.routes = RouteTable()
        self.faults = FaultQueue("the token endpoint")
        self._queues = [self.faults]
        self.holds: list[Hold] = []
        self.not_before = 0
        self._unexpected: list[str] = []
        self._last_parsed: tuple[endpoint.Version, bytes, endpoint.ParsedBody] | None = None
        self.lock: Final = threading.RLock()

    def local_now(self) -> dt.datetime:
        """The time of this machine (aware UTC), as the standard library tells it.

        ``datetime.now`` rather than ``time.time``: freezegun lets the latter through in threads.
        """
        # Plain datetimes: freezegun's own would outlive the freeze.
        return _EPOCH + (dt.datetime.now(dt.timezone.utc) - _EPOCH)

    def server_now(self) -> dt.datetime:
        """The time on the server's clock (aware UTC)."""
        return self.local_now() + dt.timedelta(seconds=self.settings.clock_skew)

    def parse(self, version: endpoint.Version, body: bytes) -> endpoint.ParsedBody:
        """The fields of a token request; most clients send the same body again and again."""
        last = self._last_parsed
        if last is None or last[0] is not version or last[1] != body:
            last = self._last_parsed = (version, body, version.parse(body))
        return last[2]

    def add_route(self, route: ApiRoute) -> None:
        """Answer at another path; the earlier route of the same method and path is replaced."""
        with self.lock:
            self.routes.add(route)
            self._queues.append(route.faults)

    def unexpected(self, message: str) -> None:
        """Remember what the end of the test must complain of."""
        with self.lock:
            self._unexpected.append(message)

    def problems(self) -> str:
        """Unmet faults and unexpected requests that nobody was told of yet; ``""``: none."""
        with self.lock:
            unmet = [i for queue in self._queues for i in queue.injections if i.unmet]
            if not unmet and not self._unexpected:
                return ""
            messages = Counter([*map(_explain_unmet, unmet), *self._unexpected])
            for injection in unmet:
                injection.reported = True
            self._unexpected.clear()
        return "\n".join(
            message if count == 1 else f"{count} times: {message}"
            for message, count in messages.items()
        )

    def respond(self, request: Request, *, answers_strays: bool = False) -> Reply:
        """Answer a request: yields what to wait for, returns the response.

        Raises :class:`NetworkFault` where no HTTP answer comes. A transport whose client gives up
        throws one in. ``answers_strays``: a path that nobody protects gets a 404 instead of a
        refused connection, for a transport on which the request has arrived already.
        """
        parts = urlsplit(request.url)
        version = self.token_paths.get(parts.path)
        if parts.scheme != "https":
            raise self._plain_http(Exchange("api" if version is None else "token", request))
        if version is not None:
            response = yield from self._serve(TokenCall(self, request, version))
        else:
            route, path_params, allowed = self.routes.find(request.method, parts.path)
            if route is not None:
                response = yield from self._serve(ApiCall(self, request, route, path_params))
            else:
                response = self._stray(request, parts.path, allowed, answers_strays)
        return response.to(request.method)

    def _serve(self, call: Call) -> Reply:
        call.exchange.at = self.local_now()
        if isinstance(call, TokenCall):
            for hold in list(self.holds):
                if not hold.released:
                    yield from self._wait(hold, call, None)
        with self.lock:
            refusal = call.check()
            injection = call.faults.claim(refusal is None)
        if injection is not None and injection.fault.wait:
            yield from self._wait(Pause(injection.fault.wait), call, injection)
            with self.lock:
                refusal = call.check()
                if refusal is not None and injection.fault.spoil is not None:
                    # It would have succeeded before the wait: the fault waits for another.
                    injection.claimed -= 1
                    injection = None
        with call.alone():
            try:
                response = self._answer(call, refusal, injection)
            except NetworkFault:
                self._record(call.exchange, None, call, injection)
                raise
            except Exception as error:
                call.exchange.outcome = f"{type(error).__name__} while the answer was made"
                self._record(call.exchange, None, call, injection)
                self.unexpected(f"{call.faults.where}: {type(error).__name__}: {error}")
                raise
            self._record(call.exchange, response.status, call, injection)
        return response

    def _answer(
        self, call: Call, refusal: Response | None, injection: Injection | None
    ) -> Response:
        fault = None if injection is None else injection.fault
        answer = None if fault is None else self._acted_out(fault, call)
        if answer is not None:
            return answer
        return call.succeed(fault) if refusal is None else refusal

    def _acted_out(self, fault: Fault, call: Call) -> Response | None:
        """What the fault answers itself, or ``None`` when the ordinary answer follows."""
        if fault.network is None and fault.response is None:
            return None
        call.exchange.outcome = f"fault: {fault!r}"
        if fault.response is not None:
            return fault.response(call.error_format)
        raise NetworkFault(fault.network or "", f"{fault!r} of pytest-optum-auth")

    def _wait(
        self, wait: Wait, call: Call, injection: Injection | None
    ) -> Generator[Wait, None, None]:
        """Wait, and leave a line in the journal when the client does not wait as long."""
        try:
            yield wait
        except (NetworkFault, GeneratorExit):
            during = "hold()" if injection is None else f"fault: {injection.fault!r}"
            call.exchange.outcome = f"the client gave up during {during}"
            self._record(call.exchange, None, call, injection)
            raise

    def _record(
        self,
        exchange: Exchange,
        status: int | None,
        call: Call | None = None,
        injection: Injection | None = None,
    ) -> None:
        with self.lock:
            exchange.at = self.local_now()
            exchange.status = status
            if injection is not None:
                injection.hits += 1
            if call is not None and call.seen is not None:
                call.seen.append(exchange)
            self.journal.record(exchange)

    def _plain_http(self, exchange: Exchange) -> NetworkFault:
        exchange.outcome = "refused: plain http"
        message = strays.plain_http(exchange.method[:40], exchange.url.partition("?")[0])
        self.unexpected(message)
        self._record(exchange, None)
        return NetworkFault("connect", message)

    def _stray(
        self, request: Request, path: str, allowed: list[str], answers_strays: bool
    ) -> Response:
        exchange = Exchange("api", request)
        method = request.method[:40]
        if allowed:
            exchange.outcome = f"refused: protected for {' and '.join(allowed)} only"
            self.unexpected(strays.other_method(method, path, allowed))
            self._record(exchange, 405)
            names = " or ".join(f"'{name}'" for name in allowed)
            return error_response(
                self.settings.error_format,
                405,
                (facts.METHOD_REFUSED.format(method=method, allowed=names),),
                headers=[("Allow", ", ".join(allowed))],
            )
        exchange.outcome = "refused: no protect() covers the path"
        message = strays.unprotected(method, path, self.routes, self.token_paths)
        self.unexpected(message)
        self._record(exchange, 404 if answers_strays else None)
        message = strays.in_one_line(message)
        if answers_strays:
            return json_response(404, {"message": message})
        raise NetworkFault("connect", message)


def _explain_unmet(injection: Injection) -> str:
    return (
        f"{injection.fault!r} on {injection.where} was injected {injection.times}x and met "
        f"{injection.hits}x: the test does not test it"
    )
