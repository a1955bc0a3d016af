"""The timeline: what a failing test's report shows of the traffic with the fake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from .journal import Exchange, Note

_LONGEST: Final = 200


def render(entries: Sequence[Exchange | Note], start: dt.datetime) -> str:
    """One line an entry: time since ``start``, and for an exchange who, what, answer, outcome.

    At most 200 lines; what is more is left out of the middle. No secret stands in it.
    """
    if not entries:
        return "no request reached a gateway host"
    left_out = len(entries) - _LONGEST
    if left_out <= 0:
        shown: list[Exchange | Note] = list(entries)
    else:
        head, tail = _LONGEST // 2, _LONGEST - _LONGEST // 2 - 1
        shown = [*entries[:head], *entries[-tail:]]
        left_out += 1
    times = [_since(entry.at - start) for entry in shown]
    width = max(map(len, times))
    exchanges = [entry for entry in shown if isinstance(entry, Exchange)]
    who = max((len(e.transport) for e in exchanges), default=0)
    what = max((len(e.request_line) for e in exchanges), default=0)
    lines = []
    for time, entry in zip(times, shown, strict=True):
        if isinstance(entry, Note):
            text = f"-- {entry.text}"
        else:
            status = "---" if entry.status is None else str(entry.status)
            text = (
                f"{entry.transport:<{who}}  {entry.request_line:<{what}}  {status}  {entry.outcome}"
            )
        lines.append(f"{time:>{width}}  {text}")
    if left_out > 0:
        lines.insert(_LONGEST // 2, f"{'':>{width}}  ... {left_out} more ...")
    return "\n".join(lines)


def _since(span: dt.timedelta) -> str:
    seconds = span / dt.timedelta(seconds=1)
    return f"{seconds:+.0f} s" if seconds == int(seconds) else f"{seconds:+.3f} s"
