"""Standard output and error that mask secrets, for what no capture of pytest stands in front of.

The terminal itself is one: with ``-s`` or ``--capture=tee-sys`` a test prints to it directly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from .redactor import Redactor


class MaskingStream:
    """A text stream that masks what is written; everything else is the stream it wraps."""

    def __init__(self, stream: Any, redactor: Redactor) -> None:
        self._stream = stream
        self._redactor = redactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write ``text`` masked; returns the length of ``text`` as it was given."""
        self._stream.write(self._redactor.redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of ``lines`` masked."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        """The byte stream below, masking as well."""
        return MaskingBuffer(self._stream.buffer, self._redactor)


class MaskingBuffer:
    """A byte stream that masks what is written; everything else is the stream it wraps."""

    def __init__(self, stream: Any, redactor: Redactor) -> None:
        self._stream = stream
        self._redactor = redactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, data: Any) -> int:
        """Write bytes masked; returns the length of ``data`` as it was given."""
        given = bytes(data)
        self._stream.write(self._redactor.redact_bytes(given))
        return len(given)


def mask_streams(redactor: Redactor) -> Callable[[], None]:
    """Put masking streams in place of ``sys.stdout`` and ``sys.stderr``; returns the way back."""
    old = sys.stdout, sys.stderr
    new = MaskingStream(old[0], redactor), MaskingStream(old[1], redactor)
    sys.stdout, sys.stderr = new

    def restore() -> None:
        # Whoever replaced a stream meanwhile keeps it.
        if sys.stdout is new[0]:
            sys.stdout = old[0]
        if sys.stderr is new[1]:
            sys.stderr = old[1]

    return restore
