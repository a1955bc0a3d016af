"""requests, and requests-mock above it, as soon as a test has loaded it."""

from __future__ import annotations

import sys

from .. import import_hook
from ..stubs.foreign import REQUESTS_MOCK
from .requests_sending import INTERCEPTIONS


def install() -> None:
    """Requests of every ``requests.Session`` to a gateway host end at the gateway."""
    for interception in INTERCEPTIONS:
        interception.install()
    if sys.modules.get(REQUESTS_MOCK) is None:
        import_hook.watch(REQUESTS_MOCK, _install_above)
    else:
        _install_above()


def _install_above() -> None:
    from .requests_mock_ import INTERCEPTIONS as ABOVE

    for interception in ABOVE:
        interception.install()


def remove() -> None:
    """Undo :func:`install`."""
    import_hook.unwatch(REQUESTS_MOCK, _install_above)
    above = sys.modules.get(f"{__package__}.requests_mock_")
    for interception in (*INTERCEPTIONS, *(() if above is None else above.INTERCEPTIONS)):
        interception.remove()
