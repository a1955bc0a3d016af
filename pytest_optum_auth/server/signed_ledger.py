"""The ledger of a server that runs for days: a token's signature tells whether it is its own."""

from __future__ import annotations

from ..core import jws
from ..core.tokens import Ledger, Token


class SignedLedger(Ledger):
    """Keeps no token, and knows each that it issued for ever; revokes none."""

    elsewhere = "an earlier run"

    def keep(self, token: Token) -> None:
        """The client brings it."""

    def find(self, value: str) -> Token | None:
        """The token of that value, or ``None`` when it was not issued here."""
        claims = jws.claims_signed(value, self.signing_key)
        if claims is None:
            return None
        return Token(
            value=value,
            number=int(claims["jti"].rpartition("-")[2], 16),
            client_id=claims["azp"],
            iat=claims["iat"],
            exp=claims["exp"],
            expires_in=claims["exp"] - claims["iat"],
            scope=claims["scope"],
        )
