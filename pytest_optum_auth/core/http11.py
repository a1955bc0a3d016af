"""HTTP/1.1 as bytes: what a connection brings becomes requests, an answer becomes bytes.

For the transports at which a request arrives as bytes. Sans-I/O; source: RFC 9112. What real
servers refuse, since two of them could read it in two ways, is refused here.
"""

from __future__ import annotations

import http.client
import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from .messages import HTTP_TOKEN, Headers, Request, Response

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# The beginning of an answer that a cut connection leaves without its rest.
CUT: Final = b"HTTP/1.1 2"

_LONGEST_HEAD: Final = 4 * 1024 * 1024
_LONGEST_BODY: Final = 64 * 1024 * 1024
_REQUEST_LINE: Final = re.compile(rf"({HTTP_TOKEN.pattern}) ([\x21-\x7e]+) HTTP/1\.([01])")
# Where a line could end for another reader (RFC 9110 section 5.5).
_ENDS_A_LINE: Final = re.compile(r"[\0\n\v\f\r]")
_AUTHORITY: Final = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[^\0\n\r]*)?")


class MalformedRequest(Exception):
    """What came is no request; ``answer`` says so. The connection is of no further use."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        fields = (("Content-Type", "text/plain; charset=utf-8"),)
        self.answer = Response(status, fields, f"{reason}\n".encode())


class Incoming(NamedTuple):
    """A request that is complete, and whether the client may send another one after it."""

    request: Request
    keeps_alive: bool


class _Head(NamedTuple):
    method: str
    target: str
    headers: Headers
    keeps_alive: bool
    # Of the body; ``None``: it comes in chunks.
    length: int | None


class RequestParser:
    """The requests of one connection, one after the other.

    ``origin`` is the scheme and authority that a request's URL starts with; with
    ``host_names_origin`` a ``Host`` field replaces the authority.
    """

    def __init__(self, transport: str, origin: str, *, host_names_origin: bool = False) -> None:
        self._transport = transport
        self._scheme, _, self._authority = origin.partition("://")
        self._host_names_origin = host_names_origin
        self._received = bytearray()
        self._searched = 0
        self._head: _Head | None = None
        self._body = bytearray()
        self._continued = False

    def feed(self, data: bytes) -> None:
        """Take in what the connection brought."""
        self._received += data

    def next_request(self) -> Incoming | None:
        """The next request, or ``None`` while it is not complete.

        Raises :class:`MalformedRequest`.
        """
        if self._head is None:
            self._head = self._take_head()
        head = self._head
        if head is None or not self._take_body(head.length):
            return None
        body = bytes(self._body)
        self._head = None
        self._body.clear()
        self._continued = False
        url = f"{self._scheme}://{self._authority_of(head)}{_origin_form(head.target)}"
        request = Request(self._transport, head.method, url, head.headers, body)
        return Incoming(request, head.keeps_alive)

    def wants_continue(self) -> bool:
        """Whether the client waits for a ``100 Continue``; said once (RFC 9110 section 10.1.1)."""
        head = self._head
        if head is None or self._continued:
            return False
        self._continued = head.headers.get("expect", "").lower() == "100-continue"
        return self._continued

    def _authority_of(self, head: _Head) -> str:
        host = head.headers.get("host", "")
        named = self._host_names_origin and _AUTHORITY.fullmatch(host)
        return host if named else self._authority

    def _take_head(self) -> _Head | None:
        # Empty lines before a request are skipped (RFC 9112 section 2.2).
        while self._received.startswith(b"\r\n"):
            del self._received[:2]
        end = self._received.find(b"\r\n\r\n", self._searched)
        if max(end, len(self._received) if end < 0 else 0) > _LONGEST_HEAD:
            raise MalformedRequest(431, "The header fields of the request are too large.")
        # The end may lie across what has come and what comes.
        self._searched = max(0, len(self._received) - 3) if end < 0 else 0
        if end < 0:
            return None
        lines = self._received[:end].decode("latin-1").split("\r\n")
        del self._received[: end + 4]
        return _parse_head(lines)

    def _take_body(self, length: int | None) -> bool:
        """Whether the body is complete."""
        if length is None:
            return self._take_chunks()
        missing = length - len(self._body)
        self._body += self._received[:missing]
        del self._received[:missing]
        return len(self._body) == length

    def _take_chunks(self) -> bool:
        while (end := self._received.find(b"\r\n")) >= 0:
            line = _CHUNK_SIZE.fullmatch(self._received[:end])
            if line is None:
                raise MalformedRequest(400, "A chunk of the request body has no size.")
            size = int(line[1], 16)
            if len(self._body) + size > _LONGEST_BODY:
                raise _too_large()
            if size == 0:
                # Trailer fields, if there are any, are dropped.
                over = self._received.find(b"\r\n\r\n", end)
                if over < 0:
                    return False
                del self._received[: over + 4]
                return True
            start = end + 2
            if len(self._received) < start + size + 2:
                return False
            if not self._received.startswith(b"\r\n", start + size):
                raise MalformedRequest(400, "A chunk of the request body is longer than its size.")
            self._body += self._received[start : start + size]
            del self._received[: start + size + 2]
        return False


def render(answer: Response, *, close: bool) -> bytes:
    """``answer`` as bytes; ``close``: no further answer follows on this connection."""
    fields = list(answer.headers)
    if close and not any(name.lower() == "connection" for name, _ in fields):
        fields.append(("Connection", "close"))
    phrase = http.client.responses.get(answer.status, "")
    lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{n}: {v}" for n, v in fields), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + answer.body


def ends_connection(answer: Response, method: str) -> bool:
    """Whether nothing can follow ``answer`` to a request with ``method``.

    It is none that ends (RFC 9110 section 15.2), it asks for that, or its length is a lie.
    """
    fields = Headers(answer.headers)
    length = fields.get("content-length", "0")
    honest = method == "HEAD" or length == str(len(answer.body))
    return answer.status < 200 or not honest or "connection" in fields


def received(answer: Response, method: str) -> tuple[bytes, int]:
    """What arrives of the body of ``answer`` by its length, and how many bytes never come."""
    # As `Headers` joins them, for the one name alone.
    length = ", ".join([v for name, v in answer.headers if name.lower() == "content-length"])
    if method == "HEAD" or answer.status == 304 or not length.isdecimal():
        return answer.body, 0
    return answer.body[: int(length)], max(0, int(length) - len(answer.body))


def _parse_head(lines: list[str]) -> _Head:
    line = _REQUEST_LINE.fullmatch(lines[0])
    if line is None:
        raise MalformedRequest(400, "The request line is malformed.")
    fields = []
    for text in lines[1:]:
        name, colon, value = text.partition(":")
        if not colon or not HTTP_TOKEN.fullmatch(name):
            raise MalformedRequest(400, "A header field of the request is malformed.")
        if _ENDS_A_LINE.search(value):
            raise MalformedRequest(400, f"The header field {name} holds a control character.")
        fields.append((name, value.strip(" \t")))
    hosts = sum(name.lower() == "host" for name, _ in fields)
    if hosts > 1 or (hosts == 0 and line[3] == "1"):
        named = "more than one Host" if hosts else "no Host"
        raise MalformedRequest(400, f"The request names {named}.")
    headers = Headers(fields)
    options = [option.strip() for option in headers.get("connection", "").lower().split(",")]
    keeps_alive = line[3] == "1" and "close" not in options
    return _Head(line[1], line[2], headers, keeps_alive, _body_length(headers))


def _body_length(headers: Headers) -> int | None:
    """RFC 9112 section 6.3; a message that says it in two ways is refused."""
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise MalformedRequest(400, "Content-Length and Transfer-Encoding exclude each other.")
        if coding.lower() != "chunked":
            raise MalformedRequest(501, "The only Transfer-Encoding understood is chunked.")
        return None
    if length is None:
        return 0
    if not (length.isascii() and length.isdigit()):
        raise MalformedRequest(400, "Content-Length is no number.")
    if len(length) > 12 or int(length) > _LONGEST_BODY:
        raise _too_large()
    return int(length)


def _too_large() -> MalformedRequest:
    return MalformedRequest(413, "The body of the request is too large.")


def _origin_form(target: str) -> str:
    """Path and query of a request target in any of its forms (RFC 9112 section 3.2)."""
    if target.startswith("/"):
        return target
    try:
        parts = urlsplit(target)
    except ValueError:
        raise MalformedRequest(400, "The request target is malformed.") from None
    if not parts.netloc:
        return f"/{target}"
    return f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
