"""The token endpoint, v3: what it answers to which request, and in which order it checks."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import pytest
import schemas
from token_requests import ask, fields, get_token
from transports_under_test import IN_PROCESS, Answer, Send, Transport

from pytest_optum_auth import FakeOptum

HOSTS = ["sandbox-apigw.optum.com", "apigw.optum.com"]
PATHS = ["/apip/auth/sntl/v1/token", "/auth/sntl/v1/token"]
FORM = "application/x-www-form-urlencoded"

ALL_SCOPES = "broker-read-token idp openid email profile"
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


@pytest.fixture
def right(optum_auth: FakeOptum) -> Flawed:
    return Flawed(fields(optum_auth))


@pytest.mark.parametrize("error_format", ["optum", "rfc6749"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_wrong_request_is_refused_with_its_reason(
    row: Row, error_format: str, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = error_format  # type: ignore[assignment]
    row.spoil(right)

    answer = right.send_by(send, optum_auth.token_url)

    assert answer.status == row.status
    if error_format == "optum":
        schemas.check(answer.json(), schemas.ERROR)
        assert answer.json() == {
            "status": str(row.status),
            "failureReason": REASONS[row.status],
            "Errors": row.reasons,
        }
    else:
        schemas.check(answer.json(), schemas.RFC_ERROR)
        assert answer.json() == {"error": row.code, "error_description": " ".join(row.reasons)}
    assert {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Pragma": "no-cache",
        **dict(row.headers),
    } == {name: answer.headers.get(name) for name in (*ALWAYS, *dict(row.headers))}
    assert ("WWW-Authenticate" in answer.headers) == (CHALLENGE in row.headers)
    assert optum_auth.exchanges[0].outcome == row.outcome
    assert optum_auth.tokens == []


ALWAYS = ["Content-Type", "Cache-Control", "Pragma"]


def test_the_same_request_without_a_flaw_succeeds(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    answer = right.send_by(send, optum_auth.token_url)

    assert answer.status == 200
    assert optum_auth.exchanges[0].outcome == "issued token #1"


# One flaw for each check, in the order in which they are made.
ORDER: list[tuple[str, Spoil, int, str]] = [
    ("method", putting(method="PUT"), 405, "Method 'PUT' is not allowed. Use 'POST'."),
    (
        "media type",
        having(Content_Type="text/plain"),
        415,
        f"Content-Type 'text/plain' is not supported. Use '{FORM}'.",
    ),
    ("credentials in the query", putting(query="?client_id=x"), 400, QUERY),
    ("credentials in Basic", both(basic(), setting(client_id="")), 400, BASIC),
    ("UTF-8", putting(tail=b"&x=%FF"), 400, "The request body is not valid UTF-8."),
    ("required field", setting(client_secret=""), 400, "Field 'client_secret' is required."),
    ("grant_type", setting(grant_type="password"), 400, GRANT_TYPE),
    (
        "client",
        setting(client_id="nobody"),
        401,
        "Client authentication failed: invalid client_id.",
    ),
    (
        "scope",
        setting(scope="admin"),
        403,
        "Requested scope 'admin' is not permitted for this client.",
    ),
]


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[name for name, *_ in ORDER])
def test_of_two_flaws_the_earlier_check_answers(
    first: int, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    spoil, status, reason = ORDER[first][1:]
    for _, later_spoil, *_ in ORDER[first + 1 :]:
        pair = replace(right, fields=dict(right.fields), headers=dict(right.headers))
        later_spoil(pair)
        spoil(pair)

        answer = pair.send_by(send, optum_auth.token_url)

        assert (answer.status, answer.json()["Errors"][0]) == (status, reason)


@IN_PROCESS
def test_plain_http_is_refused_before_every_other_check(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False
    url = optum_auth.token_url.replace("https://", "http://")

    with pytest.raises(transport.connect_error) as caught:
        transport.send("GET", f"{url}?client_id=x")

    assert "calls to Optum are HTTPS only, use https://" in str(caught.value)
    assert optum_auth.token_requests[0].status is None
    assert optum_auth.token_requests[0].outcome == "refused: plain http"
    assert optum_auth.problems() == (
        "GET http://sandbox-apigw.optum.com/apip/auth/sntl/v1/token was refused: calls to Optum "
        "are HTTPS only, use https://"
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", HOSTS)
def test_a_right_request_gets_the_documented_answer(
    host: str, path: str, send: Send, optum_auth: FakeOptum
) -> None:
    answer = send("POST", f"https://{host}{path}", data=fields(optum_auth))

    assert answer.status == 200
    content = answer.json()
    schemas.check(content, schemas.SUCCESS)
    assert list(content) == [
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "token_type",
        "not-before-policy",
        "scope",
    ]
    token = optum_auth.tokens[0]
    assert content == {
        "access_token": token.value,
        "expires_in": 7200,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": ALL_SCOPES,
    }
    assert {name: answer.headers.get(name) for name in ALWAYS} == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Pragma": "no-cache",
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://SANDBOX-apigw.Optum.com/apip/auth/sntl/v1/token",
        "https://sandbox-apigw.optum.com:443/apip/auth/sntl/v1/token",
        "https://sandbox-apigw.optum.com./apip/auth/sntl/v1/token",
        "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token?trace=1",
    ],
)
def test_the_same_host_in_another_spelling_is_the_gateway(
    url: str, send: Send, optum_auth: FakeOptum
) -> None:
    assert send("POST", url, data=fields(optum_auth)).status == 200


def test_a_request_without_a_media_type_is_refused(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    del right.headers["Content-Type"]

    answer = right.send_by(send, optum_auth.token_url)

    assert answer.status == 415
    assert answer.json()["Errors"] == [f"Content-Type is missing. Use '{FORM}'."]
    assert optum_auth.exchanges[0].outcome == "refused: no Content-Type"


def test_head_is_refused_without_a_body(send: Send, optum_auth: FakeOptum) -> None:
    answer = send("HEAD", optum_auth.token_url)

    assert (answer.status, answer.headers["Allow"], answer.content) == (405, "POST", b"")


@pytest.mark.parametrize(
    "given", [f"{FORM};charset=UTF-8", f"{FORM} ; charset=utf-8", FORM.upper()]
)
def test_a_media_type_may_have_parameters_and_any_case(
    given: str, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.headers["Content-Type"] = given

    assert right.send_by(send, optum_auth.token_url).status == 200


def test_unknown_fields_are_ignored(send: Send, optum_auth: FakeOptum) -> None:
    assert ask(send, optum_auth, audience="x", GRANT_TYPE="password").status == 200


def test_an_unknown_field_may_be_given_twice(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.tail = b"&audience=x&audience=y"

    assert right.send_by(send, optum_auth.token_url).status == 200


def test_the_order_of_the_fields_does_not_matter(send: Send, optum_auth: FakeOptum) -> None:
    backwards = dict(reversed(fields(optum_auth).items()))

    assert send("POST", optum_auth.token_url, data=backwards).status == 200


def test_a_basic_header_beside_right_form_fields_is_accepted_and_noted(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    basic()(right)

    assert right.send_by(send, optum_auth.token_url).status == 200
    assert optum_auth.exchanges[0].outcome == (
        "issued token #1 (Basic header ignored beside the form fields)"
    )


@pytest.mark.parametrize("scheme", ["basic", "BASIC"])
def test_the_scheme_basic_is_known_in_any_case(
    scheme: str, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.headers["Authorization"] = f"{scheme} eDp5"
    del right.fields["client_secret"]

    assert right.send_by(send, optum_auth.token_url).json()["Errors"] == [BASIC]


def test_a_bearer_token_beside_right_form_fields_changes_nothing(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.headers["Authorization"] = "Bearer stale"

    assert right.send_by(send, optum_auth.token_url).status == 200
    assert optum_auth.exchanges[0].outcome == "issued token #1"


@pytest.mark.parametrize("secret", ["a&b=c+d%20/e f", "sécrét ключ", "'\"\\<>{}"])
def test_a_secret_may_hold_any_characters(secret: str, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.add_client("awkward", secret)

    right = ask(send, optum_auth, client_id="awkward", client_secret=secret)
    wrong = ask(send, optum_auth, client_id="awkward", client_secret=secret + "x")

    assert (right.status, wrong.status) == (200, 401)


def test_the_default_secret_holds_characters_that_a_form_must_escape(
    send: Send, optum_auth: FakeOptum
) -> None:
    client_id, secret = optum_auth.credentials
    unescaped = f"grant_type=client_credentials&client_id={client_id}&client_secret={secret}"

    answer = send(
        "POST", optum_auth.token_url, headers={"Content-Type": FORM}, content=unescaped.encode()
    )

    assert answer.status == 401
    assert set("&+=%/é ") <= set(secret)


def test_a_granted_scope_narrows_the_token(send: Send, optum_auth: FakeOptum) -> None:
    answer = ask(send, optum_auth, scope="profile openid profile")

    assert answer.json()["scope"] == "profile openid"
    assert optum_auth.tokens[0].scope == "profile openid"


def test_an_empty_scope_asks_for_everything_granted(send: Send, optum_auth: FakeOptum) -> None:
    assert ask(send, optum_auth, scope="").json()["scope"] == ALL_SCOPES


@pytest.mark.parametrize("asked", ['adm"in', "adm\\in", "adménis"])
def test_a_refused_scope_is_told_in_the_characters_that_rfc_6749_allows(
    asked: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = "rfc6749"

    answer = ask(send, optum_auth, scope=asked)

    assert answer.status == 403
    schemas.check(answer.json(), schemas.RFC_ERROR)


def test_a_refused_media_type_is_told_in_those_characters_as_well(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = "rfc6749"
    right.headers["Content-Type"] = 'text/"x\\'

    answer = right.send_by(send, optum_auth.token_url)

    assert answer.status == 415
    schemas.check(answer.json(), schemas.RFC_ERROR)


def test_the_answer_to_a_huge_scope_is_short(send: Send, optum_auth: FakeOptum) -> None:
    answer = ask(send, optum_auth, scope="x" * 100_000)

    assert answer.status == 403
    assert len(answer.content) < 400
    assert len(optum_auth.exchanges[0].outcome) < 100


def test_what_the_journal_keeps_of_a_request_is_what_was_sent(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    sent = fields(optum_auth, scope="openid")

    transport.send("POST", f"{optum_auth.token_url}?trace=1", data=sent, headers={"X-Trace": "a"})

    [exchange] = optum_auth.exchanges
    assert exchange.kind == "token"
    assert exchange.transport == transport.name
    assert exchange.method == "POST"
    assert exchange.url == f"{optum_auth.token_url}?trace=1"
    assert exchange.path == "/apip/auth/sntl/v1/token"
    assert exchange.headers["x-TRACE"] == "a"
    assert exchange.headers["Content-Type"] == FORM
    assert exchange.headers["host"] == "sandbox-apigw.optum.com"
    assert exchange.form == sent
    assert exchange.body == urlencode(sent).encode()
    assert exchange.status == 200
    assert exchange.token is optum_auth.tokens[0]
    assert exchange.path_params == {}


def test_neither_the_secret_nor_the_token_shows_in_a_repr(
    send: Send, optum_auth: FakeOptum
) -> None:
    token = get_token(send, optum_auth)
    exchange = optum_auth.exchanges[0]
    secret = optum_auth.credentials.client_secret

    shown = [
        repr(thing)
        for thing in (
            optum_auth,
            optum_auth.credentials,
            optum_auth.exchanges,
            exchange,
            exchange.form,
            exchange.headers,
            exchange.body,
            optum_auth.tokens,
        )
    ]

    assert exchange.form["client_secret"] == secret
    assert not any(secret in text or token in text or urlencode({"": secret})[1:] in text
                   for text in shown)  # fmt: skip
    assert shown[4] == (
        "{'grant_type': 'client_credentials', 'client_id': 'optum-test-client-1', "
        "'client_secret': '***'}"
    )
    assert shown[6] == f"<{len(exchange.body)} bytes>"


def test_credentials_in_a_url_are_masked_in_the_journal(send: Send, optum_auth: FakeOptum) -> None:
    send(
        "POST",
        f"{optum_auth.token_url}?client_secret=hush&CLIENT_SECRET=hush&trace=1",
        data=fields(optum_auth),
    )

    assert optum_auth.exchanges[0].url == (
        f"{optum_auth.token_url}?client_secret=***&CLIENT_SECRET=***&trace=1"
    )
