"""Libraries in Rust that keep for ever the classes which they meet when they are first used."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from typing import Any, Final

from .kept import namespace_of

# By the module: the name that it has once it is loaded, and a use that meets the classes.
USES: Final[dict[str, tuple[str, Callable[[Any, dt.datetime], object]]]] = {
    "polars": (
        "Series",
        lambda series, moment: [
            series([value]) for value in (moment, moment.date(), moment.time(), dt.timedelta(1))
        ],
    ),
    "cryptography.x509.verification": (
        "PolicyBuilder",
        lambda builder, moment: builder().time(moment),
    ),
}
_used: Final[dict[str, object]] = {}


def use() -> None:
    """Use each such library once, where it sees the genuine classes, if it is loaded."""
    for module, (name, use_once) in USES.items():
        library = sys.modules.get(module)
        names = namespace_of(library) or {}
        # Not while it loads itself.
        if name in names and _used.get(module) is not library:
            _used[module] = library
            use_once(names[name], dt.datetime(2000, 1, 1))
