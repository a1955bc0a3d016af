"""The timeline as a picture: the lives of the tokens as bars, requests as marks above them.

An SVG without scripts, fonts or anything from elsewhere. Shapes tell what colours tell, so that it
reads in black and white. The axis is one of moments, not of seconds: what happens at one moment
stands side by side, and two hours in which nothing happens are as narrow as one second.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from .journal import Exchange, Note
from .spans import in_seconds, since
from .timeline import without_middle
from .tokens import Token

# Pixels.
_LEFT, _STEP, _GAP, _RIGHT = 130, 22, 34, 110
_NOTES, _TOKEN_ROW, _API_ROW, _FIRST_BAR, _BAR = 18, 52, 84, 108, 28
_INK, _FAINT, _PAPER = "#1f2933", "#66717e", "#fbfcfd"
_BLUE, _GREEN, _RED = "#3b6fb6", "#2e8b57", "#c0392b"
_MOST_TOKENS: Final = 50
_LONGEST_NOTE: Final = 40
_LEGEND: Final = (
    ("token", 200, "a token is issued"),
    ("token", 400, "no token"),
    ("api", 200, "the API answers"),
    ("api", 401, "401: the token is refused"),
    ("api", 500, "another failure, or no answer"),
)
_LEGEND_WIDTH: Final = 900


def render(
    entries: Sequence[Exchange | Note],
    tokens: Sequence[Token],
    start: dt.datetime,
    clock_skew: int = 0,
) -> str:
    """The picture of ``entries`` and ``tokens`` as SVG; ``start`` is the moment of +0 s.

    ``clock_skew``: seconds by which the server's clock, which the tokens tell, runs ahead. As in
    the text at most 200 entries are drawn. No secret and no token stands in it.
    """
    return _Picture(entries, tokens, start, dt.timedelta(seconds=clock_skew)).svg()


class _Picture:
    def __init__(
        self,
        entries: Sequence[Exchange | Note],
        tokens: Sequence[Token],
        start: dt.datetime,
        skew: dt.timedelta,
    ) -> None:
        head, self._left_out, tail = without_middle(entries)
        # A move of the clock is a step of the axis.
        self._entries = [entry for entry in (*head, *tail) if not _is_move(entry)]
        self._start = start
        self._skew = skew
        first, last = self._span()
        self._tokens = tokens[-_MOST_TOKENS:]
        # The moments of the axis and where each begins; marks of one moment follow each other.
        self._columns: dict[dt.datetime, float] = {}
        self._places: list[float] = []
        # Where a token request was answered with the token of that number.
        self._issued: dict[int, float] = {}
        self._lay_out(first, last)

    def _span(self) -> tuple[dt.datetime, dt.datetime]:
        moments = [self._start, *(entry.at for entry in self._entries)]
        return min(moments), max(moments)

    def _lay_out(self, first: dt.datetime, last: dt.datetime) -> None:
        ends = [self._end(token) for token in self._tokens]
        pending = sorted({end for end in ends if first <= end <= last}, reverse=True)
        x, before = float(_LEFT) - _GAP, None
        for entry in self._entries:
            # Time may have been moved back: the axis follows the story, not the calendar.
            moments = [entry.at]
            while pending and pending[-1] <= entry.at:
                moments.insert(-1, pending.pop())
            for moment in moments:
                if moment != before:
                    x += _GAP
                    self._columns.setdefault(moment, x)
                before = moment
            self._places.append(x)
            x += _STEP
            if isinstance(entry, Exchange) and entry.kind == "token" and entry.token is not None:
                self._issued.setdefault(entry.token.number, self._places[-1])
        self._end_of_axis = max(x + _GAP, _LEGEND_WIDTH - _RIGHT)

    def _begin(self, token: Token) -> float:
        """Where a token was issued; one without a request, at the first moment after that."""
        issued = token.issued_at - self._skew
        later = (x for moment, x in self._columns.items() if moment >= issued)
        return self._issued.get(token.number, next(later, self._end_of_axis))

    def _end(self, token: Token) -> dt.datetime:
        ends = token.expires_at if token.revoked_at is None else token.revoked_at
        return min(ends, token.expires_at) - self._skew

    def svg(self) -> str:
        bottom = _FIRST_BAR + _BAR * max(1, len(self._tokens)) + 4
        width = self._end_of_axis + _RIGHT
        return "\n".join(
            [
                *self._frame(width, bottom + 64),
                *self._axis(bottom),
                *self._bars(),
                *self._marks(bottom),
                *_legend(bottom + 50),
                "</svg>\n",
            ]
        )

    def _frame(self, width: float, height: float) -> Iterator[str]:
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" role="img" font-family="system-ui, sans-serif" font-size="12">'
        )
        requests = sum(isinstance(entry, Exchange) for entry in self._entries)
        yield f"<title>Optum traffic: {requests} requests, {len(self._tokens)} tokens</title>"
        yield f'<rect width="{width:g}" height="{height:g}" fill="{_PAPER}"/>'
        for text, y in (("token requests", _TOKEN_ROW), ("API calls", _API_ROW)):
            yield _text(_LEFT - 14, y + 4, text, anchor="end")
            yield _line(f"M{_LEFT} {y}H{self._end_of_axis:g}", _FAINT, 'stroke-opacity=".4"')
        if self._left_out:
            text = f"... {self._left_out} more in the middle ..."
            yield _text(self._end_of_axis, 12, text, anchor="end", fill=_FAINT)

    def _axis(self, bottom: int) -> Iterator[str]:
        for moment, x in self._columns.items():
            yield _line(f"M{x:g} 26V{bottom}", _FAINT, 'stroke-opacity=".3"')
            yield _text(x, bottom + 14, since(moment - self._start), fill=_FAINT, size=10)

    def _bars(self) -> Iterator[str]:
        """The life of each token, from its issue to its end or to the end of the story."""
        for row, token in enumerate(self._tokens):
            y = _FIRST_BAR + _BAR * row
            begin = self._begin(token)
            end = self._columns.get(self._end(token), self._end_of_axis)
            lived = max(end - begin, 2)
            name = f"token #{token.number}"
            yield _text(_LEFT - 14, y + 14, name, anchor="end")
            life = in_seconds(token.expires_at - token.issued_at)
            yield _titled(
                f'<rect x="{begin:g}" y="{y}" width="{lived:g}" height="18" rx="3" '
                f'fill="{_BLUE}" fill-opacity=".75" stroke="{_INK}" stroke-width=".5"/>',
                f"{name} of {token.client_id}, good for {life}",
            )
            if end < self._end_of_axis:
                text = "expires" if self._end(token) + self._skew == token.expires_at else "revoked"
                yield _text(begin + lived + 5, y + 14, text, size=11, fill=_FAINT)

    def _marks(self, bottom: int) -> Iterator[str]:
        high = False
        for entry, x in zip(self._entries, self._places, strict=True):
            if isinstance(entry, Exchange):
                y = _TOKEN_ROW if entry.kind == "token" else _API_ROW
                status = "no answer" if entry.status is None else entry.status
                told = f"{entry.transport} {entry.request_line}: {status}, {entry.outcome}"
                yield _titled(_mark(entry.kind, entry.status, x, y), told)
            else:
                yield _line(f"M{x:g} 24V{bottom}", _INK, 'stroke-dasharray="2 3"')
                yield _text(
                    x + 3, _NOTES if high else _NOTES + 12, entry.text[:_LONGEST_NOTE], size=10
                )
                high = not high


def _is_move(entry: Exchange | Note) -> bool:
    return isinstance(entry, Note) and entry.text.startswith(("clock +", "clock -"))


def _legend(y: int) -> Iterator[str]:
    x = 20.0
    for kind, status, text in _LEGEND:
        yield _mark(kind, status, x, y - 4)
        yield _text(x + 12, y, text, size=11)
        x += 34 + 6 * len(text)


def _mark(kind: str, status: int | None, x: float, y: float) -> str:
    good = status is not None and status < 400
    if kind == "token":
        style = f'fill="{_GREEN}"' if good else f'fill="{_PAPER}" stroke="{_RED}" stroke-width="2"'
        return f'<rect x="{x - 5:g}" y="{y - 5:g}" width="10" height="10" {style}/>'
    if good:
        return f'<circle cx="{x:g}" cy="{y:g}" r="5" fill="{_GREEN}"/>'
    if status == 401:
        cross = f"M{x - 5:g} {y - 5:g}l10 10m0 -10l-10 10"
        return _line(cross, _RED, 'stroke-width="3" stroke-linecap="round"')
    return (
        f'<path d="M{x:g} {y - 6:g}l6 11h-12z" fill="{_PAPER}" stroke="{_RED}" stroke-width="2"/>'
    )


def _titled(shape: str, title: str) -> str:
    return f"<g><title>{escape(title)}</title>{shape}</g>"


def _line(path: str, colour: str, style: str) -> str:
    return f'<path d="{path}" fill="none" stroke="{colour}" {style}/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", fill: str = _INK, size: int = 12
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{fill}" font-size="{size}">'
        f"{escape(text)}</text>"
    )
