"""Claims that a test adds to a token: checked where they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .json_body import json_bytes

__tracebackhide__ = True  # in the traceback of a test

# Those that the ledger decides, since another value would make Token lie; and what the life of a
# token is called elsewhere.
_DECIDED: Final = frozenset({"iat", "exp", "jti", "azp", "lifetime"})
# The last second that `datetime` knows.
_LATEST: Final = 253_402_300_799


def check_claims(claims: Mapping[str, Any]) -> None:
    """``ValueError`` for a claim that the ledger decides itself and for an ``nbf`` that is none,
    ``TypeError`` for one that is no JSON.
    """
    taken = sorted(_DECIDED & claims.keys())
    if taken:
        raise ValueError(
            f"claim {taken[0]!r} is decided by the token itself: use expires_in= for its life and "
            "client_id= for its owner"
        )
    nbf = claims.get("nbf", 0)
    if isinstance(nbf, bool) or not isinstance(nbf, (int, float)) or not 0 <= nbf <= _LATEST:
        raise ValueError(
            f"nbf={nbf!r}: nbf must be seconds since 1970, as int(optum_clock.time) + 60 "
            "(RFC 7519 section 4.1.5)"
        )
    for name, value in claims.items():
        json_bytes(f"claim {name!r}", value)
