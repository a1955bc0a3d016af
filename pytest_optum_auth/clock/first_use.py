"""Libraries in Rust that keep for ever the classes which they meet when they are first used."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any, Final

NAME: Final = "polars"
_used: Final[list[object]] = []


def use() -> None:
    """Use such a library once, where it sees the genuine classes, if it is loaded."""
    library: Any = sys.modules.get(NAME)
    # Not while it loads itself.
    if library in _used or not hasattr(library, "Series"):
        return
    _used[:] = [library]
    moment = dt.datetime(2000, 1, 1)
    for value in (moment, moment.date(), moment.time(), dt.timedelta(1)):
        library.Series([value])
