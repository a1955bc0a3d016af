"""Finds secrets whose value is known in a text: whole, or what a cut has left of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

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
# A part is looked for by these few characters; they stand in every part that counts.
_PROBE: Final = 4
_HEX_ONLY: Final = re.compile(r"[0-9A-Fa-f-]+")
# Where letters, digits and signs follow each other as in no word: `x9`, `9x`, `xQ`, `&w`.
_TURN: Final = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[0-9])[A-Za-z]|(?<=[A-Z])[0-9]|[^\w\s./:-]")


def looks_random(text: str) -> bool:
    """Whether ``text`` is no word, name or number, so that it does not turn up by chance."""
    return len(_TURN.findall(text)) > 1


@dataclass(frozen=True, slots=True)
class Part:
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
        self._search = tuple((probe, tuple(sizes)) for probe, sizes in self._probes.items())

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
        size = _RANDOM
        if kind == "in hex":
            size = _IN_HEX
        elif _HEX_ONLY.fullmatch(form):
            size = _HEX_DIGITS
        elif not looks_random(form):
            size = max(DIVISIBLE, len(form) * 3 // 4)
        counts = self._parts.setdefault(size, {})
        for i in range(len(form) - size + 1):
            part = form[i : i + size]
            # The variable's own name is no secret, whatever it holds.
            if part not in name and (size > _RANDOM or looks_random(part)):
                counts.setdefault(part, (form, i))
        for i in range(0, len(form) - _PROBE + 1, size - _PROBE + 1):
            self._probes.setdefault(form[i : i + _PROBE], set()).add(size)

    def _hits(self, text: str) -> Iterator[tuple[int, int, str]]:
        for probe, sizes in self._search:
            at = text.find(probe)
            while at >= 0:
                for size in sizes:
                    if not size:
                        yield at, at + len(probe), probe
                        continue
                    counts = self._parts[size]
                    # Every part that holds the probe.
                    for i in range(max(0, at + _PROBE - size), at + 1):
                        found = counts.get(text[i : i + size])
                        if found is not None:
                            yield _widened(text, i, size, *found)
                            break
                at = text.find(probe, at + 1)

    def _part(self, text: str, start: int, end: int, form: str) -> Part:
        seen = text[start:end]
        name, kind = self._whole.get(seen) or self._whole[form]
        return Part(start, end, name, kind if kind or seen in self._whole else "cut")


def _widened(text: str, at: int, size: int, form: str, begin: int) -> tuple[int, int, str]:
    """How far ``text`` agrees with ``form`` around a part that counts: its edges do as well."""
    start, end = at, at + size
    while begin > 0 and start > 0 and text[start - 1] == form[begin - 1]:
        start, begin = start - 1, begin - 1
    length = end - start
    while begin + length < len(form) and end < len(text) and text[end] == form[begin + length]:
        end, length = end + 1, length + 1
    return start, end, form
