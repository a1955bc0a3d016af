"""Spans of time, as people read them."""

from __future__ import annotations

import datetime as dt


def in_seconds(span: dt.timedelta) -> str:
    """A span for people: whole seconds, to the millisecond where it is short and not whole."""
    seconds = span / dt.timedelta(seconds=1)
    if seconds == int(seconds) or seconds > 10:
        return f"{int(seconds)} s"
    return f"{seconds:.3f} s"


def since(span: dt.timedelta) -> str:
    """A moment by its distance from the start."""
    seconds = span / dt.timedelta(seconds=1)
    return f"{seconds:+.0f} s" if seconds == int(seconds) else f"{seconds:+.3f} s"
