"""Draw the picture of the page on the timeline, from a story that really runs.

``python docs/draw_timeline.py`` writes ``docs/_static/timeline.svg``; a test says when
that is out of date.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parent
PICTURE: Final = DOCS / "_static" / "timeline.svg"
sys.path.append(str(DOCS.parent / "examples"))

from timeline_story import tell  # noqa: E402 -- the line above finds it

from pytest_optum_auth import Exchange, Token  # noqa: E402 -- follows it

# Pixels.
_LEFT, _PLOT, _WIDTH = 130, 690, 860
_TOKEN_ROW, _API_ROW, _FIRST_BAR, _BAR = 38, 74, 102, 30
# Seconds.
_END, _STEP = 4 * 3600, 1800

_INK, _FAINT, _PAPER = "#1f2933", "#8a97a6", "#fbfcfd"
_BLUE, _GREEN, _RED, _AMBER = "#3b6fb6", "#2e8b57", "#c0392b", "#b7791f"


def draw() -> str:
    """The picture as SVG."""
    optum, revoked_at = tell()
    start = optum.exchanges[0].at
    bottom = _FIRST_BAR + _BAR * len(optum.tokens) + 8
    parts = [
        *_frame(bottom),
        *_axis(bottom),
        *_bars(optum.tokens, start, revoked_at),
        *_requests(optum.token_requests, start, _TOKEN_ROW),
        *_requests(optum.api_requests, start, _API_ROW),
        *_legend(bottom + 62),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _frame(bottom: int) -> Iterable[str]:
    height = bottom + 84
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'role="img" aria-labelledby="title" font-family="system-ui, sans-serif" '
        'font-size="13">'
    )
    yield (
        '<title id="title">Three hours of a client: token requests, API calls and the '
        "life of each token</title>"
    )
    yield f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="{_PAPER}"/>'
    for text, y in (("token requests", _TOKEN_ROW), ("API calls", _API_ROW)):
        yield _text(_LEFT - 16, y + 4, text, anchor="end")
        line = f"M{_LEFT} {y}H{_LEFT + _PLOT}"
        yield f'<path d="{line}" stroke="{_FAINT}" stroke-opacity=".35"/>'


def _axis(bottom: int) -> Iterable[str]:
    for seconds in range(0, _END + 1, _STEP):
        x = _x(seconds)
        yield f'<path d="M{x} 18V{bottom}" stroke="{_FAINT}" stroke-opacity=".25"/>'
        yield _text(
            x, bottom + 20, f"+{seconds} s", anchor="middle", fill=_FAINT, size=11
        )


def _bars(
    tokens: list[Token], start: dt.datetime, revoked_at: dt.datetime
) -> Iterable[str]:
    """The life of each token, and dashed what a revocation took from it."""
    for row, token in enumerate(tokens):
        y = _FIRST_BAR + _BAR * row
        begin, end = _seconds(token.issued_at, start), _seconds(token.expires_at, start)
        good = _seconds(revoked_at, start) if token.revoked else end
        yield _text(_LEFT - 16, y + 15, f"token #{token.number}", anchor="end")
        yield _bar(begin, min(good, _END), y, f'fill="{_BLUE}" fill-opacity=".8"')
        if token.revoked:
            yield _bar(
                good, end, y, f'fill="none" stroke="{_BLUE}" stroke-dasharray="4 3"'
            )
            yield _text(_x(good) + 8, y + 15, "revoked", fill=_RED, size=12)
        elif end <= _END:
            yield _text(_x(end) + 8, y + 15, "expires", fill=_FAINT, size=12)


def _requests(exchanges: Iterable[Exchange], start: dt.datetime, y: int) -> Iterable[str]:
    """A mark for each request; those of one moment stand side by side."""
    latest, shift = -1, 0
    for exchange in exchanges:
        seconds = _seconds(exchange.at, start)
        shift = shift + 15 if seconds == latest else 0
        latest = seconds
        yield _mark(exchange.kind, exchange.status, _x(seconds) + shift, y)


def _mark(kind: str, status: int | None, x: float, y: int) -> str:
    if kind == "token":
        corner = f'x="{x - 6}" y="{y - 6}"'
        return f'<rect {corner} width="12" height="12" rx="2" fill="{_AMBER}"/>'
    if status == 200:
        return f'<circle cx="{x}" cy="{y}" r="6" fill="{_GREEN}"/>'
    cross = f"M{x - 5} {y - 5}l10 10m0 -10l-10 10"
    return f'<path d="{cross}" stroke="{_RED}" stroke-width="3" stroke-linecap="round"/>'


def _legend(y: int) -> Iterable[str]:
    shown = (
        ("token", 200, "a token is issued", 0),
        ("api", 200, "200: the API takes the token", 170),
        ("api", 401, "401: the API refuses it", 410),
    )
    for kind, status, text, column in shown:
        x = _LEFT + 6 + column
        yield _mark(kind, status, x, y - 4)
        yield _text(x + 14, y, text)


def _seconds(moment: dt.datetime, start: dt.datetime) -> int:
    return (moment - start) // dt.timedelta(seconds=1)


def _x(seconds: int) -> float:
    return round(_LEFT + _PLOT * seconds / _END, 1)


def _bar(begin: int, end: int, y: int, style: str) -> str:
    width = round(_x(end) - _x(begin), 1)
    return f'<rect x="{_x(begin)}" y="{y}" width="{width}" height="20" rx="4" {style}/>'


def _text(
    x: float,
    y: int,
    text: str,
    *,
    anchor: str = "start",
    fill: str = _INK,
    size: int = 13,
) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}" font-size="{size}">'
        f"{text}</text>"
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
