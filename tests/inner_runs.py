"""Runs of pytest inside a test, and the parts of what they print."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import requests
import trustme

# Inner runs import anew what this one has not imported, and the binary modules beneath trustme
# bear that only once.
LOADED_BEFORE = (requests, trustme)

Run = Callable[..., pytest.RunResult]

# Settled for every inner run: no plugin but ours, 80 columns, no colours.
OPTIONS = ["-p", "optum_auth", "-p", "no:cacheprovider", "-W", "error", "--color=no"]
_RULER = re.compile(r"^([=_-])(?:\1+| \1)* ([^ _].*?) (?:\1| \1)*$")


def part(result: pytest.RunResult, title: str) -> list[str]:
    """The lines under the ruler that says ``title``, up to the next ruler; one such ruler."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in result.outlines:
        ruler = _RULER.match(line)
        if ruler:
            current = []
            assert ruler[2] not in parts or ruler[2] != title, f"two parts are called {title!r}"
            parts[ruler[2]] = current
        else:
            current.append(line)
    assert title in parts, f"no part is called {title!r}: {list(parts)}"
    return parts[title]


def titles(result: pytest.RunResult) -> list[str]:
    """What stands on the rulers, in their order."""
    return [ruler[2] for line in result.outlines if (ruler := _RULER.match(line))]
