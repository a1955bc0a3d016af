"""A pytest plugin that plays Optum's OAuth2 token endpoint, and the APIs behind it.

The names below are imported when they are used: loading the plugin costs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import faults
    from .clients import Credentials
    from .clock import Clock
    from .fake import FakeOptum
    from .faults import Fault
    from .holds import Hold
    from .injection import Injection
    from .journal import Exchange
    from .live.sandbox import LiveSandbox
    from .live.target import Target
    from .routes import ApiRoute
    from .server.served import Server
    from .tokens import Token

_ROOMS = {
    "ApiRoute": "routes",
    "Clock": "clock",
    "Credentials": "clients",
    "Exchange": "journal",
    "FakeOptum": "fake",
    "Fault": "faults",
    "Hold": "holds",
    "Injection": "injection",
    "LiveSandbox": "live.sandbox",
    "Server": "server.served",
    "Target": "live.target",
    "Token": "tokens",
}

__all__ = [
    "ApiRoute",
    "Clock",
    "Credentials",
    "Exchange",
    "FakeOptum",
    "Fault",
    "Hold",
    "Injection",
    "LiveSandbox",
    "Server",
    "Target",
    "Token",
    "faults",
]


def __getattr__(name: str) -> Any:
    if name == "faults":
        return importlib.import_module(".faults", __name__)
    if name in _ROOMS:
        return getattr(importlib.import_module(f".{_ROOMS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
