"""Masks secrets in the objects that carry output: reports, exceptions, warnings, containers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from .redactor import Redactor

# `nodeid` and `location` are compared by xdist and never rewritten; `call`, `result` and `item`
# hold live objects of the run, not output.
_NOT_OUTPUT: Final = frozenset({"nodeid", "location", "keywords", "call", "result", "item"})
# Where exceptions keep text besides `args`; the names are those of OSError, SyntaxError and
# pytest's own outcomes.
_TEXTS: Final = ("strerror", "filename", "filename2", "msg", "text", "reason")
_DEPTH: Final = 30


class Scrubber:
    """Applies a :class:`~.redactor.Redactor` to whole objects; never raises."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def value(self, value: Any, depth: int = _DEPTH) -> Any:
        """``value`` with secrets masked: containers are copied, report objects changed in place."""
        # A container of the user's may do anything when it is walked; the run must go on.
        with contextlib.suppress(Exception):
            return self._masked(value, depth)
        return value

    def _masked(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._redactor.redact(value)
        if isinstance(value, bytes):
            return self._redactor.redact_bytes(value)
        if depth == 0:
            return value
        if isinstance(value, dict):
            pairs = [(self.value(k, depth - 1), self.value(v, depth - 1)) for k, v in value.items()]
            changed = any(
                k is not a or v is not b
                for (k, v), (a, b) in zip(pairs, value.items(), strict=True)
            )
            return dict(pairs) if changed else value
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._elements(value, depth - 1)
        if hasattr(value, "toterminal"):
            self.report(value, depth - 1)
        return value

    def report(self, report: Any, depth: int = _DEPTH) -> None:
        """Mask secrets in a report, or in a part of one, in place."""
        for name, old in list(getattr(report, "__dict__", {}).items()):
            if name in _NOT_OUTPUT:
                continue
            new = self.value(old, depth)
            if new is not old:
                with contextlib.suppress(Exception):
                    setattr(report, name, new)

    def exception(self, error: BaseException | None) -> None:
        """Mask secrets in an exception and in all that it was raised from, in place."""
        for each in _family(error):
            for name in ("args", *_TEXTS, *vars(each)):
                with contextlib.suppress(Exception):
                    old = getattr(each, name, None)
                    new = self.value(old) if isinstance(old, (str, bytes, tuple, list)) else old
                    if new is not old:
                        setattr(each, name, new)

    def warning(self, warning: Any) -> None:
        """Mask secrets in a recorded warning (``warnings.WarningMessage``), in place."""
        message = warning.message
        self.exception(message)
        with contextlib.suppress(Exception):
            shown = str(message)
            masked = self._redactor.redact(shown)
            if masked is not shown:
                # A warning with a text of its own making: only its words are kept.
                warning.message = UserWarning(masked)

    def _elements(self, values: Any, depth: int) -> Any:
        new = [self.value(value, depth) for value in values]
        if all(a is b for a, b in zip(new, values, strict=True)):
            return values
        kind = type(values)
        with contextlib.suppress(TypeError):
            # A named tuple is built from separate arguments, other subclasses from anything.
            return kind._make(new) if hasattr(kind, "_make") else kind(new)
        return new


def _family(error: BaseException | None) -> Iterator[BaseException]:
    """``error``, its causes and contexts, and the members of groups, each once."""
    waiting, seen = [error], set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
