"""The token endpoint as an OpenAPI 3.0 description.

Written from the specification "Authorization - Auth Only" 1.0.1 at developer.optum.com, and
stricter where its examples are: an empty field counts as missing, and no answer lacks a key.
"""

from __future__ import annotations

from typing import Any

import schemas

from pytest_optum_auth import Credentials


def _answers(schema: dict[str, Any], description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"description": description, "content": content}


def _published(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in the words of OpenAPI 3.0, which has no ``const``."""
    if "const" in schema:
        return {"enum": [schema["const"]]}
    properties = {name: _published(of) for name, of in schema.get("properties", {}).items()}
    return {**schema, "properties": properties} if properties else schema


def description(credentials: Credentials) -> dict[str, Any]:
    """The description; its example holds ``credentials``, so that a request succeeds."""
    client_id, client_secret = credentials
    text = {"type": "string", "minLength": 1}
    form = {
        "type": "object",
        "required": ["grant_type", "client_id", "client_secret"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["client_credentials"]},
            "client_id": text,
            "client_secret": text,
        },
    }
    right = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    error = _published(schemas.ERROR)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Token endpoint", "version": "1.0.1"},
        "paths": {
            "/apip/auth/sntl/v1/token": {
                "post": {
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/x-www-form-urlencoded": {
                                "schema": form,
                                "examples": {"right": {"value": right}},
                            }
                        },
                    },
                    "responses": {
                        "200": _answers(_published(schemas.SUCCESS), "A token."),
                        "400": _answers(error, "A field is missing or wrong."),
                        "401": _answers(error, "The client is unknown or its secret wrong."),
                        "403": _answers(error, "The scope is not granted."),
                        "405": _answers(error, "Another method than POST."),
                        "415": _answers(error, "Another media type than a form."),
                        "500": _answers(error, "An unexpected error."),
                    },
                }
            }
        },
    }
