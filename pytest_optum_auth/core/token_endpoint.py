"""The token endpoint: what it answers to which request, in its order of checks.

The rules are those of the published specifications and of RFC 6749; the texts and numbers stand
in :mod:`pytest_optum_auth.core.facts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, unquote_plus

from . import facts
from .clients import Client, ClientRegistry
from .messages import Request

Pairs = list[tuple[str, str]]
_FIELDS: Final = (*facts.REQUIRED_FIELDS, "scope")
_CREDENTIALS: Final = ("client_id", "client_secret")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the endpoint: how it wants its body and how it tells errors."""

    media_type: str
    parse: Callable[[bytes], ParsedBody]
    documented_keys: tuple[str, ...]

    def fields(self, body: bytes) -> Pairs:
        """The fields of ``body``, as far as it is well-formed."""
        return self.parse(body).pairs


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """The fields of a body; ``problem`` says why it is not well-formed, if it is not."""

    pairs: Pairs
    problem: str = ""
    not_strings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """The request is right: a token for ``client`` with ``scope``."""

    client: Client
    scope: str
    note: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request is wrong: the answer, and the reason in a line for people."""

    status: int
    reasons: tuple[str, ...]
    outcome: str
    code: str = ""
    headers: tuple[tuple[str, str], ...] = ()


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
    wrong = tuple(n for n, v in content if n in _FIELDS and not isinstance(v, str | None))
    return ParsedBody(pairs, not_strings=wrong)


class _JsonObject(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that a field given twice is seen."""


V3: Final = Version(
    facts.FORM,
    parse_form,
    (
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "token_type",
        "not-before-policy",
        "scope",
    ),
)
V2: Final = Version(facts.JSON, parse_json, ("access_token", "expires_in", "token_type"))


def judge(
    request: Request, parsed: ParsedBody, version: Version, clients: ClientRegistry, scope: str
) -> Grant | Refusal:
    """The endpoint's verdict; the first check that fails decides.

    ``scope`` is what a client is granted that has no scope of its own.
    """
    if request.method != "POST":
        shown = request.method[:40]
        return Refusal(
            405,
            (facts.METHOD_REFUSED.format(method=shown, allowed="'POST'"),),
            "refused: not POST",
            headers=(("Allow", "POST"),),
        )
    if request.media_type != version.media_type:
        return _unsupported_media_type(request, version)
    fields = dict(parsed.pairs)
    tried_basic = request.authorization[0] == "basic"
    if _has_credentials(request.url.partition("?")[2]):
        return Refusal(400, (facts.QUERY_CREDENTIALS,), "refused: credentials in the query string")
    if tried_basic and not all(fields.get(name) for name in _CREDENTIALS):
        return Refusal(
            400,
            (facts.BASIC_CREDENTIALS,),
            "refused: credentials in a Basic header, not in the form",
        )
    if parsed.problem:
        return Refusal(400, (parsed.problem,), f"refused: {parsed.problem[:-1]}")
    return (
        _check_fields(parsed, fields)
        or _check_client(fields, clients, tried_basic)
        or _grant(clients.known(fields["client_id"]), fields.get("scope", ""), scope, tried_basic)
    )


def _has_credentials(query: str) -> bool:
    return bool(query) and any(
        name.lower() in _CREDENTIALS for name, _ in parse_qsl(query, keep_blank_values=True)
    )


def _unsupported_media_type(request: Request, version: Version) -> Refusal:
    given = request.headers.get("content-type", "")[:100]
    if not given:
        reason = facts.MEDIA_TYPE_MISSING.format(wanted=version.media_type)
        return Refusal(415, (reason,), "refused: no Content-Type")
    given = given.partition(";")[0].strip()
    reason = facts.MEDIA_TYPE_REFUSED.format(given=given, wanted=version.media_type)
    return Refusal(415, (reason,), f"refused: Content-Type is {given[:40]!a}")


def _check_fields(parsed: ParsedBody, fields: dict[str, str]) -> Refusal | None:
    names = [name for name, _ in parsed.pairs]
    wrong = [
        *(facts.FIELD_NOT_STRING.format(field=name) for name in parsed.not_strings),
        *(facts.FIELD_REPEATED.format(field=name) for name in _FIELDS if names.count(name) > 1),
    ]
    missing = [
        facts.GRANT_TYPE_REQUIRED
        if name == "grant_type"
        else facts.FIELD_REQUIRED.format(field=name)
        for name in facts.REQUIRED_FIELDS
        if not fields.get(name) and name not in parsed.not_strings
    ]
    reasons = (*missing, *wrong)
    if reasons:
        return Refusal(400, reasons, f"refused: {' '.join(reasons)[:-1]}")
    if fields["grant_type"] != facts.GRANT_TYPE:
        return Refusal(
            400,
            (facts.GRANT_TYPE_REQUIRED,),
            f"refused: grant_type is not {facts.GRANT_TYPE}",
            facts.OAUTH_UNSUPPORTED_GRANT,
        )
    return None


def _check_client(
    fields: dict[str, str], clients: ClientRegistry, tried_basic: bool
) -> Refusal | None:
    client = clients.find(fields["client_id"])
    if client is None:
        reason, outcome = facts.INVALID_CLIENT_ID, "refused: client_id is unknown"
    elif (secret := client.credentials.client_secret) != fields["client_secret"]:
        reason = facts.INVALID_SECRET
        outcome = f"refused: client_secret is wrong{_mistake(fields['client_secret'], secret)}"
    else:
        return None
    challenge = (("WWW-Authenticate", facts.BASIC_CHALLENGE),) if tried_basic else ()
    return Refusal(401, (reason,), outcome, headers=challenge)


def _mistake(given: str, secret: str) -> str:
    """How a client may have come from ``secret`` to ``given``, in words; empty: nobody knows."""
    if given == parse_qsl(f"s={secret}", keep_blank_values=True)[0][1]:
        return " (not escaped by the client?)"
    if secret in (unquote(given), unquote_plus(given)):
        return " (escaped twice by the client?)"
    return ""


def _grant(client: Client, wanted: str, default_scope: str, tried_basic: bool) -> Grant | Refusal:
    granted = default_scope if client.scope is None else client.scope
    asked = list(dict.fromkeys(wanted.split()))
    for name in asked:
        if name not in granted.split():
            return Refusal(
                403,
                (facts.SCOPE_REFUSED.format(scope=name[:100]),),
                f"refused: scope {name[:40]!a} is not granted to the client",
            )
    note = "Basic header ignored beside the form fields" if tried_basic else ""
    return Grant(client, " ".join(asked) or granted, note)
