"""requests, and requests-mock above it, as soon as a test has loaded it."""

from __future__ import annotations

import sys
from typing import Final

from .. import import_hook
from ..stubs.foreign import REQUESTS_MOCK
from .requests_sending import INTERCEPTIONS


def install() -> None:
    """Requests of every ``requests.Session`` to a gateway host end at the gateway."""
    for interception in INTERCEPTIONS:
        interception.install()
    import_hook.watch(_LATE)
    if sys.modules.get(REQUESTS_MOCK) is not None:
        _install_above()


def _install_above() -> None:
    from .requests_mock_ import INTERCEPTIONS as ABOVE

    for interception in ABOVE:
        interception.install()


_LATE: Final = {REQUESTS_MOCK: _install_above}


def remove() -> None:
    """Undo :func:`install`."""
    import_hook.unwatch(_LATE)
    above = sys.modules.get(f"{__package__}.requests_mock_")
    for interception in (*INTERCEPTIONS, *(() if above is None else above.INTERCEPTIONS)):
        interception.remove()
