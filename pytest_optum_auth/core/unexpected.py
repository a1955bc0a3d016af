"""Requests to a gateway host that nobody expects: what is said of them, and what they get."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from . import facts
from .answerers import Mismatch, Stub
from .fault import Fault
from .masking import MASK, mask_url, shown_path
from .messages import Request, Response, error_response, json_response
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


class Unexpected(NamedTuple):
    """A request that nobody expects: how the journal tells it, and how the end of the test does.

    ``answer`` is what the client gets; ``None``: its connection is refused.
    """

    outcome: str
    message: str
    answer: Response | None = None


def plain_http(request: Request) -> Unexpected:
    """A request over plain http (page: calls to all Optum APIs are encrypted over HTTPS)."""
    url = mask_url(request.url).partition("?")[0]
    return Unexpected(
        "plain http",
        f"{_method(request)} {url} was refused: calls to Optum are HTTPS only, use https://",
    )


def waits_for_ever(request_line: str, fault: Fault) -> str:
    """A client without a timeout that has met silence: in-process it is told at once."""
    return (
        f"{request_line} met {fault!r} and would have waited for ever: the client sets no timeout"
    )


def other_method(request: Request, path: str, allowed: list[str], error_format: str) -> Unexpected:
    """A protected path with another method."""
    method, shown = _method(request), shown_path(path)
    methods = f"protected for {' and '.join(allowed)} only"
    names = " or ".join(f"'{name}'" for name in allowed)
    return Unexpected(
        methods,
        f"{method} {shown} was refused: the path is {methods}\n"
        f'  add optum_auth.protect("{method}", "{shown}")',
        error_response(
            error_format,
            405,
            (facts.METHOD_REFUSED.format(method=method, allowed=names),),
            headers=[("Allow", ", ".join(allowed))],
        ),
    )


def no_api(request: Request, host: str, path: str, base_url: str) -> Unexpected:
    """A request to the issuer that asks for no token: no API is there (observed)."""
    outcome = f"{host} issues tokens only"
    return Unexpected(
        outcome,
        f"{_method(request)} {shown_path(path)} was refused and not sent: {outcome}\n"
        f"  the APIs are at {base_url}",
    )


def unprotected(
    request: Request,
    path: str,
    routes: Iterable[ApiRoute],
    token_paths: Iterable[str],
    mismatches: Sequence[Mismatch],
    *,
    arrived: bool,
    by: ProtectedBy,
) -> Unexpected:
    """A path that no ``protect`` covers, and no stub. ``arrived``: it is answered with 404."""
    outcome, nobody = f"no {by.name} covers the path", f"no {by.name} covers it"
    if mismatches:
        outcome, nobody = f"{outcome} and no stub matches", f"{nobody} and no stub matches it"
    done = "answered with 404" if arrived else "refused and not sent"
    told = f"{_method(request)} {shown_path(path)} was {done}: {nobody}"
    message = "\n".join([told, *_hints(request, path, routes, token_paths, mismatches, by)])
    answer = json_response(404, {"message": in_one_line(message)}) if arrived else None
    return Unexpected(outcome, message, answer)


def _hints(
    request: Request,
    path: str,
    routes: Iterable[ApiRoute],
    token_paths: Iterable[str],
    mismatches: Sequence[Mismatch],
    by: ProtectedBy,
) -> Iterator[str]:
    """What would be right: a path like the token endpoint's is taken for a misspelt one.

    Else what to write, and what there is: routes, and stubs with the reason why each does not
    match. A matcher may tell what it was given: the token in that is hidden.
    """
    meant = max(token_paths, key=lambda known: _likeness(known, path))
    if min(_likeness(meant, path), _likeness(_last_part(meant), _last_part(path))) >= _MISSPELT:
        yield f"  the token endpoint is POST {meant}"
        return
    yield "  " + by.hint.format(method=_method(request), path=shown_path(path))
    nearest = sorted(routes, key=lambda route: (-_likeness(route.path, path), route.path))
    yield from _listed("protected are", [f"{route.method} {route.path}" for route in nearest])
    if not nearest and not mismatches:
        yield "  nothing is protected yet"
    for mismatch in mismatches:
        reasons = sorted(mismatch.reasons, key=lambda reason: -_likeness(reason[0], path))
        secret = request.authorization[1]
        shown = [f"{name}: {_in_a_line(reason, secret)}" for name, reason in reasons]
        yield from _listed(f"stubs of {mismatch.stubs}", shown)


def _listed(what: str, nearest: list[str]) -> Iterator[str]:
    if nearest:
        yield f"  {what}, nearest first:"
        yield from (f"    {each}" for each in nearest[:_MOST_SHOWN])
    if len(nearest) > _MOST_SHOWN:
        yield f"    and {len(nearest) - _MOST_SHOWN} more"


def never_asked(stubs: str, stub: Stub, hosts: Iterable[str]) -> str:
    """A stub that no request has reached."""
    told = f"the stub {stub.name} of {stubs} was never asked"
    if stub.host is None or stub.host in hosts:
        return f"{told}: the test does not test it"
    return (
        f"{told}: {stub.host} is no gateway, and {stubs} answers for the gateway alone; stub other "
        "hosts with the tool you use for them"
    )


def _method(request: Request) -> str:
    return request.method[:40]


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
