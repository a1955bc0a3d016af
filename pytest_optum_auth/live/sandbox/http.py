"""One HTTP exchange over the standard library, for live calls only.

The HTTP libraries that a user has may be mocked, patched or missing: the sandbox is called
without them. Proxies (``HTTPS_PROXY``, ``NO_PROXY``) and ``SSL_CERT_FILE`` count as usual.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import traceback
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Final

from . import hosts
from .explanation import Way, explain

# A test that gets no answer shows its own line and one sentence, not the way to it.
__tracebackhide__ = True

#: Seconds to wait for a connection, and for each read.
TIMEOUT: Final = 15.0
#: Seconds for the whole exchange: a server that drips never lets a single read wait.
DEADLINE: Final = 30.0
#: Bytes of an answer; a token needs a thousandth of them.
LARGEST: Final = 1_000_000
_CALL_FAILED: Final = (OSError, http.client.HTTPException)


class LiveError(RuntimeError):
    """A live call that got no usable answer; the message is one sentence with the next step."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said. ``repr`` leaves the body out: it may hold a token."""

    status: int
    headers: Message
    body: bytes = field(repr=False)


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Hands every status back: an error is an answer, and no redirect is followed.

    A redirect would carry the secret to a host that nobody checked.
    """

    def http_response(self, request: urllib.request.Request, response: Any) -> Any:
        return response

    https_response = http_response


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    context: ssl.SSLContext | None = None,
    timeout: float = TIMEOUT,
    deadline: float = DEADLINE,
) -> Answer:
    """Send one request and read the whole answer, whatever its status.

    ``context`` decides about TLS (default: Python's). ``timeout`` (seconds) is for each wait,
    ``deadline`` for all of it. Raises :class:`LiveError` when no HTTP answer came, or one of more
    than a million bytes.
    """
    way = Way.to(url)
    handlers: list[urllib.request.BaseHandler] = [
        _AnyStatus(),
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
    ]
    if hosts.is_loopback(way.host):
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
    got = _within(deadline, lambda: _exchanged(handlers, request, timeout))
    if isinstance(got, Answer):
        if len(got.body) <= LARGEST:
            return got
        sentence = (
            f"{way.host} answered with more than {LARGEST:,} bytes: check that OPTUM_TOKEN_URL is "
            "the token endpoint."
        )
    elif got is None:
        sentence = (
            f"No whole answer from {way.host} within {deadline:g} seconds: check HTTPS_PROXY and "
            "the firewall, or try again later."
        )
    elif isinstance(got, _CALL_FAILED):
        sentence = explain(way, _cause(got), timeout)
        _let_go(got)
    else:
        raise got
    # The library's exception, which holds the request, is not its context.
    raise LiveError(sentence)


def _exchanged(
    handlers: list[urllib.request.BaseHandler], request: urllib.request.Request, timeout: float
) -> Answer:
    with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
        body = response.read(LARGEST + 1)
        if len(body) <= LARGEST and response.length:
            # Read in part, it does not tell by itself that the connection was cut.
            raise http.client.IncompleteRead(b"", response.length)
        return Answer(response.status, response.headers, body)


def _within(seconds: float, exchanged: Callable[[], Answer]) -> Answer | BaseException | None:
    """What came of it, or was raised; ``None``: nothing yet."""
    outcome: list[Answer | BaseException] = []

    def work() -> None:
        try:
            outcome.append(exchanged())
        except BaseException as error:  # handed to the caller, whatever it is
            outcome.append(error)

    # Nothing interrupts a look-up of a name, or a server that sends a byte now and then.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else None


def _cause(error: BaseException) -> BaseException:
    """What urllib wraps, where it does."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else None
    return reason if isinstance(reason, BaseException) else error


def _let_go(error: BaseException) -> None:
    with warnings.catch_warnings():
        # Python 3.10 leaves the socket of a refused tunnel to be found unclosed, some tests on.
        warnings.simplefilter("ignore", ResourceWarning)
        traceback.clear_frames(_cause(error).__traceback__)
