"""Header fields that a test writes: checked where they are given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from .messages import HTTP_TOKEN

__tracebackhide__ = True  # in the traceback of a test

HeaderFields = Mapping[str, str] | Iterable[tuple[str, str]]
Pairs = tuple[tuple[str, str], ...]

_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 section 5.5


def checked_headers(headers: HeaderFields | None) -> Pairs:
    """The fields of a mapping, or of pairs where a name may stand twice, in their order.

    Raises ``TypeError`` for what is neither and for a value that is no string, ``ValueError`` for a
    name or a value that no header can have.
    """
    if headers is None:
        return ()
    try:
        pairs = [
            (name, value)
            for name, value in (headers.items() if isinstance(headers, Mapping) else headers)
        ]
    except (TypeError, ValueError):
        raise TypeError(
            f"headers={headers!r}: headers are a mapping, or pairs of a name and a value"
        ) from None
    for name, value in pairs:
        if not isinstance(name, str) or not HTTP_TOKEN.fullmatch(name):
            raise ValueError(f"header {name!r}: that is no name of a header")
        if not isinstance(value, str):
            raise TypeError(
                f"header {name}: {value!r} is no string, write {str(value)!r}"
                if isinstance(value, (int, float))
                else f"header {name}: {value!r} is no string"
            )
        if not _VALUE.fullmatch(value):
            raise ValueError(f"header {name}: {value!r} holds a character that no header can hold")
    return tuple(pairs)


def with_content_type(fields: Pairs, media_type: str) -> Pairs:
    """``fields``, with ``media_type`` first unless they name another one."""
    if any(name.lower() == "content-type" for name, _ in fields):
        return fields
    return (("Content-Type", media_type), *fields)
