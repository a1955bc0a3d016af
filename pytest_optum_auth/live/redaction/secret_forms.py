"""The spellings in which a secret can turn up in the output of a run."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_PERCENT = re.compile(r"%[0-9A-F]{2}")


def forms(secret: str) -> frozenset[str]:
    """``secret`` as it is and as URLs, JSON, Python, HTML, hex and base64 write it.

    Texts are escaped twice as well (the ``repr`` of a JSON body); base64 comes in both alphabets
    and at the three offsets at which the secret can stand inside a longer value, such as the
    ``id:secret`` of ``Authorization: Basic`` (RFC 7617 section 2).
    """
    once = set(_escapes(secret))
    twice = {form for spelled in once for form in _escapes(spelled)}
    encoded = {form for text in _encodings(secret) for form in _escapes(text)}
    return frozenset(once | twice | encoded)


def _escapes(text: str) -> Iterator[str]:
    """``text`` in each syntax that a tool may print it in, without quotes around it."""
    yield text
    for quoted in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield quoted
        yield _PERCENT.sub(lambda match: match.group().lower(), quoted)
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield ascii(text)[1:-1]
    # As pytest writes a parameter into the id of a test.
    yield text.encode("unicode_escape").decode("ascii")
    yield repr(text.encode("utf-8", "surrogateescape"))[2:-1]
    yield html.escape(text)
    yield html.escape(text, quote=False)
    # Jinja and Markup write the quotes by number.
    yield html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def _encodings(secret: str) -> Iterator[str]:
    # HTTP libraries encode the Basic header as Latin-1 where they can, else as UTF-8.
    for data in {secret.encode("utf-8", "surrogateescape"), _latin_1(secret)} - {b""}:
        yield data.hex()
        yield data.hex().upper()
        for offset in range(3):
            yield from _base64(data, offset)


def _latin_1(secret: str) -> bytes:
    try:
        return secret.encode("latin-1")
    except UnicodeEncodeError:
        return b""


def _base64(data: bytes, offset: int) -> Iterator[str]:
    """The characters that depend on ``data`` alone, when it stands at ``offset`` modulo 3."""
    padded = bytes(offset) + data
    first = -(-offset * 8 // 6)
    last = len(padded) * 8 // 6
    yield base64.b64encode(padded).decode()[first:last]
    yield base64.urlsafe_b64encode(padded).decode()[first:last]
