"""How what may hold a secret is shown to people.

What a user can read later (headers, form, body) is the real thing, but its ``repr`` hides
credentials and tokens, so that an assertion that fails does not print them. pytest shows item by
item in what two dicts differ, so each item hides itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

MASK: Final = "***"
SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_SECRET_FIELDS: Final = ("client_secret", "access_token", "refresh_token", "id_token")
_LONGEST_PATH: Final = 200
_FIELD_NAME: Final = re.compile(r"\w{1,40}")


class Secret(str):
    """A text whose ``repr`` hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


class Whole:
    """What pytest must show as a whole: its ``repr`` hides the secret ones of its parts.

    The parts hide nothing themselves. They are what a client is given, and one that shows its
    secret is to be found.
    """

    __slots__ = ()


class Variables(Whole, dict[str, str]):
    """Variables of the environment; ``repr`` hides the secret ones."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(Form(self.items()))


class Form(dict[str, str]):
    """The fields of a request body, of which the secret ones hide themselves."""

    __slots__ = ()

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(
            (
                # A body that is no form at all may hold a secret in what looks like a name.
                name if _FIELD_NAME.fullmatch(name) else Secret(name),
                Secret(value) if is_secret_field(name) else value,
            )
            for name, value in fields
        )


def is_secret_field(name: str) -> bool:
    """Whether the value of a field of that name is shown to nobody."""
    return name.lower().endswith(_SECRET_FIELDS)


def hidden(value: Any) -> Any:
    """A JSON value in which every text hides itself."""
    if isinstance(value, dict):
        return {name: hidden(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [hidden(inner) for inner in value]
    return Secret(value) if isinstance(value, str) else value


def masked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a JSON object, whose secret ones hide themselves."""
    return {n: hidden(v) if is_secret_field(n) else v for n, v in fields.items()}


class Body(bytes):
    """The bytes of a request body; ``repr`` tells only how many."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def mask_url(url: str) -> str:
    """``url`` with the values of secret query fields hidden."""
    if "?" not in url:
        return url
    parts = urlsplit(url)
    query = "&".join(_mask_pair(pair) for pair in parts.query.split("&"))
    return parts._replace(query=query).geturl()


def _mask_pair(pair: str) -> str:
    names = [name.lower() for name, _ in parse_qsl(pair, keep_blank_values=True)]
    if any(name in _SECRET_FIELDS for name in names):
        return f"{pair.partition('=')[0]}={MASK}"
    return pair


def shown_path(path: str) -> str:
    """``path`` safe to stand in a line for people: control characters quoted, and not too long."""
    safe = quote(path, safe="/{}%~!$&'()*+,;=:@-._", errors="replace")
    return safe if len(safe) <= _LONGEST_PATH else f"{safe[: _LONGEST_PATH - 1]}…"
