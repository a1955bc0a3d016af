"""Requests and answers as the core sees them: bytes and names, no HTTP library."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.utils import format_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from . import facts
from .masking import SECRET_HEADERS, Secret, mask_url

# RFC 9110 section 5.6.2: what a method and the name of a field are made of.
HTTP_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What json.dumps takes, as far as a type can say it.
Json = Mapping[str, object] | Sequence[object] | str | float | bool | None
# RFC 6749 section 5.2: what `error_description` must not hold, and a client may have sent.
_NOT_DESCRIBING: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


@functools.lru_cache(maxsize=1024)
def _name_and_key(name: str) -> tuple[str, str]:
    """One object for each, since the same few names come again and again."""
    return name, name.lower()


class Headers(Mapping[str, str]):
    """Header fields by name, in any case; a field given twice reads joined with ``", "``.

    Source: RFC 9110 sections 5.1 (names are case-insensitive) and 5.3 (joining).
    """

    __slots__ = ("_fields", "_names")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        merged: dict[str, str] = {}
        names: list[str] = []
        for spelling, value in fields:
            name, key = _name_and_key(spelling)
            if key in merged:
                merged[key] = f"{merged[key]}, {value}"
            else:
                merged[key] = value
                names.append(name)
        self._fields = merged
        self._names = tuple(names)

    def as_sent(self) -> list[tuple[str, str]]:
        """The fields with their names as they were spelled."""
        return list(zip(self._names, self._fields.values(), strict=True))

    def field(self, key: str) -> str:
        """The field of a name in lower case; ``""`` without one. What ``get`` does, and faster."""
        return self._fields.get(key, "")

    def __getitem__(self, name: str) -> str:
        key = name.lower()
        value = self._fields[key]
        return Secret(value) if key in SECRET_HEADERS else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __repr__(self) -> str:
        return f"Headers({dict(self)})"


class Request(NamedTuple):
    """One HTTP request as it reached the gateway.

    ``transport`` names the client library that sent it; ``url`` is absolute; ``timeout`` is how
    long (seconds) the client waits for the answer, ``None``: for ever, or nobody knows.
    """

    transport: str
    method: str
    url: str
    headers: Headers
    body: bytes
    timeout: float | None = None

    @property
    def media_type(self) -> str:
        """The media type of the body without parameters, lower case; ``""`` without one."""
        return self.headers.field("content-type").partition(";")[0].strip().lower()

    @property
    def authorization(self) -> tuple[str, str]:
        """Scheme (lower case) and credentials of ``Authorization``; empty without one."""
        scheme, _, rest = self.headers.field("authorization").strip().partition(" ")
        return scheme.lower(), rest.strip()

    def __repr__(self) -> str:
        return f"<Request {self.method} {mask_url(self.url)}, {len(self.body)} bytes>"


class Response(NamedTuple):
    """One HTTP answer: what every transport can act out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def to(self, method: str, at: dt.datetime) -> Response:
        """The answer as it is sent ``at`` (server's clock) to a request with ``method``.

        By RFC 9110: without a body where none may be (sections 15.2, 15.3.5, 15.3.6, 15.4.5) and in
        answer to HEAD (9.3.2); with ``Content-Length`` where one may be (8.6); with the ``Date``
        (6.6.1), unless it has one. Whether it comes in chunks is the transport's matter (RFC 9112
        section 6.1), and may have been copied from a real answer.
        """
        body = b"" if self.status < 200 or self.status in (204, 205, 304) else self.body
        headers = self.headers
        names = {name.lower() for name, _ in headers}
        if "transfer-encoding" in names:
            headers = _without("transfer-encoding", headers)
        if self.status < 200 or self.status == 204:
            headers = _without("content-length", headers)
        elif self.status != 304 and "content-length" not in names:
            headers = (*headers, ("Content-Length", str(len(body))))
        if self.status >= 200 and "date" not in names:
            headers = (*headers, ("Date", _date(at.replace(microsecond=0))))
        return Response(self.status, headers, b"" if method == "HEAD" else body)

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"


def _without(key: str, fields: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(field for field in fields if field[0].lower() != key)


@functools.lru_cache(maxsize=16)
def _date(second: dt.datetime) -> str:
    """For all answers of a second (RFC 9110 section 5.6.7)."""
    return format_datetime(second, usegmt=True)


def json_response(status: int, content: Any, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """A JSON answer; of a header given twice the last one counts."""
    fields = {"content-type": ("Content-Type", facts.JSON)}
    fields.update((name.lower(), (name, value)) for name, value in headers)
    return Response(status, tuple(fields.values()), json.dumps(content).encode())


def error_response(
    error_format: str,
    status: int,
    reasons: tuple[str, ...],
    *,
    failure_reason: str = "",
    code: str = "",
    headers: Iterable[tuple[str, str]] = (),
) -> Response:
    """An error in the envelope of the auth-only spec, or in that of RFC 6749 section 5.2."""
    content: dict[str, Any] = {
        "status": str(status),
        "failureReason": failure_reason or facts.FAILURE_REASONS[status],
        "Errors": list(reasons),
    }
    if error_format != "optum":
        content = {
            "error": code or facts.OAUTH_ERRORS[status],
            "error_description": _NOT_DESCRIBING.sub("?", " ".join(reasons)),
        }
    return json_response(status, content, [*facts.NO_STORE.items(), *headers])


class NetworkFault(Exception):
    """No HTTP answer: the transport raises what its library raises in that situation.

    ``kind`` is one of ``"connect"`` (refused), ``"connect timeout"``, ``"timeout"`` (silence until
    the client gives up) and ``"disconnect"`` (cut in the middle of the answer). ``original``: an
    exception of some client library that means it, for the clients of that library.
    """

    def __init__(self, kind: str, message: str, original: Exception | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.original = original


# What urllib.parse accepts as a host but no resolver would.
_ORIGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_HOST: Final = re.compile(r"[^\s/?#@\\]+")


def host_of(url: str) -> str:
    """The host of ``url`` as a resolver sees it: lower case, no trailing dot, no port."""
    # Requests are many, origins are few: what follows the host need not be parsed.
    origin = _ORIGIN.match(url)
    return _host_of_origin(origin[0]) if origin is not None else ""


def netloc_of(url: str) -> str:
    """Host and port of ``url`` as stubs are compared: :func:`host_of`, and no port that all use."""
    parts, host = urlsplit(url), host_of(url)
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port or 443}".removesuffix(":443")


@functools.lru_cache(maxsize=256)
def _host_of_origin(origin: str) -> str:
    try:
        host = urlsplit(origin).hostname or ""
        # What clients look up of a name beyond ASCII.
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return ""
    return host.rstrip(".") if _HOST.fullmatch(host) else ""
