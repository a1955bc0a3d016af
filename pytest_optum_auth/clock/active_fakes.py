"""What a clock has to do with the fakes that are active: their tokens, holds and timelines."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ..core import active
from ..core.tokens import check_token

if TYPE_CHECKING:
    from ..core.gateway import Gateway
    from ..core.tokens import Token

__tracebackhide__ = True  # in the traceback of a test


def end_of(token: Token | None) -> dt.datetime:
    """The local time at which ``token`` (``None``: the last of the latest fake) has its end.

    Raises ``ValueError`` without a fake or a token, and for a token of no active fake;
    ``TypeError`` for what is no token.
    """
    gateways = active.gateways()
    if not gateways:
        raise ValueError("no FakeOptum is active: ask for optum_auth as well")
    gateway = gateways[0] if token is None else _issuer(gateways, check_token(token))
    if token is None:
        if not gateway.state.ledger.tokens:
            raise ValueError(
                "no token was issued yet: let the client make a request or use "
                "optum_auth.issue_token() first"
            )
        token = gateway.state.ledger.tokens[-1]
    return token.expires_at - dt.timedelta(seconds=gateway.state.settings.clock_skew)


def _issuer(gateways: list[Gateway], token: Token) -> Gateway:
    for gateway in gateways:
        if gateway.state.ledger.find(token.value) is token:
            return gateway
    raise ValueError(f"{token!r} was not issued by a fake that is active")


def held() -> int:
    """How many requests wait at a hold."""
    return sum(hold.waiting for gateway in active.gateways() for hold in gateway.state.holds)


def note(text: str) -> None:
    """Tell it in every timeline."""
    for gateway in active.gateways():
        gateway.state.note(text)
