"""The token endpoint, v3: what it refuses, and in which order it checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest
import schemas
from token_requests import ask, fields
from transports_under_test import IN_PROCESS, Send, Transport, send_with_requests
from wrong_requests import (
    BASIC,
    CHALLENGE,
    FORM,
    GRANT_TYPE,
    QUERY,
    REASONS,
    ROWS,
    Flawed,
    Row,
    Spoil,
    basic,
    both,
    having,
    putting,
    setting,
)

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.core.settings import ErrorFormat


@pytest.fixture
def right(optum_auth: FakeOptum) -> Flawed:
    return Flawed(fields(optum_auth))


@pytest.mark.parametrize("error_format", ["optum", "rfc6749"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_wrong_request_is_refused_with_its_reason(
    row: Row, error_format: ErrorFormat, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = error_format
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


def test_a_request_without_a_media_type_is_refused(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    del right.headers["Content-Type"]

    answer = right.send_by(send, optum_auth.token_url)

    assert answer.status == 415
    assert answer.json()["Errors"] == [f"Content-Type is missing. Use '{FORM}'."]
    assert optum_auth.exchanges[0].outcome == "refused: no Content-Type"


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (putting(method="PUT"), "Allow"),
        (both(basic(), setting(client_secret="wrong")), "WWW-Authenticate"),
    ],
    ids=["method", "secret"],
)
def test_a_header_is_spelled_as_usual_for_who_looks_into_a_plain_dict(
    spoil: Spoil, name: str, right: Flawed, optum_auth: FakeOptum
) -> None:
    spoil(right)

    assert name in list(right.send_by(send_with_requests, optum_auth.token_url).headers)


@pytest.mark.parametrize("query", ["?client_id=x?y", "?a=1&client_id=", "?client_secret"])
def test_credentials_are_found_anywhere_in_the_query(
    query: str, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.query = query

    answer = right.send_by(send, optum_auth.token_url)

    assert (answer.status, answer.json()["Errors"]) == (400, [QUERY])


def test_a_field_without_a_value_is_given_all_the_same(
    right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.tail = b"&client_id="

    answer = right.send_by(send, optum_auth.token_url)

    reasons = ["Field 'client_id' is required.", "Field 'client_id' is given more than once."]
    assert (answer.status, answer.json()["Errors"]) == (400, reasons)


@pytest.mark.parametrize("tail", [b"&x=%FF", b"&x=\xff"], ids=["escaped", "bytes"])
def test_the_fields_of_a_body_that_is_not_utf8_are_read_all_the_same(
    tail: bytes, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    basic()(right)
    sent = dict(right.fields)
    right.tail = b"&note=" + tail

    answer = right.send_by(send, optum_auth.token_url)

    # Basic beside the fields does no harm: it is the bytes that are refused.
    assert answer.json()["Errors"] == ["The request body is not valid UTF-8."]
    assert optum_auth.exchanges[0].form == sent | {"note": "", "x": "\N{REPLACEMENT CHARACTER}"}


def test_head_is_refused_without_a_body(send: Send, optum_auth: FakeOptum) -> None:
    answer = send("HEAD", optum_auth.token_url)

    assert (answer.status, answer.headers["Allow"], answer.content) == (405, "POST", b"")


@pytest.mark.parametrize("scheme", ["basic", "BASIC"])
def test_the_scheme_basic_is_known_in_any_case(
    scheme: str, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    right.headers["Authorization"] = f"{scheme} eDp5"
    del right.fields["client_secret"]

    assert right.send_by(send, optum_auth.token_url).json()["Errors"] == [BASIC]


def test_the_default_secret_holds_characters_that_a_form_must_escape(
    optum_auth: FakeOptum,
) -> None:
    secret = optum_auth.credentials.client_secret

    assert set("&+=%/: ") <= set(secret)
    # RFC 6749 appendix A.2: some clients send no other.
    assert all(" " <= character <= "~" for character in secret)


@pytest.mark.parametrize("secret", [None, "a+b", "50%25", "a&b=c"])
def test_a_client_that_does_not_escape_its_secret_is_told_so(
    secret: str | None, send: Send, optum_auth: FakeOptum
) -> None:
    known = optum_auth.add_client("me", secret).client_secret
    form = f"grant_type=client_credentials&client_id=me&client_secret={known}"

    send("POST", optum_auth.token_url, headers={"Content-Type": FORM}, content=form.encode())

    assert [(seen.status, seen.outcome) for seen in optum_auth.token_requests] == [
        (401, "refused: client_secret is wrong (not escaped by the client?)")
    ]


@pytest.mark.parametrize("sent", ["{}\n", "{}\r\n", " {}"])
def test_a_client_that_has_read_its_secret_with_the_end_of_its_line_is_told_so(
    sent: str, send: Send, optum_auth: FakeOptum
) -> None:
    ask(send, optum_auth, client_secret=sent.format(optum_auth.credentials.client_secret))

    assert [(seen.status, seen.outcome) for seen in optum_auth.token_requests] == [
        (401, "refused: client_secret is wrong (white space around it, as of a file's last line?)")
    ]


@pytest.mark.parametrize("secret", ["&", "&x", "=", "%", "x"])
def test_nothing_is_told_of_a_secret_that_is_merely_wrong(
    secret: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.add_client("me", secret)

    ask(send, optum_auth, client_id="me", client_secret="wrong")

    assert optum_auth.token_requests[0].outcome == "refused: client_secret is wrong"


@pytest.mark.parametrize("escape", [quote, quote_plus])
def test_a_client_that_escapes_its_secret_twice_is_told_so(
    escape: Callable[[str], str], send: Send, optum_auth: FakeOptum
) -> None:
    ask(send, optum_auth, client_secret=escape(optum_auth.credentials.client_secret))

    assert optum_auth.token_requests[0].outcome == (
        "refused: client_secret is wrong (escaped twice by the client?)"
    )


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


@pytest.mark.parametrize(
    ("spoil", "reason", "outcome"),
    [
        (putting(method="M" * 41), f"Method '{'M' * 40}' is not allowed. Use 'POST'.", "not POST"),
        (
            having(Content_Type="x" * 101),
            f"Content-Type '{'x' * 100}' is not supported. Use '{FORM}'.",
            f"Content-Type is '{'x' * 40}'",
        ),
        (
            setting(scope="x" * 101),
            f"Requested scope '{'x' * 100}' is not permitted for this client.",
            f"scope '{'x' * 40}' is not granted to the client",
        ),
    ],
    ids=["method", "media type", "scope"],
)
def test_of_what_is_long_the_beginning_is_shown(
    spoil: Spoil, reason: str, outcome: str, right: Flawed, send: Send, optum_auth: FakeOptum
) -> None:
    spoil(right)

    answer = right.send_by(send, optum_auth.token_url)

    assert answer.json()["Errors"] == [reason]
    assert optum_auth.exchanges[0].outcome == f"refused: {outcome}"
