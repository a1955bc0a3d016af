"""requests: the genuine adapter runs over a connection pool that ends at the gateway.

So retries, backoff, timeouts, exceptions, hooks, redirects and cookies are those of requests and
urllib3 themselves, and the adapters that a user has mounted do their work.
"""

from __future__ import annotations

import functools
import http.client
import sys
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

# Not from urllib3.connection: there a cassette of vcrpy puts a class of its own.
from urllib3.connectionpool import HTTPSConnection  # type: ignore[attr-defined]
from urllib3.exceptions import NewConnectionError
from urllib3.util import Retry, Timeout

from ..core.active import gateway_for
from ..core.gateway import Gateway
from ..core.messages import Headers, NetworkFault, Request, Response
from ..patching import Interception, Method
from .drive import drive
from .urllib3_response import urllib3_response

__tracebackhide__ = True  # in the traceback of a test

# The genuine method: other mocks replace it on the class.
_SEND: Final = HTTPAdapter.send


class _Pool:
    """What the adapter takes for a connection pool; its other end is a :class:`Gateway`.

    Most answers are handed on as they are. Where urllib3 has work to do (an answer that the user's
    ``Retry`` wants again, a connection that fails), a genuine pool does it, and begins with what
    the gateway has answered already.
    """

    def __init__(self, gateway: Gateway, url: str) -> None:
        parts = urlsplit(url)
        self._gateway = gateway
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def urlopen(
        self, method: str, url: str, *, body: Any, headers: Any, retries: Retry, timeout: Timeout,
        **options: Any,
    ) -> urllib3.BaseHTTPResponse:  # fmt: skip
        timeout = timeout.clone()
        timeout.start_connect()
        request = self._request(method, url, body, headers, timeout.read_timeout)
        outcome = self._ask(request)
        if isinstance(outcome, Response):
            retry_after = any(name.lower() == "retry-after" for name, _ in outcome.headers)
            if not retries.is_retry(method, outcome.status, retry_after):
                return urllib3_response(outcome, method)
        pool = urllib3.HTTPSConnectionPool(self._host, self._port)
        # A class: vcrpy asks whether the pool's connections are of it.
        pool.ConnectionCls = type(
            "_Connection", (_Connection,), {"pool": self, "outcomes": [outcome]}
        )
        # A body that is a file or an iterable has been read.
        return pool.urlopen(method, url, request.body, headers, retries, timeout=timeout, **options)

    def answer(self, method: str, url: str, body: Any, headers: Any, timeout: Any) -> Response:
        """The gateway's answer to another try."""
        outcome = self._ask(self._request(method, url, body, headers, timeout))
        if isinstance(outcome, NetworkFault):
            raise outcome
        return outcome

    def _ask(self, request: Request) -> Response | NetworkFault:
        try:
            return drive(self._gateway.respond(request), request.timeout)
        except NetworkFault as fault:
            return fault

    def _request(self, method: str, url: str, body: Any, headers: Any, timeout: Any) -> Request:
        # requests' own headers look each name up once more in items().
        items = getattr(headers, "lower_items", headers.items)
        fields = [(_text(name), _text(value)) for name, value in items()]
        if "Host" not in headers:
            fields.insert(0, ("Host", self._origin.partition("://")[2]))
        # A plain request under HTTP_PROXY names its absolute URL.
        url = url if url.startswith("http") else f"{self._origin}{url}"
        seconds = timeout if isinstance(timeout, (int, float)) else None
        return Request("requests", method, url, Headers(fields), _read(body), seconds)


class _Connection(HTTPSConnection):
    """A connection of a genuine urllib3 pool, of a subclass that each pool has for itself."""

    pool: _Pool
    # Those that it need not ask for.
    outcomes: list[Response | NetworkFault]
    # As after a handshake, or urllib3 warns of an unverified request.
    is_verified = True

    def connect(self) -> None:
        """The gateway is there."""

    @property
    def is_closed(self) -> bool:
        return False

    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any
    ) -> None:
        self._asked = (method, url, body, headers)

    # As in urllib3 itself: http.client, from which both inherit, has a response class of its own.
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        try:
            outcome = self.outcomes.pop() if self.outcomes else None
            if isinstance(outcome, NetworkFault):
                raise outcome
            answer = outcome or self.pool.answer(*self._asked, self.timeout)
        except NetworkFault as fault:
            if fault.kind == "connect":
                raise NewConnectionError(self, fault.message) from None
            if fault.kind == "timeout":
                raise TimeoutError(fault.message) from None
            raise http.client.RemoteDisconnected(fault.message) from None
        return urllib3_response(answer, self._asked[0])


def _read(body: Any) -> bytes:
    """The bytes of what urllib3 accepts as a body: also a file, also an iterable."""
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        return _bytes(body)
    return b"".join(map(_bytes, body))


def _bytes(data: str | bytes | bytearray | memoryview) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _around_send(beneath: Method) -> Method:
    def send(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        ours = gateway_for(request.url) is not None
        return (_SEND if ours else beneath)(adapter, request, *args, **kwargs)

    return send


def _around_get_connection(beneath: Method) -> Method:
    def get_connection(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Before requests 2.32 it was handed the URL alone.
        url = getattr(request, "url", request)
        gateway = gateway_for(url)
        if gateway is None:
            return beneath(adapter, request, *args, **kwargs)
        return _Pool(gateway, url)

    return get_connection


def _around_session_send(beneath: Method) -> Method:
    def send(session: requests.Session, request: Any, **kwargs: Any) -> Any:
        _adapter_send.rise()
        if "requests_mock" in sys.modules:
            _requests_mock_adapter().install()
        return beneath(session, request, **kwargs)

    return send


def _around_mock_send(beneath: Method) -> Method:
    def send(adapter: Any, request: Any, **kwargs: Any) -> Any:
        # requests-mock has replaced the adapter that the user mounted, and does not tell which.
        ours = gateway_for(request.url) is not None
        return (
            _SEND(HTTPAdapter(), request, **kwargs) if ours else beneath(adapter, request, **kwargs)
        )

    return send


@functools.cache
def _requests_mock_adapter() -> Interception:
    """requests-mock stands above the adapter: it is asked in its own adapter, once loaded."""
    from requests_mock.adapter import Adapter

    return Interception(Adapter, "send", _around_mock_send)


_adapter_send: Final = Interception(HTTPAdapter, "send", _around_send)
_connection: Final = Interception(
    HTTPAdapter,
    "get_connection_with_tls_context"
    if hasattr(HTTPAdapter, "get_connection_with_tls_context")
    else "get_connection",
    _around_get_connection,
)
_session_send: Final = Interception(requests.Session, "send", _around_session_send)


def _interceptions() -> list[Interception]:
    others = [_requests_mock_adapter()] if "requests_mock" in sys.modules else []
    return [_connection, _adapter_send, _session_send, *others]


def install() -> None:
    """Requests of every ``requests.Session`` to a gateway host end at the gateway."""
    for interception in _interceptions():
        interception.install()


def remove() -> None:
    """Undo :func:`install`."""
    for interception in _interceptions():
        interception.remove()
