"""What is masked of a secret in a text or in bytes: its forms and its parts."""

from __future__ import annotations

import base64
import html
import json
import re
from hashlib import sha256
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_optum_auth.live.redaction.redactor import PASSING, Redactor

LONG = "s3cr3t&\"'/+= %\\\té-Zq8"
SHORT = "pa&s/w0rd"
SECRETS = pytest.mark.parametrize("secret", [LONG, SHORT], ids=["long", "short"])


def spellings(secret: str) -> dict[str, str]:
    """Forms of a secret, told apart from those that the package knows."""
    return {
        "raw": secret,
        "quote": quote(secret),
        "quote all": quote(secret, safe=""),
        "lower hex": re.sub("%..", lambda escape: escape[0].lower(), quote(secret, safe="")),
        "plus": quote_plus(secret),
        "json": json.dumps(secret)[1:-1],
        "json in json": json.dumps(json.dumps(secret))[3:-3],
        "repr": repr(secret)[1:-1],
        "repr of bytes": repr(secret.encode())[2:-1],
        "html": html.escape(secret),
        "hex": secret.encode().hex(),
        "HEX": secret.encode().hex().upper(),
    }


@SECRETS
@pytest.mark.parametrize("form", spellings(LONG))
def test_every_form_is_masked_whole(secret: str, form: str) -> None:
    text = f"before <{spellings(secret)[form]}> after"

    assert Redactor([secret]).redact(text) == "before <[redacted]> after"


@SECRETS
@pytest.mark.parametrize("offset", range(3))
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_base64_is_masked_wherever_the_secret_begins(
    secret: str, offset: int, encoding: str
) -> None:
    whole = base64.b64encode(b"x" * offset + b"id:" + secret.encode(encoding)).decode()

    masked = Redactor([secret]).redact(f"Basic {whole}")

    # What is left tells of the client's name and of two characters at the seams at most.
    assert "[redacted]" in masked
    assert len(masked.replace("[redacted]", "").removeprefix("Basic ").rstrip("=")) <= 4 + 4 + 2


@settings(deadline=None)
@given(secret=st.text(st.characters(codec="utf-8"), min_size=16, max_size=40), data=st.data())
def test_any_part_of_eight_characters_is_masked(secret: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(secret) - 8))
    end = data.draw(st.integers(start + 8, len(secret)))

    assert Redactor([secret]).redact(secret[start:end]) == "[redacted]"


@settings(deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="s3cr3t"), max_size=200))
def test_a_text_that_shares_nothing_with_the_secret_stays(text: str) -> None:
    assert Redactor(["s3cr3ts3cr3ts3cr3t"]).redact(text) is text


def test_a_part_of_a_short_secret_stays() -> None:
    assert Redactor([SHORT]).redact(f"{SHORT} {SHORT[:-1]}") == f"[redacted] {SHORT[:-1]}"


def test_a_secret_under_eight_characters_is_not_looked_for() -> None:
    assert Redactor(["1234567"]).redact("1234567 1234567") == "1234567 1234567"


def test_a_secret_that_cannot_be_encoded_as_latin_1_is_masked_too() -> None:
    secret = "снежная королева"

    assert Redactor([secret]).redact(quote(secret)) == "[redacted]"


def test_colours_inside_a_secret_hide_nothing_and_survive() -> None:
    coloured = f"\x1b[31m<{LONG[:5]}\x1b[0m{LONG[5:9]}\x1b[1m{LONG[9:]}>\x1b[0m"

    assert Redactor([LONG]).redact(coloured) == "\x1b[31m<[redacted]\x1b[0m\x1b[1m>\x1b[0m"


def test_two_secrets_in_one_text_are_both_masked() -> None:
    redactor = Redactor([SHORT, LONG])

    assert redactor.redact(f"{LONG}, {SHORT}, {LONG}") == "[redacted], [redacted], [redacted]"


def test_two_short_secrets_are_both_masked() -> None:
    redactor = Redactor([SHORT])
    redactor.learn("another1")

    assert redactor.redact(f"{SHORT}, another1") == "[redacted], [redacted]"


@pytest.mark.parametrize("data", [b"\xff" + LONG.encode() + b"\xfe", LONG.encode()])
def test_bytes_are_masked_and_otherwise_kept(data: bytes) -> None:
    expected = data.replace(LONG.encode(), b"[redacted]")

    assert Redactor([LONG]).redact_bytes(data) == expected


def test_bytes_without_a_secret_stay_the_same_object() -> None:
    data = b"\xff nothing to see here"

    assert Redactor([LONG]).redact_bytes(data) is data


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
    assert Redactor([LONG, SHORT]).holds(text) is held


def test_without_a_short_secret_an_id_is_searched_for_parts_only() -> None:
    assert not Redactor([LONG]).holds("test[name]")


def test_of_very_many_passing_tokens_the_oldest_are_forgotten_and_the_secret_is_not() -> None:
    redactor = Redactor([LONG])
    tokens = [sha256(bytes([number])).hexdigest() for number in range(PASSING + 1)]
    for token in [*tokens, tokens[-1], LONG, "short"]:
        redactor.learn_passing(token)

    assert redactor.redact(tokens[-1]) == "[redacted]"
    assert redactor.redact(tokens[0]) == tokens[0]
    assert redactor.redact(LONG) == "[redacted]"
