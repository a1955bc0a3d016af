"""Finds secrets whose value is known in a text: whole, or what a cut has left of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from .secret_forms import forms

#: A secret with fewer characters is not looked for: it would be found everywhere.
SHORTEST: Final = 8
#: From this length on also parts of a secret are looked for.
DIVISIBLE: Final = 16
# How many characters in a row can only come from the secret: of a random one, of one that is
# written in hexadecimal digits, and of its hexadecimal form, which takes two for each.
_RANDOM: Final = 8
_HEX_DIGITS: Final = 12
_IN_HEX: Final = 16
# A token in hex or base64 is long, and nothing cuts it to less.
_LONG_FORM: Final = 128
_OF_LONG: Final = 32
# What a syntax writes for one character, also when it is escaped twice: alone it is no secret.
_ESCAPE: Final = re.compile(
    r"&(?:amp;)?#?\w{2,6};|%(?:25)?[0-9A-Fa-f]{2}|\\+(?:x[0-9a-f]{2}|u[0-9a-f]{4}|[\w\"'])?"
)
_FEWEST: Final = 4
# A part is looked for by these few characters; they stand in every part that counts.
_PROBE: Final = 4
_HEX_ONLY: Final = re.compile(r"[0-9A-Fa-f\\-]+")
# Where letters, digits and signs follow each other as in no word: `x9`, `9x`, `xQ`, `&w`.
_TURN: Final = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[0-9])[A-Za-z]|(?<=[A-Z])[0-9]|[^\w\s./:-]")


def looks_random(text: str) -> bool:
    """Whether ``text`` is no word, name or number, so that it does not turn up by chance."""
    return len(_TURN.findall(text)) > 1


class Part(NamedTuple):
    """What stands in a text from ``start`` to ``end``: ``form`` of the secret ``name``."""

    start: int
    end: int
    name: str
    form: str


class KnownValues:
    """The secrets that are looked for by value.

    pytest and others cut long strings in the middle. So every part of eight characters counts that
    can come from the secret alone; of a secret that is made of words, most of it.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._whole: dict[str, tuple[str, str]] = {}
        # By their length: parts that count, with the form that each is from and where it begins.
        self._parts: dict[int, dict[str, tuple[str, int]]] = {}
        # With the lengths of the parts that hold it; 0 when it is a form as a whole.
        self._probes: dict[str, set[int]] = {}
        # The same, replaced as a whole: other threads may be searching meanwhile.
        self._search: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def add(self, name: str, value: str) -> None:
        """Look for ``value`` from now on; one under eight characters is ignored."""
        if len(value) < SHORTEST or value in self._names or value in name:
            return
        self._names[value] = name
        for form, kind in forms(value).items():
            self._whole.setdefault(form, (name, kind))
            if len(value) < DIVISIBLE:
                self._probes.setdefault(form, set()).add(0)
            else:
                self._divide(form, name, kind)
        self._search = tuple((probe, tuple(sorted(s))) for probe, s in self._probes.items())

    def parts(self, text: str) -> Iterator[Part]:
        """What is seen of the secrets in ``text``: in order, apart from each other."""
        start = end = -1
        form = ""
        for a, b, found in sorted(self._hits(text)):
            if a >= end:
                if end > 0:
                    yield self._part(text, start, end, form)
                start, form = a, found
            end = max(end, b)
        if end > 0:
            yield self._part(text, start, end, form)

    def _divide(self, form: str, name: str, kind: str) -> None:
        escapes = [match.span() for match in _ESCAPE.finditer(form)]
        # An escape is one character, of which a part may hold the end alone.
        inside = {i for start, end in escapes for i in range(start + 1, end)}
        for size in _sizes(form, kind):
            parts = self._parts.setdefault(size, {})
            begins = []
            for begin in range(len(form) - size + 1):
                part = form[begin : begin + size]
                # The variable's own name is no secret, whatever it holds.
                counts = part not in name and (size > _RANDOM or looks_random(part))
                characters = size - len(inside.intersection(range(begin + 1, begin + size)))
                if counts and characters >= _FEWEST:
                    parts.setdefault(part, (form, begin))
                    begins.append(begin)
            self._probe(form, size, begins, inside)
            if len(begins) == len(form) - size + 1:
                return

    def _probe(self, form: str, size: int, begins: list[int], inside: set[int]) -> None:
        """See to it that these parts of ``form`` are found: if they can be, by a known probe.

        Not by one that reaches into an escape: those stand everywhere.
        """
        known = plain = done = -1
        for begin in begins:
            last = begin + size - _PROBE
            for i in range(max(done, begin), last + 1):
                if inside.isdisjoint(range(i, i + _PROBE)):
                    plain = i
                    if form[i : i + _PROBE] in self._probes:
                        known = i
            done = last + 1
            if known < begin:
                known = plain if plain >= begin else last
            self._probes.setdefault(form[known : known + _PROBE], set()).add(size)

    def _hits(self, text: str) -> Iterator[tuple[int, int, str]]:
        for probe, sizes in self._search:
            at = text.find(probe)
            while at >= 0:
                for size in sizes:
                    found = self._part_around(text, at, size) if size else (at, probe, 0)
                    if found is not None:
                        yield _widened(text, size or len(probe), *found)
                        break
                at = text.find(probe, at + 1)

    def _part_around(self, text: str, at: int, size: int) -> tuple[int, str, int] | None:
        """The first part of that length that holds the probe at ``at``: where, and where from."""
        parts = self._parts[size]
        for i in range(max(0, at + _PROBE - size), at + 1):
            found = parts.get(text[i : i + size])
            if found is not None:
                return i, *found
        return None

    def _part(self, text: str, start: int, end: int, form: str) -> Part:
        seen = text[start:end]
        name, kind = self._whole.get(seen) or self._whole[form]
        return Part(start, end, name, kind if kind or seen in self._whole else "cut")


def _sizes(form: str, kind: str) -> tuple[int, ...]:
    """How long parts of ``form`` must be; the second where not all of the first length count."""
    most = max(DIVISIBLE, len(form) * 3 // 4)
    if kind in ("in hex", "in base64") and len(form) > _LONG_FORM:
        return (_OF_LONG,)
    if kind == "in hex":
        return (_IN_HEX,)
    if _HEX_ONLY.fullmatch(form):
        return (_HEX_DIGITS,)
    return (_RANDOM, most) if looks_random(form) else (most,)


def _widened(text: str, size: int, at: int, form: str, begin: int) -> tuple[int, int, str]:
    """How far ``text`` agrees with ``form`` around a part that counts: its edges do as well."""
    start, end = at, at + size
    while begin > 0 and start > 0 and text[start - 1] == form[begin - 1]:
        start, begin = start - 1, begin - 1
    length = end - start
    while begin + length < len(form) and end < len(text) and text[end] == form[begin + length]:
        end, length = end + 1, length + 1
    return start, end, form
