"""One HTTP exchange over the standard library, for live calls only.

The HTTP libraries that a user has may be mocked, patched or missing: the sandbox is called
without them. Proxies (``HTTPS_PROXY``, ``NO_PROXY``) and ``SSL_CERT_FILE`` count as usual.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import traceback
import urllib.error
import urllib.request
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Final
from urllib.parse import urlsplit

from . import hosts

# A test that gets no answer shows its own line and one sentence, not the way to it.
__tracebackhide__ = True

#: Seconds to wait for a connection, and for each read.
TIMEOUT: Final = 15.0
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
) -> Answer:
    """Send one request and read the whole answer, whatever its status.

    ``context`` decides about TLS (default: Python's). Raises :class:`LiveError` when no HTTP
    answer came.
    """
    host = hosts.normal_host(urlsplit(url).hostname or "")
    handlers: list[urllib.request.BaseHandler] = [
        _AnyStatus(),
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
    ]
    if hosts.is_loopback(host):
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except _CALL_FAILED as error:
        sentence = _explain(host, _cause(error), timeout)
        with warnings.catch_warnings():
            # Python 3.10 leaves the socket of a refused tunnel to be found unclosed, some tests on.
            warnings.simplefilter("ignore", ResourceWarning)
            traceback.clear_frames(_cause(error).__traceback__)
    # Raised out here, so that the library's exception, which holds the request, is not its context.
    raise LiveError(sentence)


def _cause(error: BaseException) -> BaseException:
    """What urllib wraps, where it does."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else None
    return reason if isinstance(reason, BaseException) else error


def _explain(host: str, cause: BaseException, timeout: float) -> str:
    """Why no answer came from ``host``, and what to look at."""
    if isinstance(cause, socket.gaierror):
        return (
            f"The name {host} cannot be resolved (DNS): check the network or VPN, HTTPS_PROXY, "
            "and the host in OPTUM_TOKEN_URL."
        )
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {host} is not trusted ({cause.verify_message}): if a company "
            "proxy signs it, point SSL_CERT_FILE to the proxy's CA."
        )
    if isinstance(cause, ssl.SSLError):
        return (
            f"No TLS connection to {host} ({cause.reason or 'handshake failed'}): check that the "
            "port in OPTUM_TOKEN_URL speaks HTTPS and that no proxy breaks TLS."
        )
    if isinstance(cause, TimeoutError):
        return (
            f"No answer from {host} within {timeout:g} seconds: check HTTPS_PROXY and the "
            "firewall, or try again later."
        )
    if isinstance(cause, ConnectionRefusedError):
        return (
            f"{host} refused the connection: check host and port in OPTUM_TOKEN_URL, and "
            "HTTPS_PROXY."
        )
    if isinstance(cause, (http.client.HTTPException, ConnectionError)):
        return (
            f"{host} closed the connection without an HTTP answer ({type(cause).__name__}): "
            "check OPTUM_TOKEN_URL and HTTPS_PROXY, or try again later."
        )
    return (
        f"No connection to {host} ({type(cause).__name__}: {cause}): check the network, "
        "HTTPS_PROXY and OPTUM_TOKEN_URL."
    )
