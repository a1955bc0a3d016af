"""The published shapes of the endpoint's answers, as JSON Schema.

Written from the specifications at developer.optum.com: "Authorization - Auth Only" 1.0.1 and
"Security and Authorization v3" for v3, "Security and Authorization v2" for v2; and from
RFC 6749 section 5.2. They are stricter than published where the examples are: the
specifications require no key, the examples always have theirs.
"""

from __future__ import annotations

from typing import Any

import jsonschema

TOKEN = {"type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$"}


def _exactly(**properties: Any) -> dict[str, Any]:
    """An object with these keys, all of them, and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SUCCESS = _exactly(
    **{
        "access_token": TOKEN,
        "expires_in": {"type": "integer", "minimum": 0},
        "refresh_expires_in": {"const": 0},
        "token_type": {"enum": ["Bearer", "bearer"]},
        "not-before-policy": {"type": "integer", "minimum": 0},
        "scope": {"type": "string"},
    }
)
ERROR = _exactly(
    status={"type": "string", "pattern": "^[45][0-9]{2}$"},
    failureReason={"type": "string", "pattern": "^[A-Za-z]+$"},
    Errors={"type": "array", "items": {"type": "string"}, "minItems": 1},
)
V2_SUCCESS = _exactly(
    access_token=TOKEN, expires_in={"type": "integer"}, token_type={"const": "bearer"}
)
# RFC 6749 section 5.2 limits both to printable ASCII without quotation mark and backslash.
RFC_TEXT = {"type": "string", "pattern": r"^[\x20-\x21\x23-\x5B\x5D-\x7E]+$"}
RFC_ERROR = _exactly(error=RFC_TEXT, error_description=RFC_TEXT)


def check(content: Any, schema: dict[str, Any]) -> None:
    """Raise unless ``content`` has the shape."""
    jsonschema.Draft202012Validator(schema).validate(content)
