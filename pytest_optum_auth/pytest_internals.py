"""pytest's inside, as far as this project needs it: here and nowhere else.

Each of these names has a test that fails when it is gone: ``Item._fixtureinfo`` with its
``name2fixturedefs``, ``Item._report_sections``, ``Config.known_args_namespace`` and
``CaptureManager`` with its ``_global_capturing``.
"""

from __future__ import annotations

from typing import Any

import pytest


def wider_fixtures(item: Any) -> set[str]:
    """The fixtures of ``item``, one that has any, whose scope is wider than a test."""
    known = item._fixtureinfo.name2fixturedefs
    return {name for name, found in known.items() if found[-1].scope != "function"}


def output_of(item: pytest.Item) -> list[tuple[str, str, str]]:
    """What ``item`` has printed and logged so far: the list that every plugin reads."""
    return item._report_sections


def option_so_far(config: pytest.Config, name: str) -> Any:
    """An option of the command line, also before the conftests are loaded; else ``None``."""
    return getattr(config.known_args_namespace, name, None)


def unread_output(config: pytest.Config) -> tuple[str, str]:
    """What pytest's capture has of stdout and stderr, and no report has taken; it is read then."""
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    # Not yet started, or ended.
    if capture is None or capture._global_capturing is None:
        return "", ""
    capture.suspend_global_capture()
    out, err = capture.read_global_capture()
    return out, err
