"""What a test reads of its fake: where it answers, the tokens, and everything that was seen."""

from __future__ import annotations

from ..core import timeline, timeline_picture
from ..core.clients import Credentials
from ..core.journal import Exchanges
from ..core.state import GatewayState
from ..core.tokens import Token


class Record:
    """What a client under test needs, and what it has done."""

    _state: GatewayState

    @property
    def base_url(self) -> str:
        """The gateway's URL, by default the sandbox's; of several the first."""
        return self._state.base_url

    @property
    def token_url(self) -> str:
        """The token endpoint's URL."""
        return self._state.token_url

    @property
    def credentials(self) -> Credentials:
        """The default client's credentials, as they are now; unpacks to id and secret."""
        return self._state.clients.default

    @property
    def signing_key(self) -> bytes:
        """The key of the tokens' HS256 signature, for code that verifies them."""
        with self._state.lock:
            return self._state.ledger.signing_key

    @property
    def tokens(self) -> list[Token]:
        """The tokens issued, oldest first."""
        return list(self._state.ledger.tokens)

    @property
    def last_token(self) -> Token | None:
        """The token issued last, or ``None``."""
        tokens = self._state.ledger.tokens
        return tokens[-1] if tokens else None

    @property
    def exchanges(self) -> Exchanges:
        """Everything seen, oldest first."""
        return Exchanges(self._state.journal.exchanges)

    @property
    def token_requests(self) -> Exchanges:
        """Every request that reached a token path, whatever the answer."""
        return Exchanges(self._state.journal.token_requests)

    @property
    def api_requests(self) -> Exchanges:
        """Every other request to a gateway host."""
        return Exchanges(self._state.journal.api_requests)

    @property
    def needless_token_requests(self) -> Exchanges:
        """Token requests that got a token while the same client held one good for over 60 s."""
        return Exchanges(self._state.journal.needless)

    def timeline(self) -> str:
        """What happened, one line an exchange, for people; no secrets."""
        return timeline.render(self._state.journal.entries, self._state.started_at)

    def timeline_svg(self) -> str:
        """:meth:`timeline` as a picture (SVG): tokens' lives as bars, requests as marks above."""
        state = self._state
        return timeline_picture.render(
            state.journal.entries,
            state.ledger.tokens,
            state.started_at,
            state.settings.clock_skew,
        )
