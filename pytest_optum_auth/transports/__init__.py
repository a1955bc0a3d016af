"""Between the client libraries and the gateway: what is intercepted, while somebody asks for it.

Each transport is a module with ``install()`` and ``remove()`` and knows one library. Only requests
to gateway hosts are touched; everything else goes on to whatever would have handled it.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Iterable
from types import ModuleType
from typing import Final

from ..gateway import Gateway
from ..messages import host_of

TRANSPORTS: Final = ("requests", "httpx", "httpx2", "aiohttp")

_lock: Final = threading.Lock()
# Of the process, since the methods that are intercepted are: which gateways answer now, the
# latest first, and with which transports.
_active: Final[list[tuple[Gateway, tuple[str, ...]]]] = []


def chosen(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The transports of ``names`` that can be used; ``None``: all whose library is installed.

    Raises ``ValueError`` for a name that no transport has, and for one that is asked for by name
    while its library is not installed.
    """
    wanted = TRANSPORTS if names is None else tuple(names)
    for name in wanted:
        if name not in TRANSPORTS:
            raise ValueError(f"unknown transport {name!r}: known are {', '.join(TRANSPORTS)}")
    installed = tuple(n for n in wanted if importlib.util.find_spec(n) is not None)
    missing = [name for name in wanted if name not in installed]
    if names is not None and missing:
        raise ValueError(
            f"transport {missing[0]!r} needs the library of that name: install {missing[0]} or "
            "take it out of optum_transports"
        )
    return installed


def load(name: str) -> ModuleType:
    """The module of a transport."""
    return importlib.import_module(f"{__name__}.{name}_")


def load_all() -> None:
    """Load every transport whose library is installed."""
    for name in chosen():
        load(name)


def activate(gateway: Gateway, names: tuple[str, ...]) -> None:
    """From now on requests to the gateway's hosts are answered by ``gateway``."""
    with _lock:
        for name in names:
            load(name).install()
        _guard().install()
        _active.insert(0, (gateway, names))


def deactivate(gateway: Gateway) -> None:
    """Undo :func:`activate`; a transport that nobody else uses is taken out."""
    with _lock:
        names = next((names for active, names in _active if active is gateway), ())
        _active[:] = [entry for entry in _active if entry[0] is not gateway]
        still = {name for _, others in _active for name in others}
        for name in reversed(names):
            if name not in still:
                load(name).remove()
        if not _active:
            _guard().remove()


def _guard() -> ModuleType:
    """Stops what comes past every transport."""
    from . import escape

    return escape


def gateway_for(url: str) -> Gateway | None:
    """The gateway that answers for the host of ``url``, or ``None``: not ours."""
    if not _active:
        return None
    host = host_of(url)
    return next((gateway for gateway, _ in _active if host in gateway.hosts), None)


def active() -> list[Gateway]:
    """The gateways that answer now, the latest first."""
    return [gateway for gateway, _ in _active]
