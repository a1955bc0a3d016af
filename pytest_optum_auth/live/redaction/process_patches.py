"""The places of the standard library and of pytest where a text is made that goes out.

Those of pytest are private, and stand here alone: ``_pytest._io.saferepr`` with ``_ellipsize`` and
``SafeRepr.repr_str``, ``_pytest._io.pprint._wrap_bytes_repr``, ``_pytest._code.code.safeformat``
and ``_pytest.logging.LogCaptureHandler``, with tests that fail when one is gone.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

from _pytest._code import code
from _pytest._io import pprint, saferepr
from _pytest.logging import LogCaptureHandler

from .redactor import Redactor

# Imported there, and not exported.
_code: Any = code


def mask_log_lines(redactor: Redactor) -> Callable[[], None]:
    """Mask each line that a log handler writes; returns the way back.

    The records stay as they are, and so does ``caplog``: a test may look whether its client logs
    a secret.
    """
    original = logging.Handler.format

    def format(self: logging.Handler, record: logging.LogRecord) -> str:
        line = original(self, record)
        return line if isinstance(self, LogCaptureHandler) else redactor.redact(line)

    return patch(logging.Handler, "format", format)


def mask_before_the_cut(redactor: Redactor) -> Callable[[], None]:
    """Mask what pytest shows of a value before it is shortened or wrapped; returns the way back.

    Cut in the middle, a token is no longer known by its form.
    """
    of_text, ellipsize = saferepr.SafeRepr.repr_str, saferepr._ellipsize
    wrap = pprint._wrap_bytes_repr
    format_local: Callable[[object], str] = _code.safeformat

    def repr_str(self: Any, x: str, level: int) -> str:
        return of_text(self, redactor.redact(x), level)

    def masked_ellipsize(s: str, maxsize: int) -> str:
        return ellipsize(redactor.redact(s), maxsize)

    def wrap_bytes(object: Any, width: int, allowance: int) -> Iterator[str]:
        return wrap(redactor.redact_bytes(bytes(object)), width, allowance)

    def safeformat(obj: object) -> str:
        # Of bytes it shows pieces, which are masked in the report if they were seen as a whole.
        with contextlib.suppress(Exception):
            redactor.redact(repr(obj))
        return format_local(obj)

    ways_back = (
        patch(saferepr.SafeRepr, "repr_str", repr_str),
        patch(saferepr, "_ellipsize", masked_ellipsize),
        patch(pprint, "_wrap_bytes_repr", wrap_bytes),
        patch(_code, "safeformat", safeformat),
    )

    def restore() -> None:
        for way_back in ways_back:
            way_back()

    return restore


def patch(owner: object, name: str, function: Callable[..., Any]) -> Callable[[], None]:
    """Put ``function`` in place of a method or function; returns the way back."""
    original = getattr(owner, name)
    setattr(owner, name, function)
    return lambda: setattr(owner, name, original)
