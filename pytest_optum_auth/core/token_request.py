"""What a token request says: the fields of its body, and the credentials of its Basic header."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

from . import facts
from .clients import ClientRegistry
from .messages import Request

Pairs = list[tuple[str, str]]
FIELDS: Final = (*facts.REQUIRED_FIELDS, "scope")
CREDENTIALS: Final = ("client_id", "client_secret")


class ParsedBody(NamedTuple):
    """The fields of a body; ``problem`` says why it is not well-formed, if it is not."""

    pairs: Pairs
    problem: str = ""
    not_strings: tuple[str, ...] = ()


def parse_form(body: bytes) -> ParsedBody:
    """The fields of a form (WHATWG URL standard, application/x-www-form-urlencoded)."""
    try:
        return ParsedBody(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        text = body.decode(errors="replace")
        return ParsedBody(parse_qsl(text, keep_blank_values=True), facts.BODY_NOT_UTF8)


def parse_json(body: bytes) -> ParsedBody:
    """The fields of a JSON object."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ParsedBody([], facts.BODY_NOT_UTF8)
    try:
        content = json.loads(text, object_pairs_hook=_JsonObject)
    except (ValueError, RecursionError):
        return ParsedBody([], facts.BODY_NOT_JSON)
    if not isinstance(content, _JsonObject):
        return ParsedBody([], facts.BODY_NOT_JSON)
    pairs = [(name, value if isinstance(value, str) else "") for name, value in content]
    wrong = tuple(n for n, v in content if n in FIELDS and not isinstance(v, str | None))
    return ParsedBody(pairs, not_strings=wrong)


class _JsonObject(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that a field given twice is seen."""


PARSERS: Final[dict[str, Callable[[bytes], ParsedBody]]] = {
    facts.FORM: parse_form,
    facts.JSON: parse_json,
}


def fields_of(media_type: str, body: bytes) -> Pairs:
    """The fields of ``body``, as far as it is well-formed."""
    return PARSERS[media_type](body).pairs


def add_basic(fields: dict[str, str], request: Request, clients: ClientRegistry) -> str:
    """Let the credentials of a Basic header stand for those that are not among ``fields``.

    Encoded as RFC 6749 section 2.3.1 says or raw, as most libraries send them: whichever of the
    two ``clients`` knows is meant. Returns which of them were taken, for people; ``""``: none.
    """
    sent = _basic_credentials(request)
    if not sent:
        return ""
    missing = [name for name in CREDENTIALS if not fields.get(name)]
    for name, value in sent.items():
        if name in missing:
            fields[name] = unquote_plus(value)
            client = clients.find(value if name == "client_id" else fields["client_id"])
            if client is not None and value == getattr(client.credentials, name):
                fields[name] = value
    if not missing:
        return ""
    which = "credentials" if len(missing) > 1 else missing[0]
    return f"{which} from the Basic header"


def _basic_credentials(request: Request) -> dict[str, str]:
    """Identifier and secret as they stand in the header (RFC 7617 section 2), or nothing."""
    try:
        decoded = base64.b64decode(request.authorization[1], validate=True)
    except ValueError:
        return {}
    try:
        text = decoded.decode()
    except UnicodeDecodeError:
        # As requests and urllib3 encode what is beyond ASCII.
        text = decoded.decode("latin-1")
    client_id, colon, client_secret = text.partition(":")
    return {"client_id": client_id, "client_secret": client_secret} if colon else {}
