"""The real sandbox, as a live test sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pytest

from ...core.clients import Credentials
from ..redaction import plugin as redaction
from . import clocks
from .availability import Obstacle, environment_or_obstacle
from .environment import Environment

if TYPE_CHECKING:
    from .refused import Refused
    from .token_request import LiveToken

# A test that gets no answer shows its own line and one sentence, not the way to it.
__tracebackhide__ = True

#: A token with fewer seconds left is replaced.
MARGIN: Final = 60.0


class LiveSandbox:
    """Address, credentials and token of the sandbox (fixture ``optum_live``).

    The token is requested when it is first read, once a session (once a worker under xdist),
    and again when it has less than 60 seconds left.
    """

    def __init__(
        self, environment: Environment, learn: Callable[[str], None], refused: Refused
    ) -> None:
        self._environment = environment
        self._learn = learn
        self._refused = refused
        self._lock = threading.Lock()
        self._token: LiveToken | None = None

    def __repr__(self) -> str:
        return f"<LiveSandbox {self._environment.token_url}>"

    @property
    def base_url(self) -> str:
        """Scheme, host and port of the APIs (``OPTUM_BASE_URL``), no slash at the end."""
        return self._environment.base_url

    @property
    def token_url(self) -> str:
        """The token endpoint (``OPTUM_TOKEN_URL``)."""
        return self._environment.token_url

    @property
    def credentials(self) -> Credentials:
        """``(client_id, client_secret)`` from the environment; ``repr`` hides the secret.

        Raises :class:`~.http.LiveError` while a library holds the clock.
        """
        _check_clock()
        return self._environment.credentials

    @property
    def access_token(self) -> str:
        """A token that is good for at least 60 seconds.

        Raises :class:`~.http.LiveError`, one sentence, when the sandbox gives none or when a
        library holds the clock. A refusal is remembered: accounts get locked by repeated tries.
        """
        # Imported when it is first used: a run with credentials may have no live test.
        from .token_request import request_token

        _check_clock()
        with self._lock:
            if self._token is None or self._token.expires_at - time.time() < MARGIN:
                self._token = self._refused.ask(
                    lambda: request_token(self.token_url, self._environment.credentials)
                )
                self._learn(self._token.value)
            return self._token.value

    @property
    def headers(self) -> dict[str, str]:
        """``{"Authorization": "Bearer …"}`` with a good token, as the documentation page asks."""
        return {"Authorization": f"Bearer {self.access_token}"}


def _check_clock() -> None:
    library = clocks.frozen_by()
    if library is not None:
        from .http import LiveError

        raise LiveError(clocks.frozen_sentence(library))


def open_sandbox(request: pytest.FixtureRequest) -> LiveSandbox:
    """The sandbox for this session; skips or fails the test that there is an obstacle to.

    A test may ask for the fixture by ``request.getfixturevalue``, which no hook can see before.
    """
    environment = environment_or_obstacle(request.config)
    if isinstance(environment, Obstacle):
        if environment.fails:
            pytest.fail(environment.reason, pytrace=False)
        pytest.skip(environment.reason)
    from .refused import refused_in

    return LiveSandbox(environment, redaction.learner(request.config), refused_in(request))
