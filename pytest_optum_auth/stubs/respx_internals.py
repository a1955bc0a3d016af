"""respx's inside, as far as this project needs it: here and nowhere else.

Each of these names has a test that fails when it is gone: ``respx.mocks.Mocker.registry``, its
mockers' ``routers`` and ``targets``, and ``Router._assert_all_called``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from respx import Router


def answers_connections(core: str) -> bool:
    """Whether a router that is started answers for the connections of the package ``core``."""
    mocks: Any = sys.modules.get("respx.mocks")
    return mocks is not None and any(
        mocker.routers and any(target.startswith(f"{core}.") for target in mocker.targets)
        for mocker in mocks.Mocker.registry.values()
    )


def wants_all_called(router: Router) -> bool:
    """Whether a route that nobody called is a fault of the test."""
    return bool(router._assert_all_called)


def want_all_called(router: Router, wanted: bool) -> None:
    """What respx's own marker sets."""
    router._assert_all_called = wanted
