"""What a protected API answers: one reply after the other, or a function that decides."""

from __future__ import annotations

import functools
import inspect
import re
import threading
from collections.abc import Callable
from types import EllipsisType
from typing import Any, Final

from . import facts
from .asking import Ask, Steps
from .header_fields import HeaderFields, checked_headers, with_content_type
from .journal import Exchange
from .json_body import json_bytes
from .messages import Json, Response
from .whole_numbers import is_whole

__tracebackhide__ = True  # in the traceback of a test

TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
# RFC 9110 sections 15.3.5 and 15.4.5.
WITHOUT_BODY: Final = frozenset({204, 304})
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([^\s";]+)', re.IGNORECASE)
# Not None, which is a JSON value.
MISSING: Final = ...


class Reply:
    """All of an answer, for a callable of ``protect`` that decides more than the body.

    The body is one of ``json`` (any JSON value, ``None`` is ``null``), ``text`` (``text/plain``)
    and ``content`` (bytes, ``application/octet-stream``), and ``{}`` with none of them; ``headers``
    (a mapping, or pairs where a name may stand twice) may name another ``Content-Type``, whose
    charset ``text`` then has. 204 and 304 carry no body.

    Raises ``ValueError`` for a status that is not 200 to 599, for two bodies and for a ``text``
    that its charset cannot write, ``TypeError`` for a body or a header of another type.
    """

    __slots__ = ("response",)

    def __init__(
        self,
        status: int = 200,
        *,
        json: Json | EllipsisType = MISSING,
        text: str | None = None,
        content: bytes | None = None,
        headers: HeaderFields | None = None,
    ) -> None:
        kind, value = _one_body(json, text, content)
        self.response = _response(checked_status(status), kind, value, checked_headers(headers))

    def __repr__(self) -> str:
        return f"<Reply {self.response.status}, {len(self.response.body)} bytes>"


class Script:
    """The replies of one API in their order; the last one stays."""

    def __init__(self) -> None:
        self._replies: list[_Scripted] = []
        self._given = 0
        self._lock = threading.Lock()

    def add(
        self,
        where: str,
        json: Any,
        text: Any,
        content: Any,
        status: int,
        headers: HeaderFields | None,
    ) -> None:
        """Append a reply to the API ``where``. Raises as :class:`Reply`."""
        kind, value = _one_body(json, text, content)
        self._replies.append(_Scripted(where, kind, value, status, headers))

    def reply(self, exchange: Exchange, *, uses_up: bool) -> Steps:
        """The reply to the request at hand; ``uses_up``: the next request gets the next one."""
        with self._lock:
            reply = self._replies[min(self._given, len(self._replies) - 1)]
            self._given += uses_up
        return (yield from reply.made_for(exchange))

    @property
    def keys(self) -> list[str] | None:
        """The keys of every answer, where there is one answer only and its keys are known."""
        if len(self._replies) > 1 or not isinstance(self._replies[0].value, dict):
            return None
        return list(self._replies[0].value)


class _Scripted:
    """One reply as it was written down."""

    def __init__(
        self, where: str, kind: str, value: Any, status: int, headers: HeaderFields | None
    ) -> None:
        self._where = where
        self._kind = kind
        self._status = checked_status(status)
        self._headers = checked_headers(headers)
        self.value = value
        if callable(value):
            _check_takes_exchange(kind, value)
        else:
            # Once, and so that what cannot be sent is told where it is written.
            self._response = self._with(value)

    def made_for(self, exchange: Exchange) -> Steps:
        if not callable(self.value):
            return self._response
        made = yield Ask(functools.partial(self.value, exchange))
        if isinstance(made, Reply):
            return made.response
        try:
            return self._with(made)
        except (TypeError, ValueError) as error:
            raise type(error)(f"the callable of {self._where}: {error}") from None

    def _with(self, value: Any) -> Response:
        return _response(self._status, self._kind, value, self._headers)


def _check_takes_exchange(kind: str, function: Callable[..., Any]) -> None:
    """``TypeError`` for a function that cannot be handed the exchange, as far as one can know."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of some that are written in C nobody knows
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise TypeError(
            f"{kind}={function!r}: a function is handed the Exchange, as lambda exchange: ... "
            f"({error})"
        ) from None


def text_bytes(text: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """``text`` as it is sent: by the charset of the ``Content-Type``, else in UTF-8.

    Raises ``TypeError`` for what is no string, ``ValueError`` for what the charset does not have.
    """
    if not isinstance(text, str):
        raise TypeError(f"text={text!r}: text is a string")
    media_types = [value for name, value in headers if name.lower() == "content-type"]
    named = _CHARSET.search("".join(media_types[:1]))
    charset = named[1] if named else "utf-8"
    try:
        return text.encode(charset)
    except LookupError:  # as a test may have it on purpose
        return text.encode()
    except UnicodeEncodeError as error:
        character = text[error.start : error.end]
        raise ValueError(
            f"text={text!r}: {character!a} cannot be written in {charset}, the charset of the "
            "answer; name another one in its Content-Type, or give bytes"
        ) from None


def checked_status(status: int) -> int:
    """``status``; ``ValueError`` when it is none of a final answer."""
    if not is_whole(status, 200, 599):
        raise ValueError(f"status={status!r}: a status is a whole number from 200 to 599")
    return status


def _one_body(json: Any, text: Any, content: Any) -> tuple[str, Any]:
    """Which of the three it is, and its value."""
    given: list[tuple[str, Any]] = [] if json is MISSING else [("json", json)]
    given += [(k, v) for k, v in (("text", text), ("content", content)) if v is not None]
    for kind, value in given:
        if isinstance(value, Reply):
            raise TypeError(
                f"{kind}={value!r}: a Reply is what a function returns, write "
                f"{kind}=lambda exchange: Reply(...), or hand over what the Reply is made of"
            )
    if len(given) > 1:
        raise ValueError(f"{' and '.join(f'{kind}=' for kind, _ in given)}: an answer has one body")
    return given[0] if given else ("json", {})


def _response(status: int, kind: str, value: Any, headers: tuple[tuple[str, str], ...]) -> Response:
    if kind == "json":
        body, media_type = json_bytes("json=", value), facts.JSON
    elif kind == "text":
        body, media_type = text_bytes(value, headers), TEXT
    else:
        if not isinstance(value, (bytes, bytearray)):
            raise TypeError(f"content={value!r}: content is bytes")
        body, media_type = bytes(value), BYTES
    if status in WITHOUT_BODY:
        return Response(status, headers, b"")
    return Response(status, with_content_type(headers, media_type), body)
