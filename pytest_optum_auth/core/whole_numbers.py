"""Whole numbers, as a user gives them."""

from __future__ import annotations

import math
from typing import TypeGuard


def is_whole(value: object, least: int, most: float = math.inf) -> TypeGuard[int]:
    """Whether ``value`` is a whole number from ``least`` to ``most``; ``True`` is none."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
