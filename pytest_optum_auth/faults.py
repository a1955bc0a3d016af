"""What a gateway does on a bad day.

Each function returns a :class:`Fault`, to be handed to ``optum_auth.inject(fault)`` or to
``route.inject(fault)`` of a protected API.
"""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from .core import facts
from .core.fault import Fault, real_wait
from .core.header_fields import HeaderFields, checked_headers, with_content_type
from .core.json_body import json_bytes
from .core.messages import Json, Response, error_response
from .core.replies import TEXT, text_bytes
from .core.whole_numbers import is_whole

__all__ = [
    "Fault",
    "connect_error",
    "disconnect",
    "empty_body",
    "gateway_error",
    "http_error",
    "invalid_client",
    "not_json",
    "rate_limited",
    "replacing",
    "server_error",
    "slow",
    "timeout",
    "without",
]

_HTML: Final = "text/html; charset=utf-8"


def http_error(
    status: int,
    *,
    json: Json = None,
    text: str | None = None,
    headers: HeaderFields | None = None,
) -> Fault:
    """An answer with ``status`` (100 to 599) and a body of JSON or of plain text.

    ``headers`` are a mapping, or pairs where a name may stand twice. Raises ``ValueError`` for
    another status, when both bodies are given and for a ``text`` that the charset of its
    ``Content-Type`` cannot write, ``TypeError`` when ``json`` cannot be written as
    JSON, ``text`` is none, or the value of a header is no string.
    """
    _check_status(status)
    if json is not None and text is not None:
        raise ValueError("http_error takes json= or text=, not both")
    body = b"" if json is None else json_bytes("json=", json)
    media_type = facts.JSON
    fields = checked_headers(headers)
    if text is not None:
        body, media_type = text_bytes(text, fields), TEXT
    answer = Response(status, with_content_type(fields, media_type) if body else fields, body)
    return Fault(f"http_error({status})", response=lambda _: answer)


def server_error() -> Fault:
    """The published 500 (auth-only spec), in the fake's ``error_format``."""
    return _error("server_error()", 500, facts.SERVER_ERROR)


def rate_limited(retry_after: int | None = None) -> Fault:
    """A 429, with ``Retry-After`` (seconds) when given (RFC 9110 section 10.2.3).

    Declared for the v2 endpoint without that header; its body is not published.
    Raises ``ValueError`` when ``retry_after`` is not a whole number of at least 0.
    """
    if retry_after is not None and not is_whole(retry_after, 0):
        raise ValueError(
            f"retry_after={retry_after!r}: retry_after must be a whole number of seconds, "
            "0 or more, or None"
        )
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    shown = "" if retry_after is None else f"retry_after={retry_after}"
    return _error(f"rate_limited({shown})", 429, facts.TOO_MANY_REQUESTS, headers)


def gateway_error(status: int = 502) -> Fault:
    """An HTML page, as a proxy in front of the endpoint answers (500 to 599)."""
    _check_status(status, 500)
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    answer = Response(status, (("Content-Type", _HTML),), page.encode())
    return Fault(f"gateway_error({status})", response=lambda _: answer)


def invalid_client() -> Fault:
    """The published 401 (auth-only spec), though the credentials are right."""

    def response(error_format: str) -> Response:
        if error_format == "keycloak":
            reason, code = facts.KEYCLOAK_CLIENT_REFUSED, "unauthorized_client"
        else:
            reason, code = facts.INVALID_SECRET, ""
        return error_response(error_format, 401, (reason,), code=code)

    return Fault("invalid_client()", response=response)


def not_json() -> Fault:
    """A success whose body is an HTML page instead of JSON."""

    def spoil(answer: Response) -> Response:
        return Response(answer.status, (("Content-Type", _HTML),), b"<html><body>OK</body></html>")

    return Fault("not_json()", spoil=spoil, hides=frozenset({"access_token"}))


def empty_body() -> Fault:
    """A success without a body."""

    def spoil(answer: Response) -> Response:
        return Response(answer.status, answer.headers, b"")

    return Fault("empty_body()", spoil=spoil, hides=frozenset({"access_token"}))


def without(*keys: str) -> Fault:
    """A success that lacks ``keys``.

    Raises ``ValueError`` without a key; ``inject`` does so for a key that the answer never has, and
    a request to v2 for one that v2 does not have.
    """
    if not keys:
        raise ValueError("without() takes at least one key, for example without('expires_in')")
    for key in keys:
        if not isinstance(key, str):
            raise ValueError(f"without({key!r}): a key must be a string")

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in answer.items() if key not in keys}

    fault = _changed(f"without({', '.join(map(repr, keys))})", change, keys)
    return replace(fault, removes=frozenset(keys))


def replacing(**keys: Any) -> Fault:
    """A success with other values, for example ``replacing(expires_in="7200")``.

    Raises ``ValueError`` without a key, ``TypeError`` when a value cannot be written as JSON.
    """
    if not keys:
        raise ValueError(
            "replacing() takes at least one key, for example replacing(expires_in='7200')"
        )
    for key, value in keys.items():
        json_bytes(f"{key}=", value)

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        return answer | keys

    shown = (f"{k}=..." if _holds_secret(k) else f"{k}={v!r}" for k, v in keys.items())
    return _changed(f"replacing({', '.join(shown)})", change, keys)


def connect_error() -> Fault:
    """No connection: the client library's own connection error."""
    return Fault("connect_error()", network="connect")


def timeout() -> Fault:
    """Silence: the client library's own read timeout, in-process at once."""
    return Fault("timeout()", network="timeout")


def disconnect() -> Fault:
    """The connection closes in the middle of the answer."""
    return Fault("disconnect()", network="disconnect")


def slow(seconds: float) -> Fault:
    """The right answer after a real wait of ``seconds``; a client's shorter timeout strikes.

    Raises ``ValueError`` for a wait that is negative, longer than an hour or not a number.
    """
    return Fault(f"slow({seconds!r})", wait=real_wait(seconds))


def _error(
    description: str, status: int, reason: str, headers: tuple[tuple[str, str], ...] = ()
) -> Fault:
    def response(error_format: str) -> Response:
        return error_response(error_format, status, (reason,), headers=headers)

    return Fault(description, response=response)


def _changed(
    description: str, change: Callable[[dict[str, Any]], dict[str, Any]], keys: Iterable[str]
) -> Fault:
    def spoil(answer: Response) -> Response:
        try:
            content = _json.loads(answer.body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ValueError(f"{description} needs an answer that is a JSON object")
        return Response(answer.status, answer.headers, _json.dumps(change(content)).encode())

    return Fault(description, spoil=spoil, hides=frozenset(keys))


def _holds_secret(key: str) -> bool:
    return key.endswith(("_token", "_secret"))


def _check_status(status: int, least: int = 100) -> None:
    if not is_whole(status, least, 599):
        raise ValueError(f"status {status!r}: a status is a whole number from {least} to 599")
