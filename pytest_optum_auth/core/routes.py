"""Protected APIs: which route a method and a path lead to."""

from __future__ import annotations

import json as _json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from .fault import Fault
from .injection import FaultQueue, Injection
from .journal import Exchange, Exchanges
from .messages import host_of
from .settings import scope_text

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_NAME: Final = re.compile(r"\{([A-Za-z_]\w*)\}")

Content = Any | Callable[[Exchange], Any]


class ApiRoute:
    """An API on the gateway that wants a good bearer token.

    ``requests`` lists what it saw; ``inject`` makes it fail.
    """

    def __init__(
        self,
        method: str,
        path: str,
        *,
        json: Content,
        status: int,
        headers: Mapping[str, str] | None,
        scope: str | None,
        unauthorized: Any,
    ) -> None:
        self.method = method
        self.path = path
        self.json = json
        self.status = status
        self.headers = dict(headers or {})
        self.scope = scope
        self.unauthorized = unauthorized
        self.names = tuple(_NAME.findall(path))
        self.seen: list[Exchange] = []
        self.faults = FaultQueue(f"{method} {path}")

    @property
    def requests(self) -> Exchanges:
        """The exchanges that this route answered, oldest first."""
        return Exchanges(self.seen)

    def inject(self, fault: Fault, *, times: int | None = 1) -> Injection:
        """The next ``times`` requests to this route meet ``fault`` (``None``: all of them).

        Raises ``TypeError`` for something that is no fault, ``ValueError`` for ``times`` below 1
        and for a fault that takes away a key which the answer does not have.
        """
        keys = self.json if isinstance(self.json, dict) else None
        return self.faults.add(fault, times, keys)

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
    json: Content,
    status: int,
    headers: Mapping[str, str] | None,
    scope: str | None,
    unauthorized: Any,
) -> ApiRoute:
    """A route, or one clear ``ValueError`` (``TypeError`` for what cannot be JSON)."""
    if not isinstance(method, str) or not _TOKEN.fullmatch(method):
        raise ValueError(f"method {method!r}: a method is a word such as 'GET' or 'POST'")
    path = _checked_path(path, hosts)
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise ValueError(f"status={status!r}: a status is a whole number from 200 to 599")
    if scope is not None and scope_text(scope) is not None:
        raise ValueError(f"scope={scope!r}: scope must be {scope_text(scope)}")
    for name, content in (("json", json), ("unauthorized", unauthorized)):
        if not callable(content):
            try:
                _json.dumps(content)
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"{name}= of {method} {path} cannot be sent as JSON: {error}"
                ) from None
    return ApiRoute(
        method.upper(), path, json=json, status=status, headers=headers, scope=scope,
        unauthorized=unauthorized,
    )  # fmt: skip


def _checked_path(path: str, hosts: Iterable[str]) -> str:
    if not isinstance(path, str):
        raise ValueError(f"path {path!r}: a path is a string such as '/oihub/claim/inquiry/v1'")
    if "://" in path:
        host = host_of(path)
        if host not in hosts:
            raise ValueError(
                f"path {path!r}: only the gateway hosts are answered ({', '.join(sorted(hosts))}); "
                "give the path alone, and mock other hosts with the tool you use for them"
            )
        path = urlsplit(path).path or "/"
    if not path.startswith("/"):
        raise ValueError(f"path {path!r}: a path starts with a slash: {'/' + path!r}")
    if "?" in path or "#" in path:
        raise ValueError(
            f"path {path!r}: a path has no query and no fragment, requests match with any: "
            f"{re.split('[?#]', path)[0]!r}"
        )
    names = _NAME.findall(path)
    if len(set(names)) < len(names):
        raise ValueError(f"path {path!r}: every {{name}} stands once")
    for segment in _segments(path):
        if ("{" in segment or "}" in segment) and not _NAME.fullmatch(segment):
            raise ValueError(
                f"path {path!r}: {segment!r} is not a segment; a {{name}} takes a whole segment, "
                "as in '/members/{member_id}'"
            )
    return path
