"""The requests of the contract: ten in all, each sent to the sandbox once."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Callable, Sequence
from email.message import Message
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from ...core import facts
from ...core.clients import Credentials
from ..sandbox import http as wire
from ..sandbox.http import Answer, LiveError
from ..sandbox.refused import Refused
from ..sandbox.token_request import check_answer, is_from_elsewhere, is_page, refuses_client
from ..target import Target
from . import tls

# A test that gets no answer shows its own line and one sentence, not the way to it.
__tracebackhide__ = True

Send = Callable[[str, str, dict[str, str], "bytes | None"], Answer]

#: Workers of xdist share no answers. Two of them send 12 requests at most: each asks for a token
#: and, at worst, tries the wrong secret.
MOST_WORKERS: Final = 2
_LIBRARIES: Final = ("httpx", "requests", "httpx2")
_RIGHT: Final = "right"
# Made up, so that no part of a real credential is in it.
_NOBODY: Final = "pytest-optum-auth-nobody"
_WRONG: Final = "pytest-optum-auth-wrong-secret"


class Probes:
    """Asks the token endpoint of a target, and remembers what the sandbox said.

    ``memory`` outlives the test: one sandbox answer serves every promise that it shows.
    ``refused`` is what a live run knows of its credentials, ``None`` on the fake: there the right
    request comes first, and nothing else is sent when it gets no answer.
    """

    def __init__(
        self,
        target: Target,
        send: Send,
        memory: dict[str, Answer | LiveError],
        refused: Refused | None = None,
    ) -> None:
        self._target = target
        self._send = send
        self._memory = memory
        self._refused = refused
        # What the table tells: the promise was kept in the shape of a Keycloak realm.
        self.as_keycloak = False

    def right(self) -> Answer:
        """A request as the documentation page shows it."""
        return self._form(_RIGHT, {})

    def json_body(self) -> Answer:
        """The right fields, as JSON."""
        body = json.dumps(self._fields({})).encode()
        return self._ask("json_body", "POST", facts.JSON, body)

    def without(self, field: str) -> Answer:
        """The right fields, one left out."""
        return self._form(f"without {field}", {field: None})

    def other_grant_type(self) -> Answer:
        """A grant type of OAuth that Optum does not offer (RFC 6749 section 4.3)."""
        return self._form("other_grant_type", {"grant_type": "password"})

    def wrong_secret(self) -> Answer:
        """The right client with a made-up secret: tried once by each process."""
        return self._form("wrong_secret", {"client_secret": _WRONG})

    def unknown_client(self) -> Answer:
        """A client that does not exist."""
        return self._form("unknown_client", {"client_id": _NOBODY, "client_secret": _WRONG})

    def refused_scope(self) -> Answer:
        """A scope that nobody was granted."""
        return self._form("refused_scope", {"scope": _NOBODY})

    def get(self) -> Answer:
        """GET, without credentials: they would end up in a URL."""
        return self._ask("get", "GET", None, None)

    def answers_old_tls(self) -> bool | None:
        """Whether the endpoint talks TLS below 1.2; ``None`` when it cannot be tried from here.

        A refused handshake sends no request. One that succeeds sends a GET without credentials.
        """
        # Reachable at all? Else everything would look like a refusal. Every worker has this answer
        # anyway, or will.
        self.right()
        context = tls.old_context()
        if context is None or not self._target.token_url.startswith("https:"):
            return None
        try:
            wire.send("GET", self._target.token_url, headers={}, body=None, context=context)
        except LiveError:
            return False
        return True

    def _fields(self, changed: dict[str, str | None]) -> dict[str, str]:
        credentials: Credentials = self._target.credentials
        fields: dict[str, str | None] = {
            "grant_type": facts.GRANT_TYPE,
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            **changed,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _form(self, name: str, changed: dict[str, str | None]) -> Answer:
        body = urlencode(self._fields(changed)).encode()
        return self._ask(name, "POST", facts.FORM, body)

    def _ask(self, name: str, method: str, media_type: str | None, body: bytes | None) -> Answer:
        if self._refused is not None and name != _RIGHT:
            self.right()
        # A sandbox that cannot be reached is not tried ten times.
        known = self._memory.get("unreachable") or self._memory.get(name)
        if known is None:
            headers = {"Accept": facts.JSON, "User-Agent": "pytest-optum-auth"}
            if media_type is not None:
                headers["Content-Type"] = media_type

            def send() -> Answer:
                return self._send(method, self._target.token_url, headers, body)

            try:
                known = self._memory[name] = self._checked(name, send)
            except LiveError as error:
                known = self._memory["unreachable"] = error
        if isinstance(known, LiveError):
            raise LiveError(str(known))
        return known

    def _checked(self, name: str, send: Callable[[], Answer]) -> Answer:
        """The answer, unless the sandbox says no, or is busy: that is no drift."""
        if self._refused is None:
            return send()
        host = urlsplit(self._target.token_url).hostname or ""
        if name == _RIGHT:
            return self._refused.ask(lambda: _no_outage(host, send()))
        answer = send()
        if is_from_elsewhere(answer):
            check_answer(host, answer)
        return answer


def _no_outage(host: str, answer: Answer) -> Answer:
    """``answer``, also one that breaks a promise: a right request that is called wrong."""
    is_success = 200 < answer.status < 300 and not is_page(answer)
    if not (is_success or (answer.status in (400, 415) and not refuses_client(answer))):
        check_answer(host, answer)
    return answer


def too_many_workers() -> str | None:
    """Why the sandbox is not asked from this run, as a sentence; ``None`` when it may be."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers <= MOST_WORKERS:
        return None
    return (
        f"{workers} xdist workers would send the sandbox more than 12 requests: run the contract "
        f"with -n 0, or with -n {MOST_WORKERS} at most."
    )


def live_send(method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
    """Send over the standard library: errors are one sentence each."""
    return wire.send(method, url, headers=headers, body=body)


def fake_send(intercepted: Sequence[str]) -> Send | None:
    """Send through a client library that the fake intercepts; ``None`` when none is installed.

    ``intercepted`` are the libraries of ini ``optum_transports``, empty for all.
    """
    for name in _LIBRARIES:
        if not intercepted or name in intercepted:
            with contextlib.suppress(ImportError):
                return partial(_send_through, importlib.import_module(name))
    return None


def _send_through(
    library: Any, method: str, url: str, headers: dict[str, str], body: bytes | None
) -> Answer:
    # The libraries agree on everything here but the name of the body.
    content = {"data" if library.__name__ == "requests" else "content": body}
    response = library.request(method, url, headers=headers, **content)
    message = Message()
    for name, value in response.headers.items():
        message[name] = value
    return Answer(response.status_code, message, response.content)
