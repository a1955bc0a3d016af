"""What is masked by its form: tokens that nobody told of, in whatever text they are shown."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_optum_auth.live.redaction.redactor import Redactor

FIRST, SECOND = (jwt.encode({"iat": 50, "exp": end}, "k" * 32, "HS256") for end in (60, 70))
OPAQUE = "3f9a77b0-c1d2.4e5f_8a6b~9c0d"
KEYS = ("access_token", "id_token", "refresh_token", "client_secret")
ENCODINGS: dict[str, Callable[[str, str], str]] = {
    "json": lambda key, value: json.dumps({key: value, "expires_in": 7200}),
    "compact json": lambda key, value: json.dumps({key: value}, separators=(",", ":")),
    "json in json": lambda key, value: json.dumps(json.dumps({key: value})),
    "repr": lambda key, value: repr({key: value}),
    "repr of json in bytes": lambda key, value: repr(json.dumps({key: value}).encode()),
    "pairs": lambda key, value: repr([(key, value)]),
    "form": lambda key, value: urlencode({"a": "b", key: value, "c": "d"}),
    "html": lambda key, value: html.escape(json.dumps({key: value})),
    "html by number": lambda key, value: f"{{&#34;{key}&#34;: &#34;{value}&#34;}}",
    "url": lambda key, value: quote(json.dumps({key: value})),
    "xml": lambda key, value: f"<{key}>{value}</{key}>",
    "keyword": lambda key, value: f"Client({key}={value!r})",
    "camel": lambda key, value: json.dumps({key.title().replace("_", ""): value}),
    "yaml": lambda key, value: f"{key}: {value}\n",
}


@pytest.fixture
def redactor() -> Redactor:
    """A redactor of a live run that knows no value."""
    return Redactor(by_form=True)


@pytest.mark.parametrize(
    "text", ["{}", "'{}'", "Bearer {}", "\\n{}", "b'{}'", "%3D{}&", "see {}.", '{{"any": "{}"}}']
)
def test_a_jwt_is_masked_wherever_it_stands(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text.format(FIRST)) == text.format("[token 1]")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_value_after_a_key_of_oauth_is_masked(
    redactor: Redactor, key: str, encoding: str
) -> None:
    text = ENCODINGS[encoding](key, OPAQUE)

    shown = "[client_secret 1]" if key == "client_secret" else "[token 1]"
    assert redactor.redact(text) == text.replace(quote(OPAQUE), OPAQUE).replace(OPAQUE, shown)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_canned_value_is_a_word_and_stays(redactor: Redactor, key: str, encoding: str) -> None:
    for value in ("test_token", "the-access-token-of-a-test"):
        text = ENCODINGS[encoding](key, value)
        assert redactor.redact(text) is text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Authorization: Bearer {OPAQUE}\r\n", "Authorization: Bearer [token 1]\r\n"),
        (f"{{'Authorization': 'Bearer {OPAQUE}'}}", "{'Authorization': 'Bearer [token 1]'}"),
        (f"(b'authorization', b'Bearer {OPAQUE}')", "(b'authorization', b'Bearer [token 1]')"),
        (f"Authorization&quot;: &quot;{OPAQUE}", "Authorization&quot;: &quot;[token 1]"),
        (f"HTTP_AUTHORIZATION=Token {OPAQUE}", "HTTP_AUTHORIZATION=Token [token 1]"),
        (f"a bearer {OPAQUE}", "a bearer [token 1]"),
        (
            "Proxy-Authorization: Basic YW4taWQ6YW5vdGhlci1zZWNyZXQtMTI=",
            "Proxy-Authorization: Basic [credentials 1]",
        ),
    ],
)
def test_a_header_with_credentials_is_masked(redactor: Redactor, text: str, masked: str) -> None:
    assert redactor.redact(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        'access_token = response.json()["access_token"]',
        "client = Client(access_token=config.oauth2.access_token_1)",
        "refresh_token=get_refresh_token_v2(client)",
        "['id_token', 'not-before-policy', 'refresh_token']",
        "{'client_secret': 'OPTUM_CLIENT_SECRET'}",
        "Authorization: Bearer test_token",
        "Authorization: Bearer the-token-of-a-test",
        "the bearer of this letter_with_a_long_name",
        "eyJust a word",
        "sha256 eyJ3hV0Qm1x8",
    ],
)
def test_code_and_words_stay(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text) is text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"'{FIRST[:50]}...{FIRST[-30:]}'", "'[token]'"),
        (f"{FIRST[:30]}...", "[token]"),
        (FIRST[:12], "[token]"),
    ],
    ids=["in the middle", "at the end", "in the header"],
)
def test_what_a_cut_has_left_of_a_jwt_is_masked(redactor: Redactor, text: str, masked: str) -> None:
    assert redactor.redact(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("- {}", "- [token 2, cut]"),
        ("-{}", "-[token 2, cut]"),
        (r"skipped\n{}", r"skipped\n[token 2, cut]"),
        (r"\\x1b-{}", r"\\x1b-[token 2, cut]"),
        (r"\u0000-{}\u0001", r"\u0000-[token 2, cut]\u0001"),
        ("\x1b[31m{}\x1b[0m", "\x1b[31m[token 2, cut]\x1b[0m"),
    ],
    ids=["diff", "close to its sign", "escaped", "in hex", "in json", "coloured"],
)
def test_the_inside_of_a_jwt_is_masked_that_was_seen_as_a_whole(
    redactor: Redactor, text: str, masked: str
) -> None:
    inside = SECOND[-40:]
    assert redactor.redact(text.format(inside)) == text.format(inside)

    redactor.redact(f"{FIRST} {SECOND}")

    assert redactor.redact(text.format(inside)) == masked


def test_colours_may_stand_inside_of_it(redactor: Redactor) -> None:
    redactor.redact(SECOND)
    coloured = "\x1b[1m".join(SECOND[-40:])

    assert redactor.redact(coloured).replace("\x1b[1m", "") == "[token 1, cut]"


def test_a_canned_jwt_masks_no_words(redactor: Redactor) -> None:
    words = "payload-of-a-test", "Signature", "accessToken", "SANDBOX_2026", "20261126"
    header = FIRST.partition(".")[0]
    for word in words:
        assert redactor.redact(f"{header}.{word}.x").startswith("[token ")

    text = " ".join(words)
    assert redactor.redact(text) is text


@pytest.mark.parametrize("row", ["bqHLHFSSCEk", "VpnZQWCJBg", "aB3xKq9z"])
def test_a_row_that_is_no_word_is_masked(redactor: Redactor, row: str) -> None:
    redactor.redact(f"{FIRST.partition('.')[0]}.e30.{row}xx")

    assert redactor.redact(f"- {row}") == "- [token 1, cut]"


def test_only_the_latest_tokens_are_remembered(redactor: Redactor) -> None:
    header, inside = FIRST.partition(".")[0], FIRST.rpartition(".")[2]
    redactor.redact(FIRST)
    redactor.redact(" ".join(f"{header}.{number:08}.x" for number in range(255)))
    assert redactor.redact(inside) == "[token 1, cut]"

    redactor.redact(f"{header}.00000255.x")

    assert redactor.redact(inside) is inside


@pytest.mark.parametrize("header", ['{ "alg": "none"}', '{\n "alg": "none"}', '{\r\n "typ": 1}'])
def test_a_jwt_may_begin_with_white_space(redactor: Redactor, header: str) -> None:
    first = jwt.utils.base64url_encode(header.encode()).decode()

    assert redactor.redact(f"<{first}.e30.x>") == "<[token 1]>"


def test_tokens_keep_their_numbers(redactor: Redactor) -> None:
    assert redactor.redact(f"assert '{FIRST}' == '{SECOND}'") == "assert '[token 1]' == '[token 2]'"
    assert redactor.redact(f"{SECOND} {FIRST}") == "[token 2] [token 1]"
    assert redactor.redact(urlencode({"access_token": OPAQUE})) == "access_token=[token 3]"


def test_a_token_that_was_fetched_is_masked_by_value_too(redactor: Redactor) -> None:
    redactor.learn_token(FIRST)
    redactor.learn_token(OPAQUE)

    signature = FIRST.rpartition(".")[2]
    assert redactor.redact(FIRST) == "[token 1]"
    assert redactor.redact(f"...{signature[5:]}") == "...[token 1, cut]"
    assert redactor.redact(SECOND) == "[token 3]"
    assert redactor.redact(f"got {OPAQUE} in hex {OPAQUE.encode().hex()}") == (
        "got [token 2] in hex [token 2, in hex]"
    )


def test_without_live_tests_nothing_is_masked_by_its_form() -> None:
    text = f"{FIRST} access_token={OPAQUE}"

    assert Redactor().redact(text) is text


@settings(deadline=None)
@given(
    text=st.text() | st.from_regex(r"eyJ[A-Za-z0-9_=.-]*") | st.from_regex(r"access_token\W*\w*")
)
def test_no_text_is_too_strange(text: str) -> None:
    redactor = Redactor(by_form=True)
    redactor.learn_token(text)

    assert isinstance(redactor.redact(text), str)


def test_a_thread_may_print_while_another_gets_a_token(redactor: Redactor) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = [f"{number:08}" * 4 for number in range(200)]
        done = pool.map(lambda n: redactor.learn_token(n) or redactor.redact(FIRST * 20), numbers)

        assert {text[:9] for text in done} <= {f"[token {n}]"[:9] for n in range(1, 300)}
