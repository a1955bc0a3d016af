"""Masks what is written to a text stream, whoever holds it: the terminal, a handler, a capture.

The methods of the stream itself are replaced. A stream put in its place would be seen only by
those who look for ``sys.stdout`` later, and pytest's capture keeps the one that it found.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from .redactor import Redactor


class MaskedWrite:
    """The ``write`` of a stream of text or bytes, with secrets masked."""

    def __init__(self, write: Any, redactor: Redactor) -> None:
        self._write = write
        self.redactor = redactor

    def __call__(self, data: Any) -> int:
        """Write ``data`` masked; returns its length as it was given."""
        if isinstance(data, str):
            self._write(self.redactor.redact(data))
        else:
            self._write(self.redactor.redact_bytes(bytes(data)))
        return len(data)


def mask_stream(stream: Any, redactor: Redactor) -> None:
    """Mask what is written to ``stream`` from now on, in text and by its ``buffer``.

    There is no way back: pytest shows an error that ends the run, and ``atexit`` functions print,
    when the plugins are gone. In a second run of this process the later redactor counts.
    """
    layers: tuple[Any, Any] = (stream, getattr(stream, "buffer", None))
    for each in layers:
        write = getattr(each, "write", None)
        if isinstance(write, MaskedWrite):
            write.redactor = redactor
        elif write is not None:
            # A stream with fixed attributes stays as it is.
            with contextlib.suppress(AttributeError):
                each.write = MaskedWrite(write, redactor)


def mask_streams(redactor: Redactor) -> None:
    """Mask standard output and error of this process."""
    for stream in (sys.stdout, sys.stderr):
        mask_stream(stream, redactor)
