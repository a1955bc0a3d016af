"""What an API behind the gateway asks of a request: a good bearer token (RFC 6750)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from .jws import is_jwt
from .messages import Request
from .spans import in_seconds
from .tokens import Ledger, Token


class Presented(NamedTuple):
    """What was found: the token, a line for people, and why the API refuses, if it does.

    ``challenge`` is the value of ``WWW-Authenticate``.
    """

    token: Token | None
    outcome: str
    status: int = 200
    reason: str = ""
    challenge: str = ""


def check_bearer(
    request: Request, ledger: Ledger, now: dt.datetime, scope: str | None
) -> Presented:
    """Whether ``request`` presents a token that is honoured at ``now`` and holds ``scope``."""
    scheme, value = request.authorization
    if scheme != "bearer" or not value:
        found = "Authorization is not 'Bearer' and a token" if scheme else "no bearer token"
        # RFC 6750 section 3.1: no error code where no token was tried.
        return Presented(None, f"refused: {found}", 401, "No bearer token is given.", "Bearer")
    token = ledger.find(value)
    if token is None:
        if is_jwt(value):
            outcome = f"refused: the token is unknown (kept from {ledger.elsewhere}?)"
            return _invalid(None, outcome, "is unknown")
        return _invalid(None, "refused: the token is malformed", "is malformed")
    if token.revoked:
        return _invalid(token, f"token #{token.number} was revoked", "was revoked")
    left = token.remaining(now)
    if left <= dt.timedelta(0):
        return _invalid(token, f"token #{token.number} expired {in_seconds(-left)} ago", "expired")
    early = token.too_early(now)
    if early > dt.timedelta(0):
        outcome = f"token #{token.number} is not good yet: its nbf is {in_seconds(early)} ahead"
        return _invalid(token, outcome, "is not valid yet")
    missing = set((scope or "").split()) - set(token.scope.split())
    if missing:
        return _insufficient(token, scope or "")
    return Presented(token, f"token #{token.number} accepted")


def _invalid(token: Token | None, outcome: str, wrong: str) -> Presented:
    reason = f"The access token {wrong}"
    return Presented(
        token,
        outcome,
        401,
        f"{reason}.",
        f'Bearer error="invalid_token", error_description="{reason}"',
    )


def _insufficient(token: Token, scope: str) -> Presented:
    reason = f"The access token lacks scope '{scope}'"
    return Presented(
        token,
        f"refused: token #{token.number} lacks scope {scope}",
        403,
        f"{reason}.",
        f'Bearer error="insufficient_scope", error_description="{reason}", scope="{scope}"',
    )
