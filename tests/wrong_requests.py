"""Token requests that are wrong in one way each, and what the endpoint answers to each of them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from transports_under_test import Answer, Send

FORM = "application/x-www-form-urlencoded"
GRANT_TYPE = "Field 'grant_type' is required and must be 'client_credentials'."
QUERY = (
    "Credentials in the query string are not accepted. Send client_id and client_secret as "
    "fields of the request body."
)
BASIC = (
    "Credentials in an 'Authorization: Basic' header are not accepted. Send client_id and "
    "client_secret as fields of the request body."
)


@dataclass
class Flawed:
    """A token request to be spoiled: each row of the table below changes one of its parts."""

    fields: dict[str, str]
    method: str = "POST"
    query: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": FORM})
    tail: bytes = b""

    def send_by(self, send: Send, url: str) -> Answer:
        body = urlencode(self.fields).encode() + self.tail
        return send(self.method, f"{url}{self.query}", headers=self.headers, content=body)


Spoil = Callable[[Flawed], Any]


def having(**headers: str) -> Spoil:
    return lambda r: r.headers.update({k.replace("_", "-"): v for k, v in headers.items()})


def setting(**changes: str) -> Spoil:
    return lambda r: r.fields.update(changes)


def lacking(*names: str) -> Spoil:
    return lambda r: [r.fields.pop(name) for name in names]


def putting(**parts: Any) -> Spoil:
    return lambda r: r.__dict__.update(parts)


def both(*spoils: Spoil) -> Spoil:
    return lambda r: [spoil(r) for spoil in spoils]


def basic(user: str = "somebody", password: str = "secret") -> Spoil:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return having(Authorization=f"Basic {pair}")


@dataclass(frozen=True)
class Row:
    """A wrong request and its answer: status, reasons, RFC code, the journal's line."""

    id: str
    spoil: Spoil
    status: int
    reasons: list[str]
    outcome: str
    code: str = "invalid_request"
    headers: tuple[tuple[str, str], ...] = ()


REASONS = {
    400: "ValidationError",
    401: "InvalidClient",
    403: "InsufficientScope",
    405: "MethodNotAllowed",
    415: "UnsupportedMediaType",
}


def not_post(method: str) -> Row:
    reason = f"Method '{method}' is not allowed. Use 'POST'."
    allow = (("Allow", "POST"),)
    return Row(method, putting(method=method), 405, [reason], "refused: not POST", headers=allow)


def media_type(given: str, shown: str | None = None) -> Row:
    reason = f"Content-Type '{shown or given}' is not supported. Use '{FORM}'."
    outcome = f"refused: Content-Type is {(shown or given)[:40]!r}"
    return Row(f"body-{given}", having(Content_Type=given), 415, [reason], outcome)


def in_query(name: str) -> Row:
    outcome = "refused: credentials in the query string"
    return Row(f"query-{name}", putting(query=f"?{name}=x"), 400, [QUERY], outcome)


def in_basic(id: str, *missing: str) -> Row:
    outcome = "refused: credentials in a Basic header, not in the form"
    return Row(id, both(basic(), lacking(*missing)), 400, [BASIC], outcome)


def not_utf8(id: str, tail: bytes) -> Row:
    reason = "The request body is not valid UTF-8."
    return Row(id, putting(tail=tail), 400, [reason], f"refused: {reason[:-1]}")


def bad_fields(id: str, spoil: Spoil, *reasons: str) -> Row:
    return Row(id, spoil, 400, list(reasons), f"refused: {' '.join(reasons)[:-1]}")


def required(name: str) -> str:
    return GRANT_TYPE if name == "grant_type" else f"Field '{name}' is required."


def grant_type(value: str) -> Row:
    outcome = "refused: grant_type is not client_credentials"
    spoil = setting(grant_type=value)
    return Row(f"grant-{value}", spoil, 400, [GRANT_TYPE], outcome, "unsupported_grant_type")


def client(id: str, spoil: Spoil, name: str, outcome: str, *headers: tuple[str, str]) -> Row:
    reason = f"Client authentication failed: invalid {name}."
    return Row(id, spoil, 401, [reason], outcome, "invalid_client", headers)


def scope(id: str, value: str, refused: str) -> Row:
    reason = f"Requested scope '{refused}' is not permitted for this client."
    outcome = f"refused: scope {refused!r} is not granted to the client"
    return Row(id, setting(scope=value), 403, [reason], outcome, "invalid_scope")


REQUIRED = ["grant_type", "client_id", "client_secret"]
CHALLENGE = ("WWW-Authenticate", 'Basic realm="optum"')
# In the order of the checks.
ROWS = [
    *[not_post(method) for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")],
    media_type("application/json"),
    media_type("text/plain; charset=utf-8", "text/plain"),
    media_type("multipart/form-data; boundary=x", "multipart/form-data"),
    media_type("application/x-www-form-urlencoded2"),
    *[in_query(name) for name in ("client_id", "client_secret", "CLIENT_SECRET", "Client_Id")],
    in_query("client%5Fid"),
    in_basic("basic-alone", "client_id", "client_secret"),
    in_basic("basic-and-id", "client_secret"),
    in_basic("basic-and-secret", "client_id"),
    not_utf8("bytes-not-utf8", b"&x=\xff"),
    not_utf8("escapes-not-utf8", b"&x=%FF"),
    *[bad_fields(f"no-{name}", lacking(name), required(name)) for name in REQUIRED],
    *[bad_fields(f"empty-{name}", setting(**{name: ""}), required(name)) for name in REQUIRED],
    *[
        bad_fields(
            f"case-{name}",
            both(lacking(name), setting(**{name.upper(): "x"})),
            required(name),
        )
        for name in REQUIRED
    ],
    bad_fields("no-field", lacking(*REQUIRED), *map(required, REQUIRED)),
    *[
        bad_fields(
            f"twice-{name}",
            both(setting(scope="openid"), putting(tail=f"&{name}=x".encode())),
            f"Field '{name}' is given more than once.",
        )
        for name in [*REQUIRED, "scope"]
    ],
    bad_fields(
        "empty-and-twice",
        both(setting(client_id="", scope="openid"), putting(tail=b"&scope=openid")),
        "Field 'client_id' is required.",
        "Field 'scope' is given more than once.",
    ),
    *[grant_type(value) for value in ("password", "Client_Credentials", "authorization_code")],
    client("unknown", setting(client_id="nobody"), "client_id", "refused: client_id is unknown"),
    client(
        "wrong-secret",
        setting(client_secret="wrong"),
        "client_secret",
        "refused: client_secret is wrong",
    ),
    client(
        "basic-beside-a-wrong-secret",
        both(basic(), setting(client_secret="wrong")),
        "client_secret",
        "refused: client_secret is wrong",
        CHALLENGE,
    ),
    client(
        "basic-beside-an-unknown-id",
        both(basic(), setting(client_id="nobody")),
        "client_id",
        "refused: client_id is unknown",
        CHALLENGE,
    ),
    scope("scope", "admin", "admin"),
    scope("a-scope-beside-a-granted-one", "openid admin", "admin"),
    scope("scope-case", "OpenID", "OpenID"),
]
