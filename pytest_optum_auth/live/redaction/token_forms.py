"""Finds tokens and secrets by their form, whoever obtained them: JWTs, and values after a key."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote

from .known_values import Part, looks_random

#: The JSON object that begins each JWT, in base64: `{"`, `{ "`, and `{` before a line break.
JWT_BEGINS: Final = ("eyJ", "eyAi", "ewog", "ew0K")
# These are compiled when a text has a hint of them: most runs show none.
_JWT: Final = (
    rf"(?:{'|'.join(JWT_BEGINS)})[A-Za-z0-9_-]{{4,}}=*(?:\.{{1,3}}[A-Za-z0-9_-]+=*|\.\.\.)*"
)
# RFC 7515 section 4.1 and RFC 7516 section 4.1: what a header begins with. Its first letters tell
# a JWT also where the rest was cut away.
_HEADER: Final = (
    rb"\{\s*\"(?:alg|typ|kid|cty|enc|zip|jku|jwk|x5t|x5u|x5c|epk|apu|apv|crit|b64|iss|sub|aud|iat|"
    rb"exp|jti|azp)"
)
# The keys of RFC 6749 sections 2.3.1 and 5.1 and of OpenID Connect, and what stands between a key
# and its value in JSON, Python, HTML, XML, forms and URLs, also when it is escaped.
_QUOTE: Final = r"(?:\\*[\"']|&(?:quot|apos|#0?34|#0?39|#x22|#x27);|%(?:25)*2[27])"
_SPACE: Final = r"(?:\s|%(?:25)*20|\+)*"
_VALUE: Final = r"(?:[A-Za-z0-9._~+/=-]|%(?:25)*(?:2[BFbf]|3[Dd]|7[Ee])){16,}"
_KEYED: Final = (
    rf"(?P<key>(?i:access_?token|id_?token|refresh_?token|client_?secret))"
    rf"(?P<between>{_QUOTE}?{_SPACE}(?P<sign>=>|[:=,>]|&gt;|%(?:25)*(?:3[ADad]|2[Cc])){_SPACE}"
    rf"b?(?P<open>{_QUOTE}?))(?P<value>{_VALUE})(?P<after>[(\[]?)"
)
_HEADER_VALUE: Final = (
    rf"(?P<key>(?i:authorization){_QUOTE}?{_SPACE}(?:[:=,]|%(?:25)*(?:3[ADad])){_SPACE}b?{_QUOTE}?"
    rf"(?:(?P<scheme>[A-Za-z]+){_SPACE})?|\b[Bb]earer(?:\s|%20|\+)+)(?P<value>{_VALUE})"
)
_NAMES: Final = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
# What is left of a JWT that was cut, or skipped where two agree: a row of its characters, which an
# escape or the sign of a diff may stand before.
_ROW: Final = r"(?:\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|[a-z]))?([A-Za-z0-9_-]{8,})"
# What a canned token may be written in: words and numbers, also in camel case.
_WORD: Final = r"(?:[0-9]+|[A-Z]*[a-z]*|[A-Z]?[a-z]+[A-Z][a-z]+)"
_WORDS: Final = rf"{_WORD}(?:[-_]{_WORD})*"
# So many tokens are remembered for that.
_REMEMBERED: Final = 256
_HINTS: Final = ("oken", "OKEN", "ecret", "ECRET", "uthorization", "UTHORIZATION", "earer ")


class TokenForms:
    """Masks by form; ``placeholder(kind, value)`` says by what."""

    def __init__(self, placeholder: Callable[[str, str], str]) -> None:
        self._placeholder = placeholder
        # Whole JWTs by their names. Replaced, not changed: other threads may be searching.
        self._seen: dict[str, str] = {}

    def mask_jwts(self, text: str) -> str:
        """``text`` with everything masked that has the form of a JWT, cut ones too."""
        if any(begin in text for begin in JWT_BEGINS):
            return re.sub(_JWT, self._jwt, text)
        return text

    def rows(self, text: str) -> Iterator[Part]:
        """What ``text`` shows of the inside of a JWT that was seen as a whole."""
        for match in re.finditer(_ROW, text) if self._seen else ():
            for begin in (match.start(1), match.start(1) + 1):
                name = self._holder(text[begin : match.end()])
                if name:
                    yield Part(begin, match.end(), name, "cut")
                    break

    def mask_keyed(self, text: str) -> str:
        """``text`` with the values masked that stand after a key of OAuth or in a header."""
        if any(hint in text for hint in _HINTS):
            return re.sub(_HEADER_VALUE, self._header, re.sub(_KEYED, self._keyed, text))
        return text

    def _jwt(self, match: re.Match[str]) -> str:
        token = match[0]
        first, *others = token.split(".")
        whole = len(others) > 1 and all(others)
        first = first.rstrip("=")
        decoded = base64.urlsafe_b64decode(first[: len(first) // 4 * 4])
        if not (whole or re.match(_HEADER, decoded)):
            return token
        if not whole:
            return "[token]"
        shown = self._placeholder("token", token)
        if shown[1:-1] not in self._seen:
            kept = list(self._seen.items())[1 - _REMEMBERED :]
            # The header is no secret, and the same in all of them.
            self._seen = dict([*kept, (shown[1:-1], token.partition(".")[2])])
        return shown

    def _holder(self, piece: str) -> str:
        """The name of the token that ``piece`` is from, else ``""``; a word is from none."""
        if re.fullmatch(_WORDS, piece):
            return ""
        return next((name for name, token in self._seen.items() if piece in token), "")

    def _keyed(self, match: re.Match[str]) -> str:
        value = match["value"]
        # A name in the code, as in `access_token=config.token`, is no value.
        code = not match["open"] and (match["after"] or re.fullmatch(_NAMES, value))
        if code or not _is_credential(value):
            return match[0]
        kind = "client_secret" if "secret" in match["key"].lower() else "token"
        shown = self._placeholder(kind, unquote(value))
        return f"{match['key']}{match['between']}{shown}{match['after']}"

    def _header(self, match: re.Match[str]) -> str:
        if not _is_credential(match["value"]):
            return match[0]
        kind = "credentials" if (match["scheme"] or "").lower() == "basic" else "token"
        return match["key"] + self._placeholder(kind, unquote(match["value"]))


def _is_credential(value: str) -> bool:
    # RFC 6749 section 10.10: nobody can guess a token. A canned `test_token` is a word.
    return looks_random(value) or (value.isalnum() and not value.isalpha())
