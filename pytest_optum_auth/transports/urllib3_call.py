"""What requests asks of a connection pool of urllib3, answered by the gateway."""

from __future__ import annotations

import http.client
import io
from collections.abc import Iterable
from typing import Any, NamedTuple

import requests
import urllib3
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

from ..core.gateway import Gateway
from ..core.messages import Headers, NetworkFault, Request, Response
from ..stubs.foreign import Passage
from .drive import drive
from .urllib3_response import Urllib3Response

__tracebackhide__ = True  # in the traceback of a test


class RaisedByStub(BaseException):
    """What a stub, or what else the test answers with, has raised, on its way to the client.

    No ``Exception``: of those of requests, and of any ``OSError``, the adapter makes others on that
    way.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Asked(NamedTuple):
    """What the gateway has said: an answer, or what came in its place; and who stood in the way."""

    outcome: Response | Exception
    passage: Passage | None


class Call:
    """A call of a pool's ``urlopen``, answered by the gateway as often as ``Retry`` wants.

    ``outcome``: of the first try, when the gateway has been asked already.
    """

    def __init__(
        self,
        gateway: Gateway,
        passage: Passage | None,
        outcome: Response | Exception | None,
        pool: HTTPConnectionPool,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        retries: Any = None,
        redirect: bool = True,
        assert_same_host: bool = True,
        timeout: Any = None,
        decode_content: bool = True,
        **_: Any,
    ) -> None:
        self._gateway = gateway
        self._passage = passage
        self._outcome = outcome
        self._pool = pool
        self._method = method
        self._url = url
        self._decode_content = decode_content
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
                        raise RaisedByStub(fault.original) from None
                    raise
                self._retries.sleep()
                continue
            except Exception as error:
                raise RaisedByStub(error) from None
            response = Urllib3Response(
                answer, self._method, self._url, self._retries, decode_content=self._decode_content
            )
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
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, Response):
            return outcome
        if outcome is not None:
            raise outcome
        return drive(self._gateway.respond(self._request, self._passage), self._request.timeout)

    def _increment(self, **outcome: Any) -> Retry:
        return self._retries.increment(self._method, self._url, _pool=self._pool, **outcome)

    def _error(self, fault: NetworkFault) -> HTTPError:
        """As urllib3 tells it."""
        if fault.kind == "connect":
            # Typed for a connection, of which it shows no more than that of a pool.
            return NewConnectionError(self._pool, fault.message)  # type: ignore[arg-type]
        if fault.kind == "connect timeout":
            return ConnectTimeoutError(self._pool, fault.message)
        if fault.kind == "timeout":
            return ReadTimeoutError(self._pool, self._url, fault.message)
        return ProtocolError("Connection aborted.", http.client.RemoteDisconnected(fault.message))


def _request(
    pool: HTTPConnectionPool, method: str, url: str, fields: Any, body: bytes, timeout: float | None
) -> Request:
    usual = pool.port in (None, 443 if pool.scheme == "https" else 80)
    host = pool.host if usual else f"{pool.host}:{pool.port}"
    # A plain request under HTTP_PROXY names its absolute URL.
    url = url if url.startswith("http") else f"{pool.scheme}://{host}{url}"
    return Request("requests", method, url, header_fields(fields, host), body, timeout)


def header_fields(fields: Iterable[tuple[str | bytes, str | bytes]], host: str) -> Headers:
    """``fields`` as they are sent to ``host``, which is among them."""
    headers = [(_text(name), _text(value)) for name, value in fields]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", host))
    return Headers(headers)


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
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not value.isascii():
        # What http.client does, and raises where it cannot.
        value.encode("latin-1")
    return value
