"""Requests to a gateway host that nobody expects: what is said of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from .answerers import Mismatch, Stub
from .fault import Fault
from .masking import MASK, shown_path
from .routes import ApiRoute

_MOST_SHOWN: Final = 10
_LONGEST_REASON: Final = 500
# From a slash or a letter too many up to a part that is missing, but not another last part.
_MISSPELT: Final = 0.8


class ProtectedBy(NamedTuple):
    """How an API comes to be protected: by its name, and what to write."""

    name: str
    hint: str


IN_TESTS: Final = ProtectedBy("protect()", 'add optum_auth.protect("{method}", "{path}")')
FORKED: Final = (
    "this process was forked from the one that has the fake, and no test sees what is asked here: "
    "ask for the fixture optum_server and let the client call optum_server.base_url, which answers "
    "forked processes as well"
)


def plain_http(method: str, url: str) -> str:
    """A request over plain http (page: calls to all Optum APIs are encrypted over HTTPS)."""
    return f"{method} {url} was refused: calls to Optum are HTTPS only, use https://"


def waits_for_ever(request_line: str, fault: Fault) -> str:
    """A client without a timeout that has met silence: in-process it is told at once."""
    return (
        f"{request_line} met {fault!r} and would have waited for ever: the client sets no timeout"
    )


def other_method(method: str, path: str, allowed: list[str]) -> str:
    """A protected path with another method."""
    return (
        f"{method} {shown_path(path)} was refused: the path is protected for "
        f"{' and '.join(allowed)} only\n"
        f'  add optum_auth.protect("{method}", "{shown_path(path)}")'
    )


def no_api(method: str, host: str, path: str, base_url: str) -> str:
    """A request to the issuer that asks for no token: no API is there (observed)."""
    return (
        f"{method} {shown_path(path)} was refused and not sent: {host} issues tokens only\n"
        f"  the APIs are at {base_url}"
    )


def unprotected(
    method: str,
    path: str,
    routes: Iterable[ApiRoute],
    token_paths: Iterable[str],
    mismatches: Iterable[Mismatch] = (),
    secret: str = "",
    *,
    answered: bool = False,
    by: ProtectedBy = IN_TESTS,
) -> str:
    """A path that no ``protect`` covers; the protected ones follow, the nearest first.

    So do the stubs, each with the reason why it does not match. A path that looks like the token
    endpoint's is taken for a misspelt one. A matcher may tell what it was given: ``secret`` of that
    is hidden. ``answered``: with a 404, since the request has arrived.
    """
    shown = shown_path(path)
    mismatches = list(mismatches)
    nobody = f"no {by.name} covers it" + (" and no stub matches it" if mismatches else "")
    done = "answered with 404" if answered else "refused and not sent"
    lines = [f"{method} {shown} was {done}: {nobody}"]
    meant = max(token_paths, key=lambda known: _likeness(known, path))
    if min(_likeness(meant, path), _likeness(_last_part(meant), _last_part(path))) >= _MISSPELT:
        return "\n".join([*lines, f"  the token endpoint is POST {meant}"])
    lines.append("  " + by.hint.format(method=method, path=shown))
    nearest = sorted(routes, key=lambda route: (-_likeness(route.path, path), route.path))
    if nearest:
        lines.append("  protected are, nearest first:")
        lines += [f"    {route.method} {route.path}" for route in nearest[:_MOST_SHOWN]]
        if len(nearest) > _MOST_SHOWN:
            lines.append(f"    and {len(nearest) - _MOST_SHOWN} more")
    elif not mismatches:
        lines.append("  nothing is protected yet")
    for mismatch in mismatches:
        reasons = sorted(mismatch.reasons, key=lambda reason: -_likeness(reason[0], path))
        lines.append(f"  stubs of {mismatch.stubs}, nearest first:")
        lines += [
            f"    {name}: {_in_a_line(reason, secret)}" for name, reason in reasons[:_MOST_SHOWN]
        ]
        if len(reasons) > _MOST_SHOWN:
            lines.append(f"    and {len(reasons) - _MOST_SHOWN} more")
    return "\n".join(lines)


def never_asked(stubs: str, stub: Stub, hosts: Iterable[str]) -> str:
    """A stub that no request has reached."""
    told = f"the stub {stub.name} of {stubs} was never asked"
    if stub.host is None or stub.host in hosts:
        return f"{told}: the test does not test it"
    return (
        f"{told}: {stub.host} is no gateway, and {stubs} answers for the gateway alone; stub other "
        "hosts with the tool you use for them"
    )


def _in_a_line(reason: str, secret: str) -> str:
    shown = reason.replace(secret, MASK) if secret else reason
    return " ".join(shown.split())[:_LONGEST_REASON]


def in_one_line(message: str) -> str:
    """``message`` for the text of an exception or of an answer."""
    return re.sub(r"\n *", "; ", re.sub(r":\n *", ": ", message))


def _last_part(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one[:200], other[:200]).ratio()
