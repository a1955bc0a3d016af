"""requests: the genuine adapter sends, and its connection pool ends at the gateway.

So retries, backoff, timeouts, exceptions, hooks, redirects and cookies are those of requests and
urllib3 themselves, and the adapters that a user has mounted do their work, with pools of their own.
"""

from __future__ import annotations

import contextvars
import functools
import http.client
import io
import sys
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.util import Retry, Timeout

from ..core.active import gateway_at, gateway_for
from ..core.gateway import Gateway
from ..core.messages import Headers, NetworkFault, Request, Response
from ..core.other_tools import ShownAnswer
from ..patching import Interception, Method
from ..stubs.foreign import REQUESTS_MOCK, Library, passage_of, past, tool_of
from .drive import drive
from .urllib3_response import urllib3_response

__tracebackhide__ = True  # in the traceback of a test

# What requests is sending: urllib3 alone is no transport.
_sending: Final = contextvars.ContextVar[Any]("_sending", default=None)


class _Own(BaseException):
    """An exception of requests itself that a stub has raised, on its way past what makes others."""

    def __init__(self, error: requests.RequestException) -> None:
        super().__init__()
        self.error = error


class _Call:
    """A call of a pool's ``urlopen``, answered by the gateway as often as ``Retry`` wants."""

    def __init__(
        self, gateway: Gateway, pool: HTTPConnectionPool, method: str, url: str, body: Any = None,
        headers: Any = None, retries: Any = None, redirect: bool = True,
        assert_same_host: bool = True, timeout: Any = None, **_: Any,
    ) -> None:  # fmt: skip
        self._gateway = gateway
        self._passage = passage_of(_sending.get())
        self._pool = pool
        self._method = method
        self._url = url
        fields = (headers or {}).items()
        timeout = timeout if isinstance(timeout, Timeout) else Timeout.from_float(timeout)
        content, again = _body(body)
        if self._passage is not None:
            self._passage.request.body = again
        self._request = _request(pool, method, url, fields, content, _seconds(timeout))
        self._retries: Retry = Retry.from_int(retries, redirect=redirect, default=pool.retries)

    def answer(self) -> urllib3.BaseHTTPResponse:
        """The response, or what urllib3 raises for a connection that fails."""
        while True:
            try:
                answer = self._ask()
            except NetworkFault as fault:
                try:
                    self._retries = self._increment(error=self._error(fault))
                except HTTPError:
                    if isinstance(fault.original, requests.RequestException):
                        raise _Own(fault.original) from None
                    raise
                self._retries.sleep()
                continue
            response = urllib3_response(answer, self._method)
            if not self._retries.is_retry(
                self._method, response.status, "Retry-After" in response.headers
            ):
                return response
            try:
                self._retries = self._increment(response=response)
            except MaxRetryError:
                if self._retries.raise_on_status:
                    raise
                return response
            self._retries.sleep(response)

    def _ask(self) -> Response:
        return drive(self._gateway.respond(self._request, self._passage), self._request.timeout)

    def _increment(self, **outcome: Any) -> Retry:
        return self._retries.increment(self._method, self._url, _pool=self._pool, **outcome)

    def _error(self, fault: NetworkFault) -> HTTPError:
        """As urllib3 tells it."""
        if fault.kind == "connect":
            return NewConnectionError(self._pool, fault.message)  # type: ignore[arg-type]
        if fault.kind == "connect timeout":
            return ConnectTimeoutError(self._pool, fault.message)
        if fault.kind == "timeout":
            return ReadTimeoutError(self._pool, self._url, fault.message)
        return ProtocolError("Connection aborted.", http.client.RemoteDisconnected(fault.message))


def _request(
    pool: HTTPConnectionPool, method: str, url: str, fields: Any, body: bytes, timeout: float | None
) -> Request:
    headers = [(_text(name), _text(value)) for name, value in fields]
    usual = pool.port in (None, 443 if pool.scheme == "https" else 80)
    host = pool.host if usual else f"{pool.host}:{pool.port}"
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", host))
    # A plain request under HTTP_PROXY names its absolute URL.
    url = url if url.startswith("http") else f"{pool.scheme}://{host}{url}"
    return Request("requests", method, url, Headers(headers), body, timeout)


def _seconds(timeout: Timeout) -> float | None:
    """How long the client waits for an answer; ``None``: for ever."""
    if isinstance(timeout.total, (int, float)):
        # Counted from the connection on.
        timeout = timeout.clone()
        timeout.start_connect()
    seconds = timeout.read_timeout
    return seconds if isinstance(seconds, (int, float)) else None


def _body(body: Any) -> tuple[bytes, Any]:
    """The bytes of what urllib3 accepts as a body, and the body for who reads it after us."""
    if body is None:
        return b"", None
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        return _bytes(body), body
    if hasattr(body, "read"):
        content = _bytes(body.read())
        return content, io.BytesIO(content)
    content = b"".join(map(_bytes, body))
    return content, iter([content])


def _bytes(data: str | bytes | bytearray | memoryview) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _by_requests(send: Method, sender: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    """``send()``, whose connections to a gateway are ours."""
    token = _sending.set(request)
    try:
        return send(sender, request, *args, **kwargs)
    except _Own as own:
        raised = own.error
    finally:
        _sending.reset(token)
    raised.request = raised.request or request
    raise raised


def _send(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
    """The genuine method, to a gateway."""
    return _by_requests(_adapter_send.genuine, adapter, request, *args, **kwargs)


def _around_send(beneath: Method) -> Method:
    tool = tool_of(beneath)

    def send(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        _session_send.rise()
        _urlopen.rise()
        if gateway_for(request.url) is None:
            return beneath(adapter, request, *args, **kwargs)
        if tool is None:
            return _send(adapter, request, *args, **kwargs)
        stubbed, onward = (
            functools.partial(method, adapter, request, *args, **kwargs)
            for method in (beneath, _send)
        )
        return past(tool, request, stubbed, onward, _LIBRARY)

    return send


def _around_urlopen(beneath: Method) -> Method:
    def urlopen(pool: HTTPConnectionPool, *args: Any, **kwargs: Any) -> Any:
        gateway = _gateway_of(pool, *args, **kwargs) if _sending.get() is not None else None
        if gateway is None:
            return beneath(pool, *args, **kwargs)
        return _Call(gateway, pool, *args, **kwargs).answer()

    return urlopen


def _gateway_of(
    pool: HTTPConnectionPool, method: str, url: str, *_: Any, **__: Any
) -> Gateway | None:
    # A plain request under HTTP_PROXY is one to the proxy's pool.
    return gateway_for(url) if url.startswith("http") else gateway_at(pool.host.lower())


def _around_session_send(beneath: Method) -> Method:
    tool = tool_of(beneath)

    def send(session: requests.Session, request: Any, **kwargs: Any) -> Any:
        _adapter_send.rise()
        _urlopen.rise()
        if REQUESTS_MOCK in sys.modules:
            for interception in _requests_mock():
                interception.install()
        if tool is None or gateway_for(request.url) is None:
            # An adapter of the user's own may call `HTTPAdapter.send(self, request)`.
            return _by_requests(beneath, session, request, **kwargs)
        onward = functools.partial(_by_requests, _session_send.genuine, session, request, **kwargs)
        stubbed = functools.partial(beneath, session, request, **kwargs)
        return past(tool, request, stubbed, onward, _LIBRARY)

    return send


def _around_mock_send(beneath: Method) -> Method:
    def send(adapter: Any, request: Any, **kwargs: Any) -> Any:
        if gateway_for(request.url) is None:
            return beneath(adapter, request, **kwargs)
        # requests-mock has replaced the adapter that the user mounted, and does not tell which.
        onward = functools.partial(_send, HTTPAdapter(), request, **kwargs)
        stubbed = functools.partial(beneath, adapter, request, **kwargs)
        return past(REQUESTS_MOCK, request, stubbed, onward, _LIBRARY)

    return send


def _around_start_or_stop(beneath: Method) -> Method:
    def start_or_stop(mocker: Any) -> Any:
        result = beneath(mocker)
        # It keeps a lock while it sends: what the gateway answers must not wait for that.
        _session_send.rise()
        return result

    return start_or_stop


@functools.cache
def _requests_mock() -> tuple[Interception, ...]:
    """Where requests-mock stands above the adapters, once it is loaded."""
    from requests_mock.adapter import Adapter
    from requests_mock.mocker import MockerCore

    return (
        Interception(Adapter, "send", _around_mock_send),
        Interception(MockerCore, "start", _around_start_or_stop),
        Interception(MockerCore, "stop", _around_start_or_stop),
    )


def _shown(answer: requests.Response) -> ShownAnswer:
    """For the journal; of an answer that was redirected the first one."""
    first = answer.history[0] if answer.history else answer
    return ShownAnswer(first.status_code, first.headers.items(), functools.partial(_content, first))


def _content(answer: requests.Response) -> bytes:
    try:
        return answer.content or b""
    except RuntimeError:  # taken from the stream
        return b""


def _read(answer: requests.Response) -> Response:
    return Response(answer.status_code, tuple(answer.headers.items()), answer.content)


_LIBRARY: Final = Library(_shown, _read)
_adapter_send: Final = Interception(HTTPAdapter, "send", _around_send, comes_back=True)
_urlopen: Final = Interception(HTTPConnectionPool, "urlopen", _around_urlopen)
_session_send: Final = Interception(requests.Session, "send", _around_session_send, comes_back=True)


def _interceptions() -> list[Interception]:
    others = _requests_mock() if REQUESTS_MOCK in sys.modules else ()
    return [_urlopen, _adapter_send, _session_send, *others]


def install() -> None:
    """Requests of every ``requests.Session`` to a gateway host end at the gateway."""
    for interception in _interceptions():
        interception.install()


def remove() -> None:
    """Undo :func:`install`."""
    for interception in _interceptions():
        interception.remove()
