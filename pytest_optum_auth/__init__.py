"""A pytest plugin that plays Optum's OAuth2 token endpoint, and the APIs behind it.

The names below are imported when they are used: loading the plugin costs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import faults
    from .checks.client_check import ClientCheck
    from .clock import Clock
    from .core.clients import Credentials
    from .core.fault import Fault
    from .core.holds import Hold
    from .core.injection import Injection
    from .core.journal import Exchange, Exchanges
    from .core.replies import Reply
    from .core.routes import ApiRoute
    from .core.tokens import Token
    from .fake import FakeOptum
    from .live.sandbox import LiveSandbox
    from .live.target import Target
    from .server.served import Server

_ROOMS = {
    "ApiRoute": "core.routes",
    "ClientCheck": "checks.client_check",
    "Clock": "clock",
    "Credentials": "core.clients",
    "Exchange": "core.journal",
    "Exchanges": "core.journal",
    "FakeOptum": "fake",
    "Fault": "core.fault",
    "Hold": "core.holds",
    "Injection": "core.injection",
    "LiveSandbox": "live.sandbox",
    "Reply": "core.replies",
    "Server": "server.served",
    "Target": "live.target",
    "Token": "core.tokens",
}

_FIXTURES = (
    "optum_auth",
    "optum_clock",
    "optum_responses",
    "optum_respx",
    "optum_client_check",
    "optum_env",
    "optum_server",
    "optum_live",
    "optum_target",
)

__all__ = [
    "ApiRoute",
    "ClientCheck",
    "Clock",
    "Credentials",
    "Exchange",
    "Exchanges",
    "FakeOptum",
    "Fault",
    "Hold",
    "Injection",
    "LiveSandbox",
    "Reply",
    "Server",
    "Target",
    "Token",
    "faults",
]


# A type checker would take it to mean that every name is there. `dir()` does not list them: when
# freezegun starts it asks each module for all that it lists, and would load the whole package.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "faults":
            return importlib.import_module(".faults", __name__)
        if name in _ROOMS:
            return getattr(importlib.import_module(f".{_ROOMS[name]}", __name__), name)
        if name in _FIXTURES:
            # No AttributeError, whose sentence an import statement would drop.
            raise ImportError(
                f"{name} is a fixture: a test takes it as an argument, def test_it({name}):, and "
                "nothing is imported"
            )
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
