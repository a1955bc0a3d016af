"""What the contract demands of an answer: each fails the test with one line."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from ..sandbox import token_request
from ..sandbox.http import Answer
from .probes import Probes


def keeps(found: object, promised: object) -> None:
    """Fail with one line, whether or not pytest rewrites the assertions of this file."""
    if found != promised:
        pytest.fail(f"promised is {promised!r}, the endpoint gave {found!r}", pytrace=False)


def json_object(answer: Answer) -> dict[str, Any]:
    """The body of an answer; fails the test when it is something else."""
    document = token_request.json_object(answer)
    if document is None:
        pytest.fail("promised is a JSON object, the endpoint gave something else", pytrace=False)
    return document


def is_keycloaks(answer: Answer) -> bool:
    """Whether an answer has the other of the two shapes in which the sandbox has been seen."""
    document = token_request.json_object(answer) or {}
    return set(document) == {"error", "error_description"}


def refuses(probes: Probes, answer: Answer, status: int, of_keycloak: int) -> None:
    """Fail unless the status is the published one, or that of a realm in the realm's own shape."""
    probes.as_keycloak = answer.status == of_keycloak and is_keycloaks(answer)
    keeps(answer.status, of_keycloak if probes.as_keycloak else status)


def success(probes: Probes) -> dict[str, Any]:
    """The JSON object of a successful answer."""
    answer = probes.right()
    keeps(answer.status, 200)
    return json_object(answer)


def claims(probes: Probes) -> dict[str, Any]:
    """The claims of the issued token; its signature is Optum's business (no JWKS is published)."""
    try:
        return jwt.decode(success(probes)["access_token"], options={"verify_signature": False})
    except (jwt.InvalidTokenError, KeyError):
        pytest.fail("access_token is missing or not a JWT", pytrace=False)


def lifetime(told: dict[str, Any]) -> object:
    """Seconds from ``iat`` to ``exp`` of a token's claims; ``None`` when they are no times."""
    try:
        return told["exp"] - told["iat"]
    except (KeyError, TypeError):
        return None
