"""The settings of a fake: attributes and addresses that refuse a value which makes no sense."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, get_args
from urllib.parse import urlsplit

from . import facts
from .masking import MASK
from .messages import host_of, netloc_of
from .whole_numbers import is_whole

__tracebackhide__ = True  # in the traceback of a test

# RFC 6749 section 3.3: what a scope-token holds, and what separates them.
_SCOPE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
ErrorFormat = Literal["optum", "rfc6749", "keycloak"]


def seconds(value: object) -> str | None:
    """Whole seconds, zero or more."""
    if is_whole(value, 0, _LONGEST):
        return None
    return f"a whole number of seconds from 0 to {_LONGEST} (a century)"


def _skew(value: object) -> str | None:
    if is_whole(value, -_LONGEST, _LONGEST):
        return None
    return "a whole number of seconds, positive when the server's clock runs ahead"


def _optional_seconds(value: object) -> str | None:
    wanted = None if value is None else seconds(value)
    return wanted and f"None (as expires_in) or {wanted}"


def scope_text(value: object) -> str | None:
    """Scope tokens separated by single spaces (RFC 6749 section 3.3)."""
    if not (isinstance(value, str) and value == " ".join(value.split()) and value.isprintable()):
        return "scope names separated by single spaces, for example 'openid email'"
    if not _SCOPE.fullmatch(value):
        return "ASCII without quotation mark and backslash, for example 'openid email'"
    return None


def check_scope(scope: str | None) -> None:
    """``ValueError`` for a scope that is given and is none."""
    wanted = None if scope is None else scope_text(scope)
    if wanted is not None:
        raise ValueError(f"scope={scope!r}: scope must be {wanted}")


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value else "a string that is not empty"


def _error_format(value: object) -> str | None:
    known = get_args(ErrorFormat)
    return None if value in known else "'optum', 'rfc6749' or 'keycloak'"


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "True or False"


# So that no date that the endpoint can reach leaves the calendar of `datetime`.
_LONGEST: Final = 100 * 366 * 86_400


class SettingValues(TypedDict, total=False):
    """The settings as keyword arguments; :class:`Settings` says what they mean."""

    expires_in: int
    lifetime: int | None
    scope: str
    token_type: str
    error_format: ErrorFormat
    accept_basic: bool
    clock_skew: int
    guard_stubs: bool
    strict: bool


class Settings:
    """How the endpoint behaves. Every attribute may be changed at any time.

    Setting a value that makes no sense raises ``ValueError``, a name that none of them has
    ``AttributeError``.
    """

    expires_in: int = facts.EXPIRES_IN
    """Seconds, as the response advertises (default 7200: page)."""

    lifetime: int | None = None
    """Seconds for which a token is really honoured; ``None``: as ``expires_in``. The page says both
    one and two hours: 3600 plays the worse case."""

    scope: str = facts.SCOPE
    """Space-separated (default: the page's example)."""

    token_type: str = facts.TOKEN_TYPE
    """``"Bearer"`` as on the page; the auth-only spec allows only ``"bearer"``."""

    error_format: ErrorFormat = "optum"
    """``"optum"``: the envelope of the auth-only spec; ``"rfc6749"``: ``error`` and
    ``error_description``; ``"keycloak"``: answers of v3 as a Keycloak realm gives them, which
    public clients report of the sandbox."""

    accept_basic: bool = False
    """Whether credentials in an ``Authorization: Basic`` header are as good as form fields (RFC
    6749 section 2.3.1), which win where both are given."""

    clock_skew: int = 0
    """Seconds by which the server's clock runs ahead of the local one."""

    guard_stubs: bool = True
    """Whether a request that a stub of another tool answers needs a good bearer token first."""

    strict: bool = True
    """Whether unmet faults, unexpected requests and stubs never asked fail the test at its end."""

    # A type checker would take it to mean that every name can be set.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            if name in _CHECKS:
                wanted = _CHECKS[name](value)
                if wanted is not None:
                    raise ValueError(f"{name}={value!r}: {name} must be {wanted}")
            elif not name.startswith("_") and not hasattr(type(self), name):
                # It would change nothing, and the test not test what it says.
                known = ", ".join(SettingValues.__annotations__)
                raise AttributeError(f"there is no setting {name!r}: known are {known}")
            object.__setattr__(self, name, value)


# Of each what a value must be, or ``None`` for one that is good.
_CHECKS: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "expires_in": seconds,
    "lifetime": _optional_seconds,
    "scope": scope_text,
    "token_type": _text,
    "error_format": _error_format,
    "accept_basic": _flag,
    "clock_skew": _skew,
    "guard_stubs": _flag,
    "strict": _flag,
}


def checked_base_urls(given: str | Sequence[str] | None) -> list[str]:
    """The base URLs, the sandbox's when none is given; ``ValueError`` for one that is none."""
    if given is None:
        return [facts.BASE_URL]
    urls = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    return [_checked_base_url(url) for url in urls or [""]]


def _checked_base_url(url: object) -> str:
    """``url`` as stubs of an API on it are compared with requests: its host as a resolver sees it.

    Without the port that all use and a slash at its end. ``ValueError`` when no gateway can be
    there.
    """
    if not isinstance(url, str) or not _is_base_url(url):
        shown = re.sub("//.*@", f"//{MASK}@", url) if isinstance(url, str) else url
        raise ValueError(
            f"base_url {shown!r}: a base URL is https:// and a host, for example {facts.BASE_URL!r}"
        )
    return urlsplit(url)._replace(netloc=netloc_of(url)).geturl().rstrip("/")


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # Read, since a port is only then looked at.
        _ = parts.port
    except ValueError:
        return False
    extra = "@" in parts.netloc or parts.query or parts.fragment
    return parts.scheme == "https" and bool(host_of(url)) and not extra


def checked_token_path(path: str) -> str:
    """``path``; ``ValueError`` when it is none."""
    if not isinstance(path, str) or not path.startswith("/") or "?" in path or "#" in path:
        raise ValueError(
            f"token_path {path!r}: a path starts with a slash and has no query, for example "
            f"{facts.TOKEN_PATH!r}"
        )
    return path
