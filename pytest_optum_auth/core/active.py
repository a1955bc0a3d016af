"""Which gateways answer now, and with which transports.

Of the process, since the methods of the client libraries that are replaced are.
"""

from __future__ import annotations

import gc
import weakref
from typing import Final

from .gateway import Gateway
from .messages import host_of

# Of fakes that were made and never entered: they answer nobody, and a user may think they do.
_unentered: Final[weakref.WeakKeyDictionary[Gateway, None]] = weakref.WeakKeyDictionary()
# The latest first.
_active: Final[list[tuple[Gateway, tuple[str, ...]]]] = []


def expect(gateway: Gateway) -> None:
    """``gateway`` was made, and is to be added."""
    _unentered[gateway] = None


def add(gateway: Gateway, transports: tuple[str, ...]) -> None:
    """From now on ``gateway`` answers, before those that did already."""
    gateway.answers_here()
    _unentered.pop(gateway, None)
    _active.insert(0, (gateway, transports))


def remove(gateway: Gateway) -> tuple[str, ...]:
    """Undo :func:`add`; returns the transports of ``gateway`` that no other one uses now."""
    names = transports_of(gateway)
    _active[:] = [entry for entry in _active if entry[0] is not gateway]
    return tuple(name for name in names if not uses(name)) if _active else names


def gateways() -> list[Gateway]:
    """The gateways that answer now, the latest first."""
    return [gateway for gateway, _ in _active]


def is_any() -> bool:
    """Whether some gateway answers now, or is expected to."""
    return bool(_active or _unentered)


def is_expected(host: str) -> bool:
    """Whether a gateway that would answer at ``host`` (lower case) was made and never added."""
    if not _is_expected(host):
        return False
    # What nobody holds any more was nobody's mistake.
    gc.collect()
    return _is_expected(host)


def _is_expected(host: str) -> bool:
    # At once: another thread may make a fake meanwhile.
    made = [reference() for reference in _unentered.keyrefs()]
    return any(gateway is not None and host in gateway.state.hosts for gateway in made)


def uses(transport: str) -> bool:
    """Whether some gateway answers the requests of ``transport``."""
    return any(transport in names for _, names in _active)


def gateway_for(url: str, transport: str) -> Gateway | None:
    """The gateway that answers requests of ``transport`` for the host of ``url``, if one does."""
    return gateway_at(host_of(url), transport) if _active else None


def gateway_at(host: str, transport: str | None = None) -> Gateway | None:
    """The gateway that answers at ``host`` (lower case), or ``None``: not ours.

    ``transport``: it answers the requests of that one. Of several it is the latest of those whose
    own host that is; every gateway answers at the documented hosts as well.
    """
    host = host.rstrip(".")
    found: Gateway | None = None
    for gateway, names in _active:
        addresses = gateway.state.addresses
        if host in addresses.hosts and (transport is None or transport in names):
            if host in addresses.own_hosts:
                return gateway
            found = found or gateway
    return found


def transports_of(gateway: Gateway) -> tuple[str, ...]:
    """The transports whose requests ``gateway`` answers."""
    return next((names for active, names in _active if active is gateway), ())
