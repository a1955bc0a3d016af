"""Errors of the endpoint as the published specification shows them."""

from __future__ import annotations

from typing import Any


def optum_error(status: int, reason: str, text: str) -> dict[str, Any]:
    return {"status": str(status), "failureReason": reason, "Errors": [text]}


SERVER_ERROR = optum_error(
    500,
    "ServerError",
    "An unexpected error occurred while generating the token. Please retry.",
)
