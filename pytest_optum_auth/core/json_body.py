"""Bodies of JSON: read for a test, and written for it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from .masking import masked

__tracebackhide__ = True  # in the traceback of a test


def parse_json(body: bytes) -> Any:
    """The JSON value that ``body`` holds; ``ValueError`` when it is none.

    The ``repr`` of an object or an array hides the values of secret fields.
    """
    value = json.loads(body, object_hook=masked)
    if isinstance(value, dict):
        return _Object(value)
    return _Array(value) if isinstance(value, list) else value


def json_bytes(name: str, value: object) -> bytes:
    """``value`` as it is sent; a ``TypeError`` that names the argument ``name`` if it cannot be."""
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"{name} cannot be sent as JSON: {error}") from None


class _Parsed:
    """People know ``json()`` from the client libraries."""

    def __call__(self) -> NoReturn:
        raise TypeError("the json of an Exchange is a property: write exchange.json, without ()")


class _Object(_Parsed, dict[str, Any]):
    """With the fields of the object."""


class _Array(_Parsed, list[Any]):
    """With the elements of the array."""
