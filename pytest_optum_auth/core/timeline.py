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
    head, left_out, tail = without_middle(entries)
    shown = [*head, *tail]
    times = [since(entry.at - start) for entry in shown]
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
    if left_out:
        lines.insert(len(head), f"{'':>{width}}  ... {left_out} more ...")
    return "\n".join(lines)


def without_middle(
    entries: Sequence[Exchange | Note],
) -> tuple[Sequence[Exchange | Note], int, Sequence[Exchange | Note]]:
    """What is shown of ``entries``: their head, how many are left out after it, and their tail."""
    if len(entries) <= _LONGEST:
        return entries, 0, ()
    head, tail = _LONGEST // 2, _LONGEST - _LONGEST // 2 - 1
    return entries[:head], len(entries) - head - tail, entries[-tail:]


def since(span: dt.timedelta) -> str:
    """A moment by its distance from the start."""
    seconds = span / dt.timedelta(seconds=1)
    return f"{seconds:+.0f} s" if seconds == int(seconds) else f"{seconds:+.3f} s"
