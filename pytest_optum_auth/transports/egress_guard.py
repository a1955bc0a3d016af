"""The guard behind the transports: what they do not catch does not leave the machine.

A client that no transport knows (urllib3 alone, ``http.client``, sockets), or that has only a fake
which is not entered, comes to the point where it asks for the address of a gateway host, or a proxy
for a tunnel to it. There it is stopped.
"""

from __future__ import annotations

import threading
from typing import Final

from .. import network_watch
from ..core import active
from ..core.gateway import Gateway

__tracebackhide__ = True  # in the traceback of a test

#: How a fake that is not entered is told.
NOT_ENTERED: Final = (
    "a FakeOptum() was made but not entered, and answers only inside of `with FakeOptum() as "
    "optum:`"
)
_lock: Final = threading.Lock()
# Who decides instead what a fake that is not entered lets out.
_deciders: Final[set[object]] = set()


class EscapedRequest(Exception):
    """A request to a gateway host that no transport caught; nothing of it was sent.

    An ``Exception``, since some clients (tornado) wait for ever for the answer to a request that
    ended with anything else. The end of the test complains as well, for the client that takes it
    for an outage.
    """


def stopped_in(error: BaseException | None) -> EscapedRequest | None:
    """The stop of a connection that ``error`` is, or that a library has wrapped in it."""
    while error is not None and not isinstance(error, EscapedRequest):
        error = error.__cause__ or error.__context__
    return error


def _stop(host: str) -> None:
    """Raise when ``host`` is one of a gateway that is active, or is expected to be."""
    gateway = active.gateway_at(host)
    if gateway is not None:
        _stop_beside(gateway, host)
    if not _deciders and active.is_expected(host):
        raise EscapedRequest(f"a connection to {host} was stopped: {NOT_ENTERED}")
    # Nobody tells when the last fake that was not entered is collected.
    remove_unless_needed()


def _stop_beside(gateway: Gateway, host: str) -> None:
    names = active.transports_of(gateway)
    message = (
        f"a connection to {host} was stopped: the client that opens it is none that "
        f"optum_auth intercepts ({', '.join(names)}). Ask for the fixture "
        "optum_server and let the client call optum_server.base_url: it serves the same "
        "fake over real HTTPS"
    )
    gateway.state.unexpected(message)
    gateway.state.note(f"a connection to {host} was stopped")
    raise EscapedRequest(message)


def install() -> None:
    """Stop connections to the hosts of every gateway that is active, or is expected to be."""
    with _lock:
        network_watch.watch(_stop)


def stand_by() -> None:
    """:func:`install` for a gateway that is expected, unless somebody decides what it lets out."""
    if not _deciders:
        install()


def remove_unless_needed() -> None:
    """Undo :func:`install` when there is no such gateway."""
    # Whoever has the lock installs or removes at this moment, and may be this very thread.
    if _lock.acquire(blocking=False):
        try:
            if not active.is_any():
                network_watch.unwatch(_stop)
        finally:
            _lock.release()


def leave_to(decider: object) -> None:
    """Let everything pass a fake that is not entered, until :func:`take_from` the same."""
    _deciders.add(decider)


def take_from(decider: object) -> None:
    """Undo :func:`leave_to`."""
    _deciders.discard(decider)
