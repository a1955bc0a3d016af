"""Which gateways answer now, and with which transports.

Of the process, since the methods of the client libraries that are replaced are.
"""

from __future__ import annotations

import weakref
from typing import Final

from .gateway import Gateway
from .messages import host_of

#: Of fakes that were made and never entered: they answer nobody, and a user may think they do.
unentered: Final[weakref.WeakSet[Gateway]] = weakref.WeakSet()
# The latest first.
_active: Final[list[tuple[Gateway, tuple[str, ...]]]] = []


def add(gateway: Gateway, transports: tuple[str, ...]) -> None:
    """From now on ``gateway`` answers, before those that did already."""
    gateway.answers_here()
    unentered.discard(gateway)
    _active.insert(0, (gateway, transports))


def remove(gateway: Gateway) -> tuple[str, ...]:
    """Undo :func:`add`; returns the transports of ``gateway`` that no other one uses now."""
    names = transports_of(gateway)
    _active[:] = [entry for entry in _active if entry[0] is not gateway]
    return tuple(name for name in names if not uses(name))


def gateways() -> list[Gateway]:
    """The gateways that answer now, the latest first."""
    return [gateway for gateway, _ in _active]


def uses(transport: str) -> bool:
    """Whether some gateway answers the requests of ``transport``."""
    return any(transport in names for _, names in _active)


def gateway_for(url: str) -> Gateway | None:
    """The gateway that answers for the host of ``url``, or ``None``: not ours."""
    return gateway_at(host_of(url)) if _active else None


def gateway_at(host: str) -> Gateway | None:
    """The gateway that answers at ``host`` (lower case), or ``None``: not ours."""
    for gateway, _ in _active:
        if host.rstrip(".") in gateway.state.hosts:
            return gateway
    return None


def transports_of(gateway: Gateway) -> tuple[str, ...]:
    """The transports whose requests ``gateway`` answers."""
    return next((names for active, names in _active if active is gateway), ())
