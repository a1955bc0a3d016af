"""What is seen a moment later: the other end of a real connection."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], *, within: float = 5.0) -> bool:
    """Whether ``condition()`` becomes true within so many real seconds; returns when it does."""
    end = time.perf_counter() + within
    while not condition() and time.perf_counter() < end:
        time.sleep(0.001)
    return bool(condition())
