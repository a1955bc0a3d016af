"""What a test decides of clients and tokens without a request."""

from __future__ import annotations

from typing import Any

from ..core.claims import check_claims
from ..core.clients import Credentials
from ..core.settings import check_scope, seconds
from ..core.state import GatewayState
from ..core.tokens import Token, check_token, epoch

__tracebackhide__ = True  # in the traceback of a test


class Issuer:
    """Who is registered, and which tokens are good."""

    _state: GatewayState

    def add_client(
        self,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        scope: str | None = None,
    ) -> Credentials:
        """Register another client; what is not given is made up.

        ``scope``: what it may be granted, space-separated (``None``: the fake's ``scope``).
        Raises ``ValueError`` for an identifier that is registered already and for an empty value.
        """
        check_scope(scope)
        with self._state.lock:
            return self._state.clients.add(client_id, client_secret, scope)

    def rotate_secret(self, client_id: str | None = None) -> Credentials:
        """Give a client (``None``: the default one) a new secret; the old one is refused from now.

        ``credentials`` follows, the environment of ``optum_env`` does not. Raises ``ValueError``
        for an unknown ``client_id``.
        """
        with self._state.lock:
            credentials = self._state.clients.rotate(client_id)
            self._state.note(f"secret of {credentials.client_id!r} rotated")
            return credentials

    def issue_token(
        self,
        *,
        client_id: str | None = None,
        expires_in: int | None = None,
        scope: str | None = None,
        **claims: Any,
    ) -> Token:
        """A token without a request, to seed a cache.

        ``expires_in`` (seconds) is then its life as well; by default the settings decide, and of
        ``scope`` what the client may be granted. Other claims are added to the JWT. Raises
        ``ValueError`` for an unknown ``client_id``, for an ``expires_in`` that is no whole number
        of seconds from 0, for a claim that the token decides itself and for a ``scope`` that is
        none, ``TypeError`` for a claim that is no JSON.
        """
        check_claims(claims)
        check_scope(scope)
        if expires_in is not None and (wanted := seconds(expires_in)) is not None:
            raise ValueError(f"expires_in={expires_in!r}: expires_in must be {wanted}")
        settings = self._state.settings
        with self._state.lock:
            client = self._state.clients.known(client_id)
            granted = settings.scope if client.scope is None else client.scope
            lifetime = settings.expires_in if settings.lifetime is None else settings.lifetime
            return self._state.ledger.issue(
                client.credentials.client_id,
                granted if scope is None else scope,
                self._state.server_now(),
                expires_in=settings.expires_in if expires_in is None else expires_in,
                lifetime=lifetime if expires_in is None else expires_in,
                claims=claims,
            )

    def revoke(self, token: Token | None = None) -> None:
        """From now on ``token`` (default: the last one) is refused.

        Raises ``ValueError`` before any token exists and for a token of another fake, ``TypeError``
        for what is no :class:`Token`.
        """
        with self._state.lock:
            issued = self._issued(token)
            self._state.ledger.revoke(issued, self._state.server_now())
            self._state.note(f"token #{issued.number} revoked")

    def revoke_all(self) -> None:
        """From now on every token issued so far is refused; moves ``not-before-policy``.

        A token that is issued afterwards, in the same second too, is good.
        """
        with self._state.lock:
            now = self._state.server_now()
            self._state.ledger.revoke_all(now)
            self._state.not_before = epoch(now)
            self._state.note("all tokens revoked")

    def _issued(self, token: Token | None) -> Token:
        ledger = self._state.ledger
        if token is None:
            if not ledger.tokens:
                raise ValueError(
                    "no token was issued yet: let the client make a request or use issue_token() "
                    "first"
                )
            return ledger.tokens[-1]
        found = ledger.find(check_token(token).value)
        if found is None:
            raise ValueError(f"{token!r} was not issued by this fake")
        return found
