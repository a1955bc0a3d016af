"""The token endpoint: what it answers to which request, in its order of checks.

The rules are those of the published specifications and of RFC 6749; the texts and numbers stand
in :mod:`pytest_optum_auth.core.facts`.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, unquote_plus

from . import facts
from .clients import Client, ClientRegistry
from .messages import Request
from .token_request import CREDENTIALS, FIELDS, ParsedBody, add_basic


class Version(NamedTuple):
    """One version of the endpoint: the media types that it takes, and the keys of a success."""

    media_types: tuple[str, ...]
    documented_keys: tuple[str, ...]


class Grant(NamedTuple):
    """The request is right: a token for ``client`` with ``scope``."""

    client: Client
    scope: str
    note: str

    @classmethod
    def of(cls, client: Client, asked: str, default_scope: str, note: str) -> Grant:
        """With the scope that was asked for, or all that is granted when none was."""
        return cls(client, " ".join(_names(asked)) or _granted(client, default_scope), note)


class Refusal(NamedTuple):
    """The request is wrong: the answer, and the reason in a line for people."""

    status: int
    reasons: tuple[str, ...]
    outcome: str
    code: str = ""
    headers: tuple[tuple[str, str], ...] = ()


V3: Final = Version(
    (facts.FORM,),
    (
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "token_type",
        "not-before-policy",
        "scope",
    ),
)
V2: Final = Version((facts.JSON, facts.FORM), ("access_token", "expires_in", "token_type"))


def judge(
    request: Request,
    parsed: ParsedBody,
    version: Version,
    clients: ClientRegistry,
    scope: str,
    accept_basic: bool,
) -> Grant | Refusal:
    """The endpoint's verdict; the first check that fails decides.

    ``scope`` is what a client is granted that has no scope of its own; ``accept_basic``: whether
    credentials in a Basic header count.
    """
    if request.method != "POST":
        return not_post(request)
    if request.media_type not in version.media_types:
        return _unsupported_media_type(request, version)
    fields = dict(parsed.pairs)
    tried_basic = request.authorization[0] == "basic"
    if _has_credentials(request.url.partition("?")[2]):
        return Refusal(400, (facts.QUERY_CREDENTIALS,), "refused: credentials in the query string")
    taken = add_basic(fields, request, clients) if tried_basic and accept_basic else ""
    if tried_basic and not accept_basic and not all(fields.get(name) for name in CREDENTIALS):
        return Refusal(
            400,
            (facts.BASIC_CREDENTIALS,),
            "refused: credentials in a Basic header, not in the form",
        )
    if parsed.problem:
        return Refusal(400, (parsed.problem,), f"refused: {parsed.problem[:-1]}")
    refusal = _check_fields(parsed, fields) or _check_client(fields, clients, tried_basic, taken)
    if refusal is not None:
        return refusal
    client = clients.known(fields["client_id"])
    asked = fields.get("scope", "")
    name = refused_scope(client, asked, scope)
    if name is not None:
        return Refusal(
            403,
            (facts.SCOPE_REFUSED.format(scope=name[:100]),),
            f"refused: scope {name[:40]!a} is not granted to the client",
        )
    return Grant.of(client, asked, scope, how_it_came(taken, tried_basic))


def not_post(request: Request) -> Refusal:
    """The request has another method."""
    reason = facts.METHOD_REFUSED.format(method=request.method[:40], allowed="'POST'")
    return Refusal(405, (reason,), "refused: not POST", headers=(("Allow", "POST"),))


def refused_scope(client: Client, asked: str, default_scope: str) -> str | None:
    """The first scope of ``asked`` that ``client`` is not granted, or ``None``."""
    if not asked:
        return None
    granted = _names(_granted(client, default_scope))
    return next((name for name in _names(asked) if name not in granted), None)


def how_it_came(taken: str, tried_basic: bool) -> str:
    """Which credentials were used, where there was a choice; ``taken`` from the Basic header."""
    return taken or ("Basic header ignored beside the form fields" if tried_basic else "")


def _granted(client: Client, default_scope: str) -> str:
    return default_scope if client.scope is None else client.scope


def _names(scope: str) -> list[str]:
    """The names in ``scope``, each once (RFC 6749 section 3.3: spaces separate them)."""
    return [name for name in dict.fromkeys(scope.split(" ")) if name]


def _has_credentials(query: str) -> bool:
    return bool(query) and any(
        name.lower() in CREDENTIALS for name, _ in parse_qsl(query, keep_blank_values=True)
    )


def _unsupported_media_type(request: Request, version: Version) -> Refusal:
    given = request.headers.field("content-type")[:100]
    wanted = "' or '".join(version.media_types)
    if not given:
        reason = facts.MEDIA_TYPE_MISSING.format(wanted=wanted)
        return Refusal(415, (reason,), "refused: no Content-Type")
    given = given.partition(";")[0].strip()
    reason = facts.MEDIA_TYPE_REFUSED.format(given=given, wanted=wanted)
    return Refusal(415, (reason,), f"refused: Content-Type is {given[:40]!a}")


def _check_fields(parsed: ParsedBody, fields: dict[str, str]) -> Refusal | None:
    names = [name for name, _ in parsed.pairs]
    wrong = [
        *(facts.FIELD_NOT_STRING.format(field=name) for name in parsed.not_strings),
        *(facts.FIELD_REPEATED.format(field=name) for name in FIELDS if names.count(name) > 1),
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
    fields: dict[str, str], clients: ClientRegistry, tried_basic: bool, taken: str
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
    if taken:
        outcome = f"{outcome} ({taken})"
    return Refusal(401, (reason,), outcome, headers=challenge)


def _mistake(given: str, secret: str) -> str:
    """How a client may have come from ``secret`` to ``given``, in words; empty: nobody knows."""
    if given == parse_qsl(f"s={secret}", keep_blank_values=True)[0][1]:
        return " (not escaped by the client?)"
    if secret in (unquote(given), unquote_plus(given)):
        return " (escaped twice by the client?)"
    if given.strip() == secret.strip():
        return " (white space around it, as of a file's last line?)"
    return ""
