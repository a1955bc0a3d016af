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
        ),
        "connect",
    ),
}


def network_fault(error: Exception, stubs: str) -> NetworkFault | None:
    """What ``error``, raised by a stub, means on the wire; ``None``: nothing that a wire does."""
    for kind in type(error).__mro__:
        library = kind.__module__.partition(".")[0]
        if library in _LIBRARIES and kind.__name__ in _KINDS:
            message = str(error) or type(error).__name__
            return NetworkFault(_KINDS[kind.__name__], f"{message} (a stub of {stubs})", error)
    return None
