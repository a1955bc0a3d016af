"""Finds what can be seen of a secret in a text, whole or cut, and masks it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from .secret_forms import forms

MASK: Final = "[redacted]"
#: A secret with fewer characters is not looked for: it would be found everywhere.
SHORTEST: Final = 8
#: From this length on also parts of a secret are masked.
DIVISIBLE: Final = 16
#: How many tokens that a client obtained by itself are remembered.
PASSING: Final = 64
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Redactor:
    """Masks the secrets it has learned; only ever handles ``str`` and ``bytes``.

    pytest cuts long strings in the middle, and a token is hardly ever shown whole. So every run of
    eight characters that also occurs in a form of the secret is masked.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lasting: dict[str, frozenset[str]] = {}
        self._passing: dict[str, frozenset[str]] = {}
        self._runs: set[str] = set()
        self._short: re.Pattern[str] | None = None
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Mask ``secret`` from now on; one under eight characters is ignored."""
        if len(secret) >= SHORTEST and secret not in self._lasting:
            self._lasting[secret] = self._add(secret)

    def learn_passing(self, token: str) -> None:
        """Mask a token that a client obtained; of very many, the oldest are forgotten."""
        if len(token) < SHORTEST or token in self._passing or token in self._lasting:
            return
        self._passing[token] = self._add(token)
        if len(self._passing) > PASSING:
            for oldest in list(self._passing)[: PASSING // 2]:
                del self._passing[oldest]
            self._runs = set()
            for known in (self._lasting, self._passing):
                for secret, spelled in known.items():
                    self._index(secret, spelled)

    def holds(self, text: str) -> bool:
        """Whether ``text`` shows a secret, or sixteen characters of one in a row."""
        if self._short is not None and self._short.search(text):
            return True
        return any(end - start >= DIVISIBLE for start, end in self._spans(text))

    def redact(self, text: str) -> str:
        """``text`` with everything that can be seen of a secret masked."""
        if len(text) < SHORTEST:
            return text
        # Colours may stand inside a secret: the search looks at the text without them.
        escapes = [match.span() for match in _ANSI.finditer(text)] if "\x1b" in text else []
        plain = _ANSI.sub("", text) if escapes else text
        pieces, done = [], 0
        for start, end in self._spans(plain):
            start, end = _at(start, escapes), _at(end - 1, escapes) + 1
            colours = "".join(text[a:b] for a, b in escapes if start < a < end)
            pieces += [text[done:start], MASK, colours]
            done = end
        return "".join([*pieces, text[done:]]) if pieces else text

    def redact_bytes(self, data: bytes) -> bytes:
        """The same for bytes, read as UTF-8 where they are."""
        text = data.decode("utf-8", "surrogateescape")
        masked = self.redact(text)
        return data if masked is text else masked.encode("utf-8", "surrogateescape")

    def _add(self, secret: str) -> frozenset[str]:
        spelled = forms(secret)
        self._index(secret, spelled)
        if len(secret) < DIVISIBLE:
            short = [
                re.escape(form)
                for known in (self._lasting, self._passing, {secret: spelled})
                for each, its_forms in known.items()
                if len(each) < DIVISIBLE
                for form in its_forms
            ]
            self._short = re.compile("|".join(sorted(short, key=len, reverse=True)))
        return spelled

    def _index(self, secret: str, spelled: frozenset[str]) -> None:
        if len(secret) >= DIVISIBLE:
            for form in spelled:
                self._runs.update(form[i : i + 8] for i in range(len(form) - 7))

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """The parts of ``text`` to mask: in order, apart from each other."""
        runs = self._runs
        hits = [(i, i + 8) for i in range(len(text) - 7) if text[i : i + 8] in runs]
        if self._short is not None:
            hits = sorted(hits + [match.span() for match in self._short.finditer(text)])
        start = end = -1
        for a, b in hits:
            if a > end:
                if end > 0:
                    yield start, end
                start = a
            end = max(end, b)
        if end > 0:
            yield start, end


def _at(index: int, escapes: list[tuple[int, int]]) -> int:
    """Where the character at ``index`` of the text without ``escapes`` stands in the full one."""
    for start, end in escapes:
        if start > index:
            break
        index += end - start
    return index
