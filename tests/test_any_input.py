"""Whatever is sent to a gateway host: a documented answer, never an exception of the plugin."""

from __future__ import annotations

import json
import string
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from token_requests import fields
from transports_under_test import Send

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.core.gateway import Gateway
from pytest_optum_auth.core.messages import Headers, NetworkFault, Request, Response
from pytest_optum_auth.transports.drive import drive

DOCUMENTED = {200, 400, 401, 403, 405, 415}
TOKEN_PATHS = ["/apip/auth/sntl/v1/token", "/auth/sntl/v1/token", "/apip/auth/v2/token"]
LONG = 10_000_000

token_characters = st.text("!#$%&'*+-.^_`|~" + string.ascii_letters + string.digits, min_size=1)
header_values = st.text(st.characters(max_codepoint=255), max_size=60)
media_types = st.sampled_from(
    ["application/x-www-form-urlencoded", "application/json", "text/plain", "", ";", "a/b;c=d"]
)
headers = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(["Authorization", "Content-Type", "Host"]), token_characters),
        st.one_of(
            header_values,
            media_types,
            st.sampled_from(["Basic", "Basic !", "Bearer", "Bearer a.b.c", "bearer \x00"]),
        ),
    ),
    max_size=6,
)
names = st.sampled_from(["grant_type", "client_id", "client_secret", "scope"])
pairs = st.lists(st.tuples(st.one_of(names, st.text()), st.text()), max_size=8)
bodies = st.one_of(
    st.binary(max_size=200),
    pairs.map(lambda fields: urlencode(fields, errors="replace").encode()),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(names | st.text(), inner),
        max_leaves=8,
    ).map(lambda content: json.dumps(content).encode()),
)


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    """A gateway without a transport before it."""
    fake = FakeOptum(strict=False, transports=())
    fake.protect("GET", "/members/{member_id}")
    return fake.gateway


def answer(gateway: Gateway, request: Request) -> Response:
    return drive(gateway.respond(request, arrived=True), timeout=None)


def request_to(path: str, *, method: str = "POST", body: bytes = b"", **fields: str) -> Request:
    named = [(name.replace("_", "-"), value) for name, value in fields.items()]
    url = f"https://sandbox-apigw.optum.com{path}"
    return Request("test", method, url, Headers(named), body)


@given(
    method=st.sampled_from(["POST", "GET", "HEAD", "post"]) | token_characters,
    path=st.sampled_from(TOKEN_PATHS),
    query=st.text(max_size=40),
    fields=headers,
    body=bodies,
)
def test_the_token_endpoint_gives_a_documented_answer_to_anything(
    gateway: Gateway, method: str, path: str, query: str, fields: list[tuple[str, str]], body: bytes
) -> None:
    url = f"https://sandbox-apigw.optum.com{path}?{query}"

    got = answer(gateway, Request("test", method, url, Headers(fields), body))

    assert got.status in DOCUMENTED
    if method != "HEAD":
        content = json.loads(got.body)
        v2 = path == "/apip/auth/v2/token"
        problem = {"error", "error_description"} if v2 else {"status", "failureReason", "Errors"}
        assert content.keys() == problem


@given(path=st.text(max_size=60), method=token_characters, fields=headers)
@example(path="/members/" + "a" * 500, method="GET", fields=[])
@example(path="/members/%00%ff", method="GET", fields=[("Authorization", "Bearer \udcff")])
@example(path="/members/x", method="GET", fields=[("Authorization", "Bearer a.b.c")])
def test_every_other_path_gives_a_documented_answer_to_anything(
    gateway: Gateway, path: str, method: str, fields: list[tuple[str, str]]
) -> None:
    url = f"https://apigw.optum.com/{path}"

    got = answer(gateway, Request("test", method, url, Headers(fields), b""))

    assert got.status in {401, 404, 405}


@given(secret=st.text(min_size=1), client_id=st.text(min_size=1))
def test_every_secret_that_is_text_is_accepted_when_the_form_escapes_it(
    secret: str, client_id: str
) -> None:
    fake = FakeOptum(client_id=client_id, client_secret=secret, transports=())
    # A lone surrogate cannot be sent by any client: UTF-8 has no bytes for it.
    body = urlencode(fields(fake), errors="replace").encode()
    sendable = client_id.isprintable() or "?" not in (client_id + secret)

    got = answer(
        fake.gateway,
        request_to(TOKEN_PATHS[0], body=body, content_type="application/x-www-form-urlencoded"),
    )

    assert got.status == 200 or not sendable


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    path=st.sampled_from(TOKEN_PATHS),
    media_type=media_types.filter(str.strip),
    body=bodies,
)
def test_every_transport_hands_any_request_on_and_gives_the_answer_back(
    optum_auth: FakeOptum, send: Send, method: str, path: str, media_type: str, body: bytes
) -> None:
    got = send(
        method,
        f"https://sandbox-apigw.optum.com{path}",
        headers={"Content-Type": media_type},
        content=body,
    )

    assert got.status in DOCUMENTED
    assert optum_auth.exchanges[-1].status == got.status
    assert optum_auth.exchanges[-1].body == body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"client_id=" + b"x" * LONG, 400),
        (b"&".join(b"field%d=x" % number for number in range(10_000)), 400),
        (b"[" * 100_000, 415),
    ],
    ids=["10 MB in one field", "10,000 fields", "deeply nested"],
)
def test_a_long_body_is_answered(gateway: Gateway, body: bytes, status: int) -> None:
    media_type = "application/json" if status == 415 else "application/x-www-form-urlencoded"

    got = answer(gateway, request_to(TOKEN_PATHS[0], body=body, content_type=media_type))

    assert got.status == status
    assert len(got.body) < 1000


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"{" + b" " * LONG])
def test_a_json_body_that_is_deeply_nested_or_long_is_answered_by_v2(
    gateway: Gateway, body: bytes
) -> None:
    got = answer(gateway, request_to(TOKEN_PATHS[2], body=body, content_type="application/json"))

    assert got.status == 400
    assert json.loads(got.body)["error_description"] == "The request body is not a JSON object."


@pytest.mark.parametrize("name", ["Content-Type", "Authorization", "X-Anything"])
def test_a_header_value_of_a_megabyte_is_answered_in_few_words(gateway: Gateway, name: str) -> None:
    value = "x" * 1_000_000
    request = Request(
        "test", "POST", f"https://apigw.optum.com{TOKEN_PATHS[0]}", Headers([(name, value)]), b""
    )

    got = answer(gateway, request)

    assert got.status == 415
    assert len(got.body) < 1000
    assert len(repr(gateway.state.journal.exchanges[-1])) < 200


def test_a_plain_http_request_is_the_only_one_without_an_answer(gateway: Gateway) -> None:
    request = Request("test", "POST", f"http://apigw.optum.com{TOKEN_PATHS[0]}", Headers(), b"")

    with pytest.raises(NetworkFault, match="calls to Optum are HTTPS only"):
        answer(gateway, request)
