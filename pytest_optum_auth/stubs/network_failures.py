"""Exceptions that a stub raises: which failure of the network each of them means.

So that every client meets the exception of its own library for it, whoever wrote the stub. Known by
the names of their classes, since none of the libraries need be there.
"""

from __future__ import annotations

from typing import Final

from ..core.messages import NetworkFault

_LIBRARIES: Final = frozenset(
    {
        "requests",
        "urllib3",
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "aiohttp",
        "asyncio",
        "builtins",
        "socket",
        "ssl",
    }
)
_KINDS: Final = {
    **dict.fromkeys(
        ("ConnectTimeout", "ConnectTimeoutError", "ConnectionTimeoutError", "PoolTimeout"),
        "connect timeout",
    ),
    **dict.fromkeys(
        ("Timeout", "TimeoutError", "TimeoutException", "ReadTimeoutError", "ServerTimeoutError"),
        "timeout",
    ),
    **dict.fromkeys(
        (
            "BrokenPipeError",
            "ChunkedEncodingError",
            "ClientPayloadError",
            "ConnectionAbortedError",
            "ConnectionResetError",
            "NetworkError",
            "ProtocolError",
            "ServerDisconnectedError",
        ),
        "disconnect",
    ),
    **dict.fromkeys(
        (
            "ClientConnectionError",
            "ConnectError",
            "ConnectionError",
            "NewConnectionError",
            "ProxyError",
            "SSLError",
            "gaierror",
        ),
        "connect",
    ),
}
# What each library derives its failures from, raised itself: of those that are derived from it some
# are no failure of a network.
_ITSELF: Final = {
    **dict.fromkeys(
        ("ClientError", "RequestError", "RequestException", "TransportError"), "disconnect"
    ),
    "OSError": "connect",
}


def network_fault(error: Exception, stubs: str) -> NetworkFault | None:
    """What ``error``, raised by a stub, means on the wire; ``None``: nothing that a wire does."""
    raised = type(error)
    for cls, kinds in [*((cls, _KINDS) for cls in raised.__mro__), (raised, _ITSELF)]:
        if cls.__module__.partition(".")[0] in _LIBRARIES and cls.__name__ in kinds:
            message = str(error) or raised.__name__
            return NetworkFault(kinds[cls.__name__], f"{message} (a stub of {stubs})", error)
    return None
