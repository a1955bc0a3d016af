"""Access tokens: their life, and the ledger of those issued."""

from __future__ import annotations

import datetime as dt
import functools
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, Final

from . import facts, jws

__tracebackhide__ = True  # in the traceback of a test

_SECOND: Final = dt.timedelta(seconds=1)
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
# The first second that `datetime` knows.
_EARLIEST: Final = -62_135_596_800


def epoch(moment: dt.datetime) -> int:
    """Whole seconds from 1970 to ``moment``, rounded down; exact in every year."""
    return (moment - EPOCH) // _SECOND


class Token:
    """An access token that the fake issued.

    ``value`` is the signed JWT (also ``str(token)``), ``number`` counts from 1, ``issued_at`` and
    ``expires_at`` are aware UTC datetimes on the server's clock; ``expires_at`` is when the token
    stops being honoured, as its ``exp`` says, while ``expires_in`` (seconds) is only what the
    response advertised. ``revoked_at`` is when it was revoked (server's clock), or ``None``.
    ``repr`` does not show the value.
    """

    __slots__ = (
        "_exp",
        "_iat",
        "_nbf",
        "client_id",
        "expires_in",
        "number",
        "revoked_at",
        "scope",
        "value",
    )

    def __init__(
        self,
        *,
        value: str,
        number: int,
        client_id: str,
        iat: int,
        exp: int,
        expires_in: int,
        scope: str,
        nbf: float = _EARLIEST,
    ) -> None:
        self.value = value
        self.number = number
        self.client_id = client_id
        self.expires_in = expires_in
        self.scope = scope
        self.revoked_at: dt.datetime | None = None
        self._iat = iat
        self._exp = exp
        self._nbf = nbf

    @property
    def issued_at(self) -> dt.datetime:
        """When it was issued (aware UTC, whole seconds, server's clock); its ``iat``."""
        return EPOCH + self._iat * _SECOND

    @property
    def expires_at(self) -> dt.datetime:
        """The first second at which it is no longer honoured; its ``exp`` (RFC 7519 4.1.4)."""
        return EPOCH + self._exp * _SECOND

    @property
    def revoked(self) -> bool:
        """Whether it was revoked."""
        return self.revoked_at is not None

    @property
    def claims(self) -> dict[str, Any]:
        """The claims inside the JWT."""
        return jws.claims_of(self.value)

    def remaining(self, now: dt.datetime) -> dt.timedelta:
        """How long it is still honoured at ``now`` (server's clock); not positive: expired."""
        return self.expires_at - now

    def too_early(self, now: dt.datetime) -> dt.timedelta:
        """How long it is not honoured yet at ``now`` (its ``nbf``); not positive: it is."""
        return EPOCH + self._nbf * _SECOND - now

    def __str__(self) -> str:
        return self.value

    def __repr__(self) -> str:
        state = ", revoked" if self.revoked else ""
        return f"<Token #{self.number} of {self.client_id!r}, expires {self.expires_at}{state}>"


class Ledger:
    """Every token issued, and who holds which."""

    #: Where a token may come from that is not among them: every test has a fake of its own, and a
    #: client may keep its token in a global.
    elsewhere = "another test"

    def __init__(self) -> None:
        #: How many.
        self.issued = 0
        self.tokens: list[Token] = []
        #: Whether a token is revoked as soon as it is issued.
        self.stillborn = False
        self._by_value: dict[str, Token] = {}
        # The token of each client and scope that lives longest: it alone decides whether another
        # request was needless, so that the answer takes constant time.
        self._longest: dict[_Holding, Token] = {}

    @functools.cached_property
    def signing_key(self) -> bytes:
        """The key of every token's signature."""
        return secrets.token_bytes(32)

    @functools.cached_property
    def _family(self) -> str:
        # A UUID whose end is the token's number: no two are equal, of two fakes either.
        return str(uuid.uuid4())[:-12]

    def issue(
        self,
        client_id: str,
        scope: str,
        now: dt.datetime,
        *,
        expires_in: int,
        lifetime: int,
        claims: Mapping[str, Any] | None = None,
    ) -> Token:
        """Sign and record a token of ``client_id`` that is honoured for ``lifetime`` seconds."""
        iat = epoch(now)
        exp = iat + lifetime
        self.issued += 1
        payload = {
            "iss": facts.ISSUER,
            "sub": client_id,
            "azp": client_id,
            "iat": iat,
            "exp": exp,
            "jti": f"{self._family}{self.issued:012x}",
            "typ": facts.TOKEN_TYPE,
            "scope": scope,
            **(claims or {}),
        }
        value = jws.signed(payload, self.signing_key)
        token = Token(
            value=value,
            number=self.issued,
            client_id=client_id,
            iat=iat,
            exp=exp,
            expires_in=expires_in,
            scope=scope,
            nbf=payload.get("nbf", _EARLIEST),
        )
        self.keep(token)
        holding = _holding(client_id, token.scope)
        longest = self._longest.get(holding)
        if longest is None or longest.revoked or token.expires_at >= longest.expires_at:
            self._longest[holding] = token
        if self.stillborn:
            self.revoke(token, now)
        return token

    def keep(self, token: Token) -> None:
        """Remember ``token``, to find it again."""
        self.tokens.append(token)
        self._by_value[token.value] = token

    def find(self, value: str) -> Token | None:
        """The token of that value, or ``None`` when it was not issued here."""
        return self._by_value.get(value)

    def held(self, client_id: str, scope: str) -> Token | None:
        """Of the tokens of ``client_id`` with that scope the one that lives longest, unless every
        one is revoked.
        """
        return self._longest.get(_holding(client_id, scope))

    def revoke(self, token: Token, now: dt.datetime) -> None:
        """From now on (server's clock) the token is refused."""
        token.revoked_at = token.revoked_at or now
        holding = _holding(token.client_id, token.scope)
        if self._longest.get(holding) is token:
            same = (t for t in self.tokens if _holding(t.client_id, t.scope) == holding)
            left = [t for t in same if not t.revoked]
            if left:
                self._longest[holding] = max(left, key=lambda t: t.expires_at)
            else:
                del self._longest[holding]

    def revoke_all(self, now: dt.datetime) -> None:
        """From now on (server's clock) every token issued so far is refused."""
        for token in self.tokens:
            token.revoked_at = token.revoked_at or now
        self._longest.clear()


_Holding = tuple[str, frozenset[str]]


@functools.lru_cache(maxsize=256)
def _holding(client_id: str, scope: str) -> _Holding:
    # Of a scope the order does not count (RFC 6749 section 3.3).
    return client_id, frozenset(scope.split(" "))


def check_token(token: Token) -> Token:
    """``token``; ``TypeError`` for what is none, which is not shown: it may be a token's value."""
    if not isinstance(token, Token):
        raise TypeError(
            f"a Token is wanted and a {type(token).__name__} is given: take it from "
            "optum_auth.last_token or optum_auth.tokens"
        )
    return token
