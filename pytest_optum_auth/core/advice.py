"""What a refused token request may have meant: the way out, for people who begin."""

from __future__ import annotations

from typing import Final

from . import facts
from .clients import ClientRegistry
from .messages import Request
from .token_endpoint import V2, Version
from .token_request import fields_of

_MOST_SHOWN: Final = 5


def advice(request: Request, version: Version, clients: ClientRegistry) -> str:
    """A sentence on what was sent and what would be right; ``""`` where nobody knows."""
    media_type = request.media_type
    if _is_json(request.body) and (version is not V2 or media_type != facts.JSON):
        takes = "JSON or a form" if version is V2 else "a form"
        return f"the body is JSON, and {_says(media_type)}: {_path(version)} takes {takes}" + (
            ", send it with json=" if version is V2 else ", send the fields with data=, not json="
        )
    if b"grant_type=" in request.body and media_type != facts.FORM:
        return f"the body is a form, and {_says(media_type)}: send it as {facts.FORM}"
    if media_type not in version.media_types:
        return ""
    sent = dict(fields_of(media_type, request.body)).get("client_id", "")
    if not sent or clients.find(sent) is not None:
        return ""
    if clients.is_secret(sent):
        return "a client_secret was sent as client_id: are the two exchanged?"
    names = [repr(name) for name in clients]
    known = ", ".join(names[:_MOST_SHOWN]) + (" and others" if names[_MOST_SHOWN:] else "")
    return (
        f"{sent[:60]!a} was sent, known {'are' if len(names) > 1 else 'is'} {known}: give the "
        f"client those of optum_auth.credentials, or the fake the client's own by "
        f"@pytest.mark.optum_auth(client_id={sent[:60]!a}, client_secret=...)"
    )


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] == b"{"


def _says(media_type: str) -> str:
    return f"Content-Type says {media_type[:40]!a}" if media_type else "no Content-Type says so"


def _path(version: Version) -> str:
    return facts.V2_TOKEN_PATH if version is V2 else "v3"
