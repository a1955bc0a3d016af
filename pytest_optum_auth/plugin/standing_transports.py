"""The transports stay in place from one test that uses them to the next."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

from .. import transports

Uses = Callable[[pytest.Item], bool]


class StandingTransports:
    """Keeps what a test takes out at its end, when the next one would put it in again."""

    def __init__(self, uses: Uses) -> None:
        self._uses = uses

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Keep them only if somebody comes who releases them."""
        if not self._uses(item):
            return (yield)
        stays = nextitem is not None and self._uses(nextitem)
        if stays:
            transports.keep()
        try:
            return (yield)
        finally:
            if not stays:
                transports.release()


def stand(config: pytest.Config, uses: Uses) -> None:
    """Let the transports stand between tests of this session that ``uses`` tells."""
    # They keep the genuine methods of the libraries: taken before a mock that a fixture of a
    # wider scope starts has replaced them.
    transports.load_imported()
    config.pluginmanager.register(StandingTransports(uses), "optum-standing-transports")
