"""The guard behind the transports: what they do not catch does not leave the machine.

A client that no transport knows (urllib3 alone, ``http.client``, sockets) comes to the point where
it asks for the address of a gateway host, or a proxy for a tunnel to it. There it is stopped.
"""

from __future__ import annotations

from .. import network_watch
from ..core import active

__tracebackhide__ = True  # in the traceback of a test


class EscapedRequest(Exception):
    """A request to a gateway host that no transport caught; nothing of it was sent.

    An ``Exception``, since some clients (tornado) wait for ever for the answer to a request that
    ended with anything else. The end of the test complains as well, for the client that takes it
    for an outage.
    """


def _stop(host: str) -> None:
    """Raise when ``host`` is one of a gateway that is active."""
    gateway = active.gateway_at(host)
    if gateway is None:
        return
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
    """Stop connections to the hosts of every gateway that is active."""
    network_watch.watch(_stop)


def remove() -> None:
    """Undo :func:`install`."""
    network_watch.unwatch(_stop)
