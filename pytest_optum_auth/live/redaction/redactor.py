"""Masks what a text shows of secrets, by placeholders that keep the story."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Final

from .known_values import SHORTEST, KnownValues, Part
from .token_forms import JWT_BEGINS, TokenForms

_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Texts from this length on that were found clean are remembered: a report passes several hooks.
_LONG: Final = 200
_REMEMBERED: Final = 64


class Redactor:
    """Masks secrets of known value and, if ``by_form``, whatever looks like a token.

    Only ever handles ``str`` and ``bytes``. A secret becomes the name of its variable,
    ``[OPTUM_CLIENT_SECRET]``, tokens are numbered as they turn up, ``[token 1]``.
    """

    def __init__(self, *, by_form: bool = False) -> None:
        self.by_form = by_form
        self._known = KnownValues()
        self._forms = TokenForms(self._placeholder)
        self._numbers: dict[str, dict[int, int]] = {}
        self._clean: dict[str, None] = {}
        # Threads learn and print at the same time.
        self._lock = threading.Lock()

    def learn_secret(self, name: str, value: str) -> None:
        """Mask ``value``, of the variable ``name``, from now on."""
        self._learn(name, value)

    def learn_token(self, token: str) -> None:
        """Mask ``token`` from now on."""
        # The header of a JWT is no secret, and the same in all of them.
        value = token.partition(".")[2] if token.startswith(JWT_BEGINS) else token
        self._learn(self._placeholder("token", token)[1:-1], value)

    def holds(self, text: str) -> bool:
        """Whether ``text`` shows a known secret, or most of one."""
        return any(
            not part.form or part.end - part.start >= 2 * SHORTEST
            for part in self._known.parts(text)
        )

    def redact(self, text: str) -> str:
        """``text`` with everything that can be seen of a secret masked."""
        if len(text) < SHORTEST or text in self._clean:
            return text
        masked = text
        if self.by_form:
            masked = self._forms.mask_jwts(masked)
        masked = _mask_parts(masked, self._known.parts)
        if self.by_form:
            masked = _mask_parts(self._forms.mask_keyed(masked), self._forms.rows)
        if masked == text:
            self._remember_clean(text)
            return text
        return masked

    def redact_bytes(self, data: bytes) -> bytes:
        """The same for bytes, read as UTF-8 where they are."""
        text = data.decode("utf-8", "surrogateescape")
        masked = self.redact(text)
        return data if masked is text else masked.encode("utf-8", "surrogateescape")

    def _learn(self, name: str, value: str) -> None:
        with self._lock:
            self._clean.clear()
            self._known.add(name, value)

    def _placeholder(self, kind: str, value: str) -> str:
        with self._lock:
            numbers = self._numbers.setdefault(kind, {})
            # The value itself is not kept.
            return f"[{kind} {numbers.setdefault(hash(value), len(numbers) + 1)}]"

    def _remember_clean(self, text: str) -> None:
        if len(text) >= _LONG:
            if len(self._clean) >= _REMEMBERED:
                self._clean.clear()
            self._clean[text] = None


def _mask_parts(text: str, find: Callable[[str], Iterator[Part]]) -> str:
    # Colours may stand inside a secret: the search looks at the text without them.
    escapes = [match.span() for match in _ANSI.finditer(text)] if "\x1b" in text else []
    plain = _ANSI.sub("", text) if escapes else text
    pieces, done = [], 0
    for part in find(plain):
        start, end = _at(part.start, escapes), _at(part.end - 1, escapes) + 1
        colours = "".join(text[a:b] for a, b in escapes if start < a < end)
        mask = f"[{part.name}, {part.form}]" if part.form else f"[{part.name}]"
        pieces += [text[done:start], mask, colours]
        done = end
    return "".join([*pieces, text[done:]]) if pieces else text


def _at(index: int, escapes: list[tuple[int, int]]) -> int:
    """Where the character at ``index`` of the text without ``escapes`` stands in the full one."""
    for start, end in escapes:
        if start > index:
            break
        index += end - start
    return index
