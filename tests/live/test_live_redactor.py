"""What is masked of a secret of known value: its forms, its parts, and nothing that is none."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import random
import re
import uuid
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_optum_auth.live.redaction.known_values import looks_random
from pytest_optum_auth.live.redaction.redactor import Redactor

LONG = "s3cr3t&\"'/+= %\\\té-Zq8"
SHORT = "pa&s/w0rd"
WORDS = "correct horse battery staple"
UUID = "3f2b8c1d-77aa-4e0e-9c55-0b1e2d3c4f5a"
SECRETS = pytest.mark.parametrize("secret", [LONG, SHORT], ids=["long", "short"])


def knowing(**secrets: str) -> Redactor:
    """A redactor that knows secrets by the names of their variables."""
    redactor = Redactor()
    for name, value in secrets.items():
        redactor.learn_secret(name, value)
    return redactor


def spellings(secret: str) -> dict[str, tuple[str, str]]:
    """Forms of a secret, told apart from those that the package knows, and how each is called."""
    return {
        "raw": (secret, ""),
        "quote": (quote(secret), ", percent-encoded"),
        "quote all": (quote(secret, safe=""), ", percent-encoded"),
        "lower hex": (
            re.sub("%..", lambda escape: escape[0].lower(), quote(secret, safe="")),
            ", percent-encoded",
        ),
        "plus": (quote_plus(secret), ", percent-encoded"),
        "twice": (quote_plus(quote_plus(secret)), ", percent-encoded twice"),
        "html": (html.escape(secret), ", HTML-escaped"),
        "hex": (secret.encode().hex(), ", in hex"),
        "HEX": (secret.encode().hex().upper(), ", in hex"),
    }


def escaped(secret: str) -> dict[str, str]:
    """Forms in which a secret stands within quotes; some leave a secret as it is."""
    return {
        "json": json.dumps(secret)[1:-1],
        "json in json": json.dumps(json.dumps(secret))[3:-3],
        "repr": repr(secret)[1:-1],
        "repr of bytes": repr(secret.encode())[2:-1],
        "json of Go": json.dumps(secret)[1:-1].replace("&", r"\u0026").replace("'", r"\u0027"),
        "regular expression": re.escape(secret),
        "repr of one": repr(re.escape(secret))[1:-1],
    }


@SECRETS
@pytest.mark.parametrize("form", spellings(LONG))
def test_every_form_is_masked_whole_and_named(secret: str, form: str) -> None:
    text, name = spellings(secret)[form]

    assert knowing(S=secret).redact(f"before <{text}> after") == f"before <[S{name}]> after"


@SECRETS
@pytest.mark.parametrize("form", escaped(LONG))
def test_escapes_are_masked_whole(secret: str, form: str) -> None:
    text = escaped(secret)[form]

    assert knowing(S=secret).redact(f"<{text}>") == "<[S]>"


@SECRETS
@pytest.mark.parametrize("offset", range(3))
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_base64_is_masked_wherever_the_secret_begins(
    secret: str, offset: int, encoding: str
) -> None:
    whole = base64.b64encode(b"x" * offset + b"id:" + secret.encode(encoding)).decode()

    masked = knowing(S=secret).redact(f"Basic {whole}")

    # What is left tells of the client's name and of two characters at the seams at most.
    assert "[S, in base64]" in masked
    assert len(re.sub(r"\[S.*?\]", "", masked).removeprefix("Basic ").rstrip("=")) <= 4 + 4 + 2


@SECRETS
@pytest.mark.parametrize("name", ["id", "id2", "id22"])
@pytest.mark.parametrize("escape", [quote_plus, lambda text: quote(text, safe="")])
def test_base64_is_masked_where_the_secret_was_percent_encoded_before(
    secret: str, name: str, escape: Callable[[str], str]
) -> None:
    # RFC 6749 section 2.3.1.
    whole = base64.b64encode(f"{name}:{escape(secret)}".encode()).decode()

    left = re.sub(r"\[S.*?\]", "", knowing(S=secret).redact(whole)).rstrip("=")

    assert len(left) <= 4 + 4 + 2


@given(start=st.integers(0, len(LONG) - 8), length=st.integers(8, len(LONG) - 1))
def test_any_part_of_a_random_secret_is_masked(start: int, length: int) -> None:
    part = LONG[start : start + length]

    assert knowing(S=LONG).redact(f"<{part}...") in ("<[S, cut]...", "<[S]...")


@settings(deadline=None)
@given(secret=st.text(st.characters(codec="utf-8"), min_size=16, max_size=40))
def test_any_secret_is_masked_whole(secret: str) -> None:
    masked = knowing(S=secret).redact(f"<{secret}>")

    assert secret not in masked
    assert "[S" in masked


@settings(deadline=None)
@given(
    words=st.lists(st.text("abcdefghij", min_size=6, max_size=14), min_size=3, max_size=5),
    between=st.sampled_from(["&", "@", "7", "A", "!", "'", "%"]),
)
def test_a_secret_of_long_words_with_signs_between_is_masked_whole(
    words: list[str], between: str
) -> None:
    secret = between.join(words)

    assert knowing(S=secret).redact(f"<{secret}>") == "<[S]>"
    assert knowing(S=secret).redact(f"<{quote(secret)}>") in ("<[S]>", "<[S, percent-encoded]>")


@pytest.mark.parametrize(
    "text", ["&amp;#x27;", "&amp;#39;&amp;quot;", "%252F%252B", "&#x27;&#x27;", "it&amp;#x27;s"]
)
def test_escapes_of_signs_that_a_secret_holds_too_stay(text: str) -> None:
    assert knowing(S="9Qe/+'\"&canary%7hT2").redact(f"<{text}>") == f"<{text}>"


@settings(deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="s3cr3t"), max_size=200))
def test_a_text_that_shares_nothing_with_the_secret_stays(text: str) -> None:
    assert knowing(S="s3cr3ts3cr3ts3cr3t").redact(text) is text


@pytest.mark.parametrize(
    ("secret", "part", "masked"),
    [
        (SHORT, SHORT[:-1], SHORT[:-1]),
        (WORDS, "correct horse", "correct horse"),
        (WORDS, WORDS[:-3], "[S, cut]"),
        (UUID, UUID[:8], UUID[:8]),
        (UUID, UUID[:13], "[S, cut]"),
    ],
    ids=["short", "words", "most of the words", "digits", "many digits"],
)
def test_a_part_that_others_may_have_too_stays(secret: str, part: str, masked: str) -> None:
    assert knowing(S=secret).redact(f"<{part}>") == f"<{masked}>"


@pytest.mark.parametrize("secret", [LONG, SHORT, WORDS, UUID, "k3JdP0sQv8ZrT1uWx5YbN2mC"])
def test_of_100_000_identifiers_and_hashes_none_is_masked(secret: str) -> None:
    chance = random.Random(secret)
    redactor = knowing(S=secret)
    redactor.by_form = True
    texts = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(40_000)]
    texts += [hashlib.sha256(text.encode()).hexdigest() for text in texts[:30_000]]
    texts += [base64.b64encode(bytes.fromhex(text)).decode() for text in texts[40_000:]]
    lines = "\n".join(texts)

    assert len(texts) == 100_000
    assert redactor.redact(lines) is lines


@pytest.mark.parametrize(
    "text",
    [
        "OPTUM_CLIENT_SECRET",
        "test_a_client_secret_of_the_sandbox",
        "a client secret, a battery and a correct horse",
        "tests/test_client.py::test_the_secret_is_sent[sandbox-client-secret]",
    ],
)
@pytest.mark.parametrize("secret", [WORDS, "OPTUM_CLIENT_SECRET", "OPTUM_CLIENT_SECRET-1"])
def test_a_secret_of_ordinary_words_masks_no_words(secret: str, text: str) -> None:
    assert knowing(OPTUM_CLIENT_SECRET=secret).redact(text) is text


@pytest.mark.parametrize(
    ("text", "random"),
    [
        ("battery staple", False),
        ("clientSecret", False),
        ("Winter2026", False),
        ("SANDBOX_1", False),
        ("9Qx-vT&w", True),
        ("k3JdP0sQ", True),
        ("a1b2c3d4", True),
    ],
)
def test_words_and_names_do_not_look_random(text: str, random: bool) -> None:
    assert looks_random(text) is random


def test_a_secret_under_eight_characters_is_not_looked_for() -> None:
    assert knowing(S="1234567").redact("1234567 1234567") == "1234567 1234567"


def test_a_secret_that_cannot_be_encoded_as_latin_1_is_masked_too() -> None:
    assert knowing(S="снежная королева").redact(quote("снежная королева")) == (
        "[S, percent-encoded]"
    )


def test_colours_inside_a_secret_hide_nothing_and_survive() -> None:
    coloured = f"\x1b[31m<{LONG[:5]}\x1b[0m{LONG[5:9]}\x1b[1m{LONG[9:]}>\x1b[0m"

    assert knowing(S=LONG).redact(coloured) == "\x1b[31m<[S]\x1b[0m\x1b[1m>\x1b[0m"


def test_colours_alone_stay() -> None:
    assert knowing(S=LONG).redact("\x1b[31mplain\x1b[0m text") == "\x1b[31mplain\x1b[0m text"


def test_two_secrets_in_one_text_are_both_masked() -> None:
    redactor = knowing(LONG=LONG, SHORT=SHORT, OTHER="another1")

    assert redactor.redact(f"{LONG}, {SHORT}, {LONG}{LONG}, another1") == (
        "[LONG], [SHORT], [LONG][LONG], [OTHER]"
    )


def test_a_second_secret_is_masked_in_what_was_clean_before() -> None:
    redactor, text = knowing(S=LONG), f"{SHORT} " * 100
    assert redactor.redact(text) is text

    redactor.learn_secret("T", SHORT)

    assert redactor.redact(text) == "[T] " * 100


def test_of_long_clean_texts_some_are_remembered_and_the_rest_is_read_again() -> None:
    redactor = knowing(S=LONG)
    texts = [f"{number} " * 100 for number in range(1000, 1100)]

    assert [redactor.redact(text) for text in texts * 2] == texts * 2


@pytest.mark.parametrize("data", [b"\xff" + LONG.encode() + b"\xfe", LONG.encode()])
def test_bytes_are_masked_and_otherwise_kept(data: bytes) -> None:
    assert knowing(S=LONG).redact_bytes(data) == data.replace(LONG.encode(), b"[S]")


def test_bytes_without_a_secret_stay_the_same_object() -> None:
    data = b"\xff nothing to see here"

    assert knowing(S=LONG).redact_bytes(data) is data


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (f"test[{LONG}]", True),
        (f"test[{LONG[:16]}]", True),
        (f"test[{LONG[:12]}]", False),
        (f"test[{SHORT}]", True),
        ("test[name]", False),
    ],
)
def test_an_id_holds_a_secret_when_much_of_it_is_there(text: str, held: bool) -> None:
    assert knowing(LONG=LONG, SHORT=SHORT).holds(text) is held
