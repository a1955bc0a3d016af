"""Masks secrets in the objects that pytest is about to write: reports, and what they hold."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from .redactor import Redactor

# `nodeid` and `location` are compared by xdist and never rewritten; `call`, `result` and `item`
# hold live objects of the run, not output.
_NOT_OUTPUT: Final = frozenset({"nodeid", "location", "keywords", "call", "result", "item"})
_PLAIN: Final = (type(None), bool, int, float, complex, type)
_DEPTH: Final = 30


class Walk:
    """Applies a :class:`~.redactor.Redactor` to whole objects; never raises."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def value(self, value: Any, depth: int = _DEPTH) -> Any:
        """``value`` with secrets masked: containers are copied, parts of reports changed in place.

        What shows a secret and is no container becomes the masked text that would be written.
        """
        # An object of the user's may do anything when it is looked at; the run must go on.
        with contextlib.suppress(Exception):
            return self._masked(value, depth)
        return value

    def report(self, report: Any, depth: int = _DEPTH) -> None:
        """Mask secrets in a report, or in a part of one, in place."""
        for name, old in list(getattr(report, "__dict__", {}).items()):
            if name not in _NOT_OUTPUT:
                new = self.value(old, depth)
                if new is not old:
                    with contextlib.suppress(Exception):
                        setattr(report, name, new)

    def serialised(self, data: dict[str, Any]) -> dict[str, Any]:
        """The same for what a report was turned into; ids stay, others compare them."""
        kept = ("nodeid", "location")
        return {name: old if name in kept else self.value(old) for name, old in data.items()}

    def warning(self, warning: Any) -> None:
        """Mask secrets in a recorded warning (``warnings.WarningMessage``), in place."""
        with contextlib.suppress(Exception):
            shown = str(warning.message)
            masked = self._redactor.redact(shown)
            if masked is not shown:
                # Only its words are kept, and its class where that is built from words.
                warning.message = _of_words(type(warning.message), masked)

    def _masked(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._redactor.redact(value)
        if isinstance(value, bytes):
            return self._redactor.redact_bytes(value)
        if depth == 0 or isinstance(value, _PLAIN):
            return value
        if isinstance(value, Mapping):
            return self._pairs(value, depth - 1)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._elements(value, depth - 1)
        if hasattr(value, "toterminal"):
            self.report(value, depth - 1)
            return value
        # Written as one of them, a dataclass also field by field.
        texts = [str(value), repr(value)]
        if dataclasses.is_dataclass(value):
            texts.append(repr([getattr(value, f.name) for f in dataclasses.fields(value)]))
        if all(self._redactor.redact(text) is text for text in texts):
            return value
        return self._redactor.redact(repr(value))

    def _pairs(self, values: Mapping[Any, Any], depth: int) -> Any:
        pairs = [(self.value(k, depth), self.value(v, depth)) for k, v in values.items()]
        same = all(k is a and v is b for (k, v), (a, b) in zip(pairs, values.items(), strict=True))
        return values if same else dict(pairs)

    def _elements(self, values: Any, depth: int) -> Any:
        new = [self.value(value, depth) for value in values]
        if all(a is b for a, b in zip(new, values, strict=True)):
            return values
        kind = type(values)
        with contextlib.suppress(TypeError):
            # A named tuple is built from separate arguments, other subclasses from anything.
            return kind._make(new) if hasattr(kind, "_make") else kind(new)
        return new


def _of_words(kind: type[Warning], text: str) -> Warning:
    with contextlib.suppress(Exception):
        warning = kind(text)
        if str(warning) == text:
            return warning
    return UserWarning(text)
