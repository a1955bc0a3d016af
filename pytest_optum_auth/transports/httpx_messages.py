"""Requests, answers and exceptions of httpx and httpx2, from and to the core's."""

from __future__ import annotations

import http.client
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

from ..core.http11 import received
from ..core.messages import Headers, NetworkFault, Request, Response

__tracebackhide__ = True  # in the traceback of a test


class HttpxMessages:
    """Those of one of the two libraries."""

    def __init__(self, library: ModuleType) -> None:
        self._library = library
        self.name = library.__name__
        self._exceptions = {
            "connect": library.ConnectError,
            "connect timeout": library.ConnectTimeout,
            "timeout": library.ReadTimeout,
            "disconnect": library.RemoteProtocolError,
        }
        self._cut_stream = _kind_of_cut_stream(library)

    def incoming(self, request: Any, body: bytes) -> Request:
        """A request of the library, whose body has been read, as ours."""
        return Request(
            self.name,
            request.method,
            _as_sent(request.url),
            Headers(_fields(request.headers)),
            body,
            request.extensions.get("timeout", {}).get("read"),
        )

    def from_core(self, request: Any) -> Any:
        """A request of the library that its transport has handed to httpcore."""
        url = request.url
        port = "" if url.port is None else f":{url.port}"
        origin = f"{url.scheme.decode('ascii')}://{url.host.decode('ascii')}{port}"
        return self._library.Request(
            request.method.decode("ascii"),
            f"{origin}{url.target.decode('ascii')}",
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )

    def answer_of_core(self, answer: Any, body: bytes, request: Any) -> Any:
        """An answer of httpcore, whose body has been read, as the library's."""
        return self._library.Response(
            answer.status,
            headers=answer.headers,
            stream=self._library.ByteStream(body),
            extensions=answer.extensions,
            request=request,
        )

    def outgoing(self, answer: Response, request: Any) -> Any:
        """Our answer to ``request`` as the library's transport hands it on."""
        body, missing = received(answer, request.method)
        # A stream, as from the network: closing it is what tells the client the elapsed time.
        stream = self._library.ByteStream(body)
        if missing:
            fault = NetworkFault("disconnect", f"{missing} bytes of the answer never came")
            stream = self._cut_stream(body, self.exception(fault, request))
        phrase = http.client.responses.get(answer.status, "")
        return self._library.Response(
            answer.status,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in answer.headers],
            stream=stream,
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": phrase.encode()},
            request=request,
        )

    def exception(self, fault: NetworkFault, request: Any) -> Exception:
        """What the library raises in that situation."""
        original: Any = fault.original
        if isinstance(original, self._library.RequestError):
            original.request = request
            exception: Exception = original
        else:
            exception = self._exceptions[fault.kind](fault.message, request=request)
        return exception


def _kind_of_cut_stream(library: ModuleType) -> type:
    """The kind of stream of ``library`` that raises an error at its end."""

    # To a type checker its base is a variable.
    class CutStream(library.ByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, body: bytes, error: Exception) -> None:
            super().__init__(body)
            self._error = error

        def __iter__(self) -> Iterator[bytes]:
            yield from super().__iter__()
            raise self._error

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in super().__aiter__():
                yield chunk
            raise self._error

    return CutStream


def _as_sent(url: Any) -> str:
    """Without what stays with the client: a fragment, credentials; and with a path."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}"


def _fields(headers: Any) -> list[tuple[str, str]]:
    try:
        return [(name.decode("ascii"), value.decode("ascii")) for name, value in headers.raw]
    except UnicodeDecodeError:
        # It tries one encoding after the other, each time that it is asked for.
        encoding = headers.encoding
    return [(name.decode("latin-1"), value.decode(encoding)) for name, value in headers.raw]
