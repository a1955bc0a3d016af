"""A body that was sent as JSON, for a test that reads it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from .masking import masked

__tracebackhide__ = True  # in the traceback of a test


def parse_json(body: bytes) -> Any:
    """The JSON value that ``body`` holds; ``ValueError`` when it is none.

    The ``repr`` of an object or an array hides the values of secret fields.
    """
    value = json.loads(body)
    if isinstance(value, dict):
        return _Object(value)
    return _Array(value) if isinstance(value, list) else value


class _Parsed:
    """People know ``json()`` from the client libraries."""

    def __call__(self) -> NoReturn:
        raise TypeError("the json of an Exchange is a property: write exchange.json, without ()")


class _Object(_Parsed, dict[str, Any]):
    def __repr__(self) -> str:
        return repr(masked(dict(self)))


class _Array(_Parsed, list[Any]):
    def __repr__(self) -> str:
        return repr(masked(list(self)))
