"""Whether anybody will show what a test has printed that passed; most runs drop it."""

from __future__ import annotations

from typing import Final

import pytest

# Hooks that hand a report on.
_HOOKS: Final = ("pytest_runtest_makereport", "pytest_runtest_logreport")
_OURS: Final = __name__.partition(".")[0]


def shows_passed_output(config: pytest.Config) -> bool:
    """Asked once, when the plugins are loaded: in a large suite the masking would be felt.

    pytest itself keeps such output for ``-rP``, ``-rA``, for junit with ini ``junit_logging`` and
    for the controller of xdist. What any other plugin does with a report, nobody knows.
    """
    if hasattr(config, "workerinput"):
        return True
    if set("PA") & set(config.getoption("reportchars", "") or ""):
        return True
    if config.getoption("xmlpath", None) and config.getini("junit_logging") != "no":
        return True
    for name in _HOOKS:
        for implementation in getattr(config.hook, name).get_hookimpls():
            module = implementation.function.__module__ or ""
            if module.partition(".")[0] not in ("_pytest", _OURS):
                return True
    return False
