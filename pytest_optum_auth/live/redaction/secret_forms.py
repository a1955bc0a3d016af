"""The spellings in which a secret can turn up in the output of a run."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

_PERCENT = re.compile(r"%[0-9A-F]{2}")


def forms(secret: str) -> dict[str, str]:
    """``secret`` as it is and as URLs, JSON, Python, HTML, hex and base64 write it.

    The value is what happened to it, ``""`` for the secret as it is or within quotes. Texts are
    escaped twice as well (the ``repr`` of a JSON body); base64 comes in both alphabets and at the
    three offsets at which the secret can stand inside a longer value, such as the ``id:secret`` of
    ``Authorization: Basic`` (RFC 7617 section 2).
    """
    found = {secret: ""}
    for form, kind in _escapes(secret):
        found.setdefault(form, kind)
    for form, kind in list(found.items()):
        for again, kind_again in _escapes(form):
            twice = f"{kind} twice" if kind and kind == kind_again else kind or kind_again
            found.setdefault(again, twice)
    for form in _rare_escapes(secret):
        found.setdefault(form, "")
        found.setdefault(repr(form)[1:-1], "")
    for text, kind in _encodings(secret):
        for form, _ in _escapes(text):
            found.setdefault(form, kind)
    return found


def _escapes(text: str) -> Iterator[tuple[str, str]]:
    """``text`` in each syntax that a tool may print it in, without quotes around it."""
    yield text, ""
    for quoted in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield quoted, "percent-encoded"
        yield _PERCENT.sub(lambda match: match.group().lower(), quoted), "percent-encoded"
    yield json.dumps(text)[1:-1], ""
    yield json.dumps(text, ensure_ascii=False)[1:-1], ""
    yield repr(text)[1:-1], ""
    yield ascii(text)[1:-1], ""
    # As pytest writes a parameter into the id of a test.
    yield text.encode("unicode_escape").decode("ascii"), ""
    yield repr(text.encode("utf-8", "surrogateescape"))[2:-1], ""
    yield html.escape(text), "HTML-escaped"
    yield html.escape(text, quote=False), "HTML-escaped"
    # Jinja and Markup write the quotes by number.
    numbered = html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    yield numbered, "HTML-escaped"


def _rare_escapes(text: str) -> Iterator[str]:
    for special in ("<>&'", "<>&'="):
        # Go, Flask and Gson write JSON so.
        yield json.dumps(text)[1:-1].translate({ord(c): f"\\u{ord(c):04x}" for c in special})
    yield re.escape(text)


def _encodings(secret: str) -> Iterator[tuple[str, str]]:
    # HTTP libraries encode the Basic header as Latin-1 where they can, else as UTF-8.
    raw = {secret.encode("utf-8", "surrogateescape"), _latin_1(secret)} - {b""}
    for data in raw:
        yield data.hex(), "in hex"
        yield data.hex().upper(), "in hex"
    # RFC 6749 section 2.3.1 wants it percent-encoded before.
    for data in raw | {quote_plus(secret).encode(), quote(secret, safe="").encode()}:
        for offset in range(3):
            for text in _base64(data, offset):
                yield text, "in base64"


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
