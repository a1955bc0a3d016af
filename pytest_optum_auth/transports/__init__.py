"""Between the client libraries and the gateway: what is intercepted, while somebody asks for it.

Each transport is a module with ``install()`` and ``remove()`` and knows one library. Only requests
to gateway hosts are touched; everything else goes on to whatever would have handled it.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterable
from types import ModuleType
from typing import Final

from ..gateway import Gateway
from ..messages import host_of
from . import late

TRANSPORTS: Final = ("requests", "httpx", "httpx2", "aiohttp")

_lock: Final = threading.Lock()
# Of the process, since the methods that are intercepted are: which gateways answer now, the
# latest first, and with which transports.
_active: Final[list[tuple[Gateway, tuple[str, ...]]]] = []


def chosen(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The transports of ``names``; ``None``: all, those whose library is not installed do nothing.

    Raises ``ValueError`` for a name that no transport has, and for one that is asked for by name
    while its library is not installed; ``TypeError`` for a string.
    """
    if names is None:
        return TRANSPORTS
    if isinstance(names, str):
        raise TypeError(f"transports={names!r}: give a list of names, as in {names.split()!r}")
    wanted = tuple(names)
    for name in wanted:
        if name not in TRANSPORTS:
            raise ValueError(f"unknown transport {name!r}: known are {', '.join(TRANSPORTS)}")
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            raise ValueError(
                f"transport {name!r} needs the library of that name: install {name} or take it "
                "out of optum_transports"
            )
    return wanted


def load(name: str) -> ModuleType:
    """The module of a transport."""
    return importlib.import_module(f"{__name__}.{name}_")


def load_imported() -> None:
    """Load every transport whose library has been imported, and the guard behind them."""
    for name in TRANSPORTS:
        if name in sys.modules:
            load(name)
    _guard()


def activate(gateway: Gateway, names: tuple[str, ...]) -> None:
    """From now on requests to the gateway's hosts are answered by ``gateway``."""
    # Outside of the lock: another thread may import the library, and then wants it.
    loaded = {name: load(name) for name in names if name in sys.modules}
    with _lock:
        for name in names:
            if name in loaded:
                loaded[name].install()
            else:
                late.watch(name, functools.partial(_imported, name))
        _guard().install()
        _active.insert(0, (gateway, names))


def deactivate(gateway: Gateway) -> None:
    """Undo :func:`activate`; a transport that nobody else uses is taken out."""
    with _lock:
        names = next((names for active, names in _active if active is gateway), ())
        _active[:] = [entry for entry in _active if entry[0] is not gateway]
        used = {name for _, others in _active for name in others}
        for name in reversed(names):
            if name not in used:
                late.unwatch(name)
                transport = sys.modules.get(f"{__name__}.{name}_")
                if transport is not None:
                    transport.remove()
        if not _active:
            _guard().remove()


def _imported(name: str) -> None:
    transport = load(name)
    with _lock:
        if any(name in names for _, names in _active):
            transport.install()


def _guard() -> ModuleType:
    """Stops what comes past every transport."""
    from . import escape

    return escape


def gateway_for(url: str) -> Gateway | None:
    """The gateway that answers for the host of ``url``, or ``None``: not ours."""
    return gateway_at(host_of(url)) if _active else None


def gateway_at(host: str) -> Gateway | None:
    """The gateway that answers at ``host`` (lower case), or ``None``: not ours."""
    for gateway, _ in _active:
        if host.rstrip(".") in gateway.hosts:
            return gateway
    return None


def active() -> list[Gateway]:
    """The gateways that answer now, the latest first."""
    return [gateway for gateway, _ in _active]
