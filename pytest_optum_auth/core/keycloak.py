"""The token endpoint as a Keycloak realm answers it: its order of checks, its codes and texts.

Public clients report that such a realm issues the sandbox's tokens. The order is that of
Keycloak's own source; :mod:`pytest_optum_auth.core.facts` has the texts.
"""

from __future__ import annotations

from collections import Counter

from . import facts
from .clients import ClientRegistry
from .messages import Request
from .token_endpoint import Grant, Refusal, Version, how_it_came, not_post, refused_scope
from .token_request import ParsedBody, add_basic


def judge(
    request: Request,
    parsed: ParsedBody,
    version: Version,
    clients: ClientRegistry,
    scope: str,
    accept_basic: bool,
) -> Grant | Refusal:
    """The verdict; a body of another media type has no fields, and is refused for that."""
    if request.method != "POST":
        return not_post(request)
    # Of a field given twice the first one counts until that is checked.
    fields = dict(reversed(parsed.pairs))
    if "grant_type" not in fields:
        return _refusal(facts.KEYCLOAK_GRANT_MISSING)
    if fields["grant_type"] != facts.GRANT_TYPE:
        return _refusal(facts.KEYCLOAK_GRANT_UNSUPPORTED, facts.OAUTH_UNSUPPORTED_GRANT)
    tried_basic = request.authorization[0] == "basic"
    taken = add_basic(fields, request, clients) if tried_basic and accept_basic else ""
    refusal = _check_client(fields, clients, tried_basic, taken)
    if refusal is not None:
        return refusal
    if max(Counter(name for name, _ in parsed.pairs).values()) > 1:
        return _refusal(facts.KEYCLOAK_REPEATED)
    client = clients.known(fields["client_id"])
    asked = fields.get("scope", "")
    if refused_scope(client, asked, scope) is not None:
        return _refusal(facts.KEYCLOAK_SCOPE.format(scope=asked[:100]), "invalid_scope")
    return Grant.of(client, asked, scope, how_it_came(taken, tried_basic))


def _check_client(
    fields: dict[str, str], clients: ClientRegistry, tried_basic: bool, taken: str
) -> Refusal | None:
    if "client_id" not in fields:
        unused = "the Basic header does not count: accept_basic=True" if tried_basic else ""
        return _refusal(facts.KEYCLOAK_ID_MISSING, "invalid_client", unused)
    client = clients.find(fields["client_id"])
    challenge = (("WWW-Authenticate", facts.BASIC_CHALLENGE),) if tried_basic else ()
    if client is None:
        why, code = "client_id is unknown", "invalid_client"
    elif "client_secret" not in fields:
        why, code = "client_secret is missing", "unauthorized_client"
    elif client.credentials.client_secret != fields["client_secret"]:
        why, code = "client_secret is wrong", "unauthorized_client"
    else:
        return None
    outcome = f"refused: {why}{f' ({taken})' if taken else ''}"
    return Refusal(401, (facts.KEYCLOAK_CLIENT_REFUSED,), outcome, code, challenge)


def _refusal(text: str, code: str = "", note: str = "") -> Refusal:
    """A 400, by default with the code that RFC 6749 section 5.2 gives one."""
    outcome = f"refused: {text}{f' ({note})' if note else ''}"
    return Refusal(400, (text,), outcome, code)
