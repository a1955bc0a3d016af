"""The guard behind the transports: what they do not catch does not leave the machine.

A client that no transport knows (urllib3 alone, ``http.client``, sockets) comes to the point where
it asks for the address of a gateway host, or a proxy for a tunnel to it. There it is stopped.
"""

from __future__ import annotations

import http.client
import socket
from typing import Any, Final

from ..core import active
from ..patching import Interception, Method

__tracebackhide__ = True  # in the traceback of a test


class EscapedRequest(BaseException):
    """A request to a gateway host that no transport caught; nothing of it was sent.

    No ``Exception``, so that a client does not take it for an outage and tries again. The end of
    the test complains as well, for the client that swallows it nevertheless.
    """


def _stop(host: object) -> None:
    """Raise when ``host`` is one of a gateway that is active."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("latin-1")
    if not isinstance(host, str):
        return
    name = host.rstrip(".").lower()
    for gateway in active.gateways():
        if name in gateway.state.hosts:
            names = active.transports_of(gateway)
            message = (
                f"a connection to {name} was stopped: the client that opens it is none that "
                f"optum_auth intercepts ({', '.join(names)}). Ask for the fixture "
                "optum_server and let the client call optum_server.base_url: it serves the same "
                "fake over real HTTPS"
            )
            gateway.state.unexpected(message)
            gateway.state.note(f"a connection to {name} was stopped")
            raise EscapedRequest(message)


def _around_getaddrinfo(beneath: Method) -> Method:
    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _stop(host)
        return beneath(host, *args, **kwargs)

    return getaddrinfo


def _around_connect(beneath: Method) -> Method:
    def connect(sock: Any, address: Any) -> Any:
        if isinstance(address, tuple) and address:
            _stop(address[0])
        return beneath(sock, address)

    return connect


def _around_set_tunnel(beneath: Method) -> Method:
    def set_tunnel(connection: Any, host: Any, *args: Any, **kwargs: Any) -> Any:
        _stop(host)
        return beneath(connection, host, *args, **kwargs)

    return set_tunnel


class _AddressLookup(Interception):
    """``socket.getaddrinfo``, where it is not pytest-socket's own guard.

    That one lets nothing through, and is taken away by its name alone: covered, it would stay.
    """

    def rise(self) -> None:
        if getattr(socket.getaddrinfo, "__module__", None) != "pytest_socket":
            super().rise()


# pytest-socket and vcrpy replace the whole class, and may have done so before this module loads:
# these are the classes of the standard library themselves.
_SOCKET: Final = next(
    (cls for cls in socket.socket.__mro__ if cls.__module__ == "socket"), socket.socket
)
_HTTP_CONNECTION: Final = next(
    cls
    for cls in object.__subclasses__()
    if (cls.__module__, cls.__name__) == (http.client.__name__, "HTTPConnection")
)
_interceptions: Final = (
    _AddressLookup(socket, "getaddrinfo", _around_getaddrinfo),
    # A socket resolves a name itself when it is handed one.
    Interception(_SOCKET, "connect", _around_connect),
    Interception(_SOCKET, "connect_ex", _around_connect),
    Interception(_HTTP_CONNECTION, "set_tunnel", _around_set_tunnel),
)


def install() -> None:
    """Stop connections to the hosts of every gateway that is active."""
    for interception in _interceptions:
        interception.install()


def remove() -> None:
    """Undo :func:`install`."""
    for interception in reversed(_interceptions):
        interception.remove()
