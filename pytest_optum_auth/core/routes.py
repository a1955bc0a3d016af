"""Protected APIs: which route a method and a path lead to."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from types import EllipsisType
from typing import Final, TypeVar
from urllib.parse import unquote

from .fault import Fault
from .header_fields import HeaderFields
from .injection import FaultQueue, Injection
from .journal import Exchange, Exchanges
from .json_body import json_bytes
from .messages import HTTP_TOKEN, Json, host_of
from .replies import MISSING, Reply, Script
from .settings import check_scope

_NAME: Final = re.compile(r"\{([A-Za-z_]\w*)\}")
# How other tools write what takes any segment: *, <id>, <int:id>, :id, {id:int}.
_OTHER_NOTATION: Final = re.compile(r"\*|^<.*>$|^:|^\{\w+:.*\}$")
_ANY_METHOD: Final = frozenset({"ANY", "ALL", "*"})

T = TypeVar("T")
# A callable of protect(), or a coroutine function: it makes the body, or all of the answer.
Answering = Callable[[Exchange], T | Reply | Awaitable[T | Reply]]


class ApiRoute:
    """An API on the gateway that wants a good bearer token.

    ``method`` and ``path`` as they were given; ``requests`` lists what it saw; ``then`` adds an
    answer to its sequence; ``inject`` makes it fail.
    """

    # Another attribute would change nothing, and the test not test what it says.
    __slots__ = ("faults", "method", "names", "path", "scope", "script", "seen", "unauthorized")

    def __init__(self, method: str, path: str, *, scope: str | None, unauthorized: Json) -> None:
        self.method = method
        self.path = path
        self.scope = scope
        self.unauthorized = unauthorized
        self.names = tuple(_NAME.findall(path))
        self.seen: list[Exchange] = []
        self.script = Script()
        self.faults = FaultQueue(f"{method} {path}")

    @property
    def requests(self) -> Exchanges:
        """The exchanges that this route answered, oldest first."""
        return Exchanges(self.seen)

    def then(
        self,
        *,
        json: Json | Answering[Json] | EllipsisType = MISSING,
        text: str | Answering[str] | None = None,
        content: bytes | Answering[bytes] | None = None,
        status: int = 200,
        headers: HeaderFields | None = None,
    ) -> ApiRoute:
        """Answer the requests after those before with this; several form a sequence.

        The last one stays. Nothing is inherited: a ``status`` that is not given is 200. A request
        that was refused or met a fault uses none up. Returns the route, raises as ``protect``.
        """
        self.script.add(f"{self.method} {self.path}", json, text, content, status, headers)
        return self

    def inject(self, fault: Fault, *, times: int | None = 1) -> Injection:
        """The next ``times`` requests with a good token meet ``fault`` (``None``: all of them).

        Raises ``TypeError`` for something that is no fault, ``ValueError`` for ``times`` below 1
        and for a fault that takes away a key which the answer does not have.
        """
        return self.faults.add(fault, times, self.script.keys)

    def __repr__(self) -> str:
        return f"<ApiRoute {self.method} {self.path}, {len(self.seen)} requests>"


class _Node:
    """One segment of the paths: what may follow it, and the routes that end here."""

    __slots__ = ("any", "fixed", "routes")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.routes: dict[str, ApiRoute] = {}


class RouteTable:
    """Routes by path, found segment by segment; a fixed segment wins over a ``{name}``."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, route: ApiRoute) -> None:
        """Register a route; it replaces the earlier one of the same method and path."""
        node = self._root
        for segment in _segments(route.path):
            if _NAME.fullmatch(segment):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.fixed.setdefault(unquote(segment), _Node())
        node.routes[route.method] = route

    def find(self, method: str, path: str) -> tuple[ApiRoute | None, dict[str, str], list[str]]:
        """The route, the values of its ``{name}`` segments, and the methods of that path."""
        allowed: set[str] = set()
        for node, values in self._matches(path):
            route = node.routes.get(method)
            if route is None and method == "HEAD":
                # RFC 9110 section 9.3.2: as GET, without the body.
                route = node.routes.get("GET")
            if route is not None:
                return route, dict(zip(route.names, values, strict=True)), []
            allowed.update(node.routes)
        return None, {}, sorted(allowed)

    def _matches(self, path: str) -> Iterable[tuple[_Node, list[str]]]:
        """Every node that ``path`` leads to, the most fixed first."""
        segments = [unquote(segment) for segment in _segments(path)]
        stack: list[tuple[_Node, int, list[str]]] = [(self._root, 0, [])]
        while stack:
            node, depth, values = stack.pop()
            if depth == len(segments):
                if node.routes:
                    yield node, values
                continue
            segment = segments[depth]
            if node.any is not None and segment:
                stack.append((node.any, depth + 1, [*values, segment]))
            if segment in node.fixed:
                stack.append((node.fixed[segment], depth + 1, values))

    def __iter__(self) -> Iterator[ApiRoute]:
        stack = [self._root]
        while stack:
            node = stack.pop()
            yield from node.routes.values()
            stack.extend(node.fixed.values())
            if node.any is not None:
                stack.append(node.any)


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def new_route(
    method: str,
    path: str,
    hosts: Iterable[str],
    *,
    scope: str | None,
    unauthorized: Json,
) -> ApiRoute:
    """A route, or one clear ``ValueError`` (``TypeError`` for what cannot be JSON)."""
    if not isinstance(method, str) or not HTTP_TOKEN.fullmatch(method):
        raise ValueError(f"method {method!r}: a method is a word such as 'GET' or 'POST'")
    if method.upper() in _ANY_METHOD:
        raise ValueError(
            f"method {method!r}: protect each method by itself, as in protect('GET', {path!r}); "
            "for any method write optum_respx.route(path=...), or use responses.add() in a loop"
        )
    path = _checked_path(path, hosts)
    check_scope(scope)
    json_bytes(f"unauthorized= of {method} {path}", unauthorized)
    return ApiRoute(method.upper(), path, scope=scope, unauthorized=unauthorized)


def _checked_path(path: str, hosts: Iterable[str]) -> str:
    if not isinstance(path, str):
        raise ValueError(f"path {path!r}: a path is a string such as '/oihub/claim/inquiry/v1'")
    whole = path
    if "://" in path:
        host = host_of(path)
        if host not in hosts:
            raise ValueError(
                f"path {path!r}: only the gateway hosts are answered ({', '.join(sorted(hosts))}); "
                "give the path alone, and mock other hosts with the tool you use for them"
            )
        path = re.sub(r"^[^/]*//[^/?#]*", "", path) or "/"
    if "?" in path or "#" in path:
        raise ValueError(
            f"path {whole!r}: a path has no query and no fragment, requests match with any: "
            f"{re.split('[?#]', whole)[0]!r}"
        )
    if not path.startswith("/"):
        raise ValueError(f"path {path!r}: a path starts with a slash: {'/' + path!r}")
    names = _NAME.findall(path)
    if len(set(names)) < len(names):
        raise ValueError(f"path {path!r}: every {{name}} stands once")
    for segment in _segments(path):
        if _OTHER_NOTATION.search(segment):
            part = 0 if segment.startswith("{") else -1
            name = re.sub(r"\W", "", segment.split(":")[part]) or "rest"
            raise ValueError(
                f"path {path!r}: {segment!r} is not taken literally; write {{{name}}} for one "
                "segment, and for any number of them optum_respx.route(path__startswith=...) or "
                "re.compile() in optum_responses"
            )
        if ("{" in segment or "}" in segment) and not _NAME.fullmatch(segment):
            raise ValueError(
                f"path {path!r}: {segment!r} is not a segment; a {{name}} takes a whole segment, "
                "as in '/members/{member_id}'"
            )
    return path
