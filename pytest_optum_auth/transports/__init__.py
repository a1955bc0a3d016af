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
import warnings
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Final

from .. import import_hook
from ..core import active
from ..core.gateway import Gateway

TRANSPORTS: Final = ("requests", "httpx", "httpx2", "aiohttp")

_lock: Final = threading.Lock()
# By the library: what knows it, or why it cannot be intercepted.
_loaded: Final[dict[str, ModuleType]] = {}
_why_not: Final[dict[str, str]] = {}
# Those whose methods are replaced now.
_standing: Final[dict[str, ModuleType]] = {}


class _Kept:
    """What stands although no gateway uses it: the next test is about to."""

    names: set[str] | None = None


def chosen(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """The transports of ``names``; ``None``: all, those whose library is not installed do nothing.

    Raises ``ValueError`` for a name that no transport has, and for one that is asked for by name
    while its library is not installed; ``TypeError`` for what is no list of them.
    """
    if names is None:
        return TRANSPORTS
    if isinstance(names, str) or not isinstance(names, Iterable):
        example = names.split() if isinstance(names, str) else list(TRANSPORTS[:1])
        raise TypeError(f"transports={names!r}: give a list of names, as in {example!r}")
    wanted = tuple(names)
    for name in wanted:
        if name not in TRANSPORTS:
            raise ValueError(f"unknown transport {name!r}: known are {', '.join(TRANSPORTS)}")
        if not _is_imported(name) and not _is_installed(name):
            raise ValueError(
                f"transport {name!r} needs the library of that name: install {name} or take it "
                "out of optum_transports"
            )
    return wanted


def load(name: str) -> ModuleType | None:
    """The module of a transport; ``None`` where its library is another than the one it knows."""
    if name not in _loaded and name not in _why_not:
        try:
            _loaded[name] = importlib.import_module(f"{__name__}.{name}_")
        except Exception as problem:
            _why_not[name] = f"{type(problem).__name__}: {problem}"
    return _loaded.get(name)


def load_imported() -> None:
    """Load every transport whose library has been imported, and the guard behind them."""
    for name in filter(_is_imported, TRANSPORTS):
        load(name)
    _guard()


def expect(gateway: Gateway) -> None:
    """Until :func:`activate`, or as long as ``gateway`` exists, let nothing out to its hosts."""
    active.expect(gateway)
    _guard().stand_by()


def activate(gateway: Gateway, names: tuple[str, ...]) -> None:
    """From now on requests to the gateway's hosts are answered by ``gateway``.

    A library that cannot be intercepted is a warning, and left to the guard.
    """
    # Outside of the lock: another thread may import the library, and then wants it.
    loaded = {name: load(name) for name in names if name not in _standing and _is_imported(name)}
    for name, transport in loaded.items():
        if transport is None:
            _warn(name)
    with _lock:
        names = tuple([name for name in names if name not in _why_not])
        for name in names:
            transport = _standing.get(name) or loaded.get(name)
            if transport is not None:
                _put_in(name, transport)
        import_hook.watch(_LATE)
        is_first = not active.gateways()
        # Before the guard stands: it leaves when nobody needs it.
        active.add(gateway, names)
        if is_first:
            _guard().install()


def deactivate(gateway: Gateway) -> None:
    """Undo :func:`activate`; a transport that nobody else uses is taken out, unless it is kept."""
    with _lock:
        names = active.remove(gateway)
        if _Kept.names is None:
            _take_out(names)
        else:
            _Kept.names.update(names)


def keep() -> None:
    """Until :func:`release`, leave standing what :func:`deactivate` would take out.

    Between two tests that both use a fake: to take two dozen methods out and to put them in again
    is a good part of what a small test costs. They let everything through meanwhile.
    """
    with _lock:
        _Kept.names = _Kept.names or set()


def release() -> None:
    """Take out what was kept and is of no use any more."""
    with _lock:
        names, _Kept.names = _Kept.names, None
        if names is not None:
            _take_out(tuple(n for n in TRANSPORTS if n in names and not active.uses(n)))


def _put_in(name: str, transport: ModuleType) -> None:
    transport.install()
    _standing[name] = transport


def _take_out(names: tuple[str, ...]) -> None:
    for name in reversed(names):
        if name in _standing:
            _standing.pop(name).remove()
    if not active.gateways():
        import_hook.unwatch(_LATE)
    _guard().remove_unless_needed()


def _imported(name: str) -> None:
    with _lock:
        if not active.uses(name):
            return
    transport = load(name)
    if transport is None:
        _warn(name)
        return
    with _lock:
        if active.uses(name):
            _put_in(name, transport)


def _is_imported(name: str) -> bool:
    # A suite that does without a library puts None there, a mock, or a module of its own.
    module: Any = sys.modules.get(name)
    is_module = issubclass(type(module), ModuleType)
    return is_module and hasattr(module, "__path__") and module.__spec__ is not None


def _is_installed(name: str) -> bool:
    return name not in sys.modules and importlib.util.find_spec(name) is not None


def _warn(name: str) -> None:
    version = getattr(sys.modules[name], "__version__", "of an unknown version")
    warnings.warn(
        f"{name} {version} cannot be intercepted ({_why_not[name]}): the fake does not answer its "
        f"requests, and stops those to a gateway host. Install a version of {name} that "
        "pytest-optum-auth knows, or leave it out of optum_transports",
        stacklevel=2,
    )


_LATE: Final = {name: functools.partial(_imported, name) for name in TRANSPORTS}


@functools.cache
def _guard() -> ModuleType:
    """Stops what comes past every transport."""
    from . import egress_guard

    return egress_guard
