"""JWTs in their compact serialization (RFC 7515 section 7.1): signed, recognized, read."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from . import facts

_HASH: Final = "sha256"


def signed(claims: Mapping[str, Any], key: bytes) -> str:
    """The JWT of ``claims``, signed with ``key`` by HS256 (RFC 7518 section 3.2)."""
    message = _HEADER + b"." + _base64url(_compact(claims).encode())
    # PyJWT would load cryptography, in every run of every suite.
    signature = hmac.digest(key, message, _HASH)
    return (message + b"." + _base64url(signature)).decode()


def claims_signed(value: str, key: bytes) -> dict[str, Any] | None:
    """The claims in ``value`` where it is what :func:`signed` made with ``key``, else ``None``."""
    message, _, signature = value.encode(errors="replace").rpartition(b".")
    expected = _base64url(hmac.digest(key, message, _HASH))
    return claims_of(value) if hmac.compare_digest(expected, signature) else None


def is_jwt(value: str) -> bool:
    """Whether ``value`` has the form of a JWT (RFC 7519 section 7.2)."""
    try:
        header, claims, signature = value.split(".")
        _octets(signature)
        return isinstance(_content(header), dict) and isinstance(_content(claims), dict)
    except (ValueError, RecursionError):  # no text, no base64, no JSON, or JSON that never ends
        return False


def claims_of(value: str) -> dict[str, Any]:
    """The claims in a JWT of ours."""
    return dict(_content(value.split(".")[1]))


def _content(part: str) -> Any:
    """The JSON in a part of a JWT."""
    return json.loads(_octets(part))


def _octets(part: str) -> bytes:
    """``part`` decoded from base64url without padding (RFC 7515 section 2)."""
    padding = "=" * (-len(part) % 4)
    return base64.b64decode(part + padding, altchars=b"-_", validate=True)


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


# json.dumps() makes an encoder anew for separators of one's own.
_compact: Final = json.JSONEncoder(separators=(",", ":")).encode
_HEADER: Final = _base64url(_compact({"alg": facts.JWT_ALGORITHM, "typ": "JWT"}).encode())
