"""The timeline: what a failing test's report shows of the traffic with the fake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, TypeVar

from .journal import Exchange, Note
from .spans import since

T = TypeVar("T")
_LONGEST: Final = 200
# Between two exchanges of a test.
_LONGEST_PAUSE: Final = dt.timedelta(days=1)


def render(entries: Sequence[Exchange | Note], start: dt.datetime) -> str:
    """One line an entry: time since ``start``, and for an exchange who, what, answer, outcome.

    At most 200 lines; what is more is left out of the middle. No secret stands in it.
    """
    if not entries:
        return "no request reached a gateway host"
    head, left_out, tail = without_middle(list(zip(entries, _offsets(entries, start), strict=True)))
    shown = [entry for entry, _ in (*head, *tail)]
    times = [since(offset) for _, offset in (*head, *tail)]
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


def _offsets(entries: Sequence[Exchange | Note], start: dt.datetime) -> list[dt.timedelta]:
    """How far from the start each of ``entries`` is.

    Our own clock notes how it moves the time. A freezer of another kind does not: the count goes on
    where it was.
    """
    found = []
    last = start
    for entry in entries:
        if isinstance(entry, Exchange) and abs(entry.at - last) > _LONGEST_PAUSE:
            start += entry.at - last
        last = entry.at
        found.append(entry.at - start)
    return found


def without_middle(entries: Sequence[T]) -> tuple[Sequence[T], int, Sequence[T]]:
    """What is shown of ``entries``: their head, how many are left out after it, and their tail."""
    if len(entries) <= _LONGEST:
        return entries, 0, ()
    head, tail = _LONGEST // 2, _LONGEST - _LONGEST // 2 - 1
    return entries[:head], len(entries) - head - tail, entries[-tail:]
