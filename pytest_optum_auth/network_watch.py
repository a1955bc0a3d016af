"""Where this process is about to connect to: names that are looked up, addresses, tunnels.

One pair of eyes for all that must stop a connection: the guard of the fake, that of the session
and that of live runs. Python tells of look-ups and connections itself, by audit events; what asks
elsewhere (a proxy, a resolver of its own) is covered. The documentation names what is not seen.
Of aiohttp that is ``TCPConnector._create_proxy_connection``, a private name, with a test that
fails when it is gone.
"""

from __future__ import annotations

import functools
import socket
import sys
import threading
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from . import import_hook
from .patching import Interception, Method

__tracebackhide__ = True  # in the traceback of a test

Look = Callable[[str], None]

# Audit events (Python's documentation has a table of them), and which argument is the name of a
# host, or an address that begins with one.
_EVENTS: Final = {
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "http.client.connect": 1,
}
_lock: Final = threading.Lock()
_looks: list[Look] = []


class _Place(NamedTuple):
    """A method that is handed the host, and where it stands in its arguments."""

    module: str
    owner: str
    method: str
    host: Callable[..., Any]


def _first(_: object, host: Any = None, *args: object, **named: Any) -> Any:
    return named.get("host", named.get("name", host))


def _tunnel(_: object, host: Any, *args: object, **named: object) -> Any:
    # It takes a port in the name as well.
    return host.partition(":")[0] if isinstance(host, str) else host


def _absolute(_: object, method: object, url: Any = None, *args: object, **named: object) -> Any:
    # A proxy is asked for plain http by the whole URL.
    return urlsplit(url).hostname if isinstance(url, str) and "://" in url[:8] else None


def _last(_: object, *args: Any) -> Any:
    return args[-1] if args else None


def _address(_: object, address: Any = None, *args: object, **named: Any) -> Any:
    return named.get("dest_pair", address)


def _origin(_: object, origin: Any) -> Any:
    return origin.host


def _url(_: object, request: Any, *args: object, **named: object) -> Any:
    return request.url.raw_host


def _connection(_: object, protocol: object, host: Any = None, *args: object, **named: Any) -> Any:
    return host


_PLACES: Final = (
    # What a proxy looks up.
    _Place("http.client", "HTTPConnection", "set_tunnel", _tunnel),
    _Place("http.client", "HTTPConnection", "putrequest", _absolute),
    _Place("urllib3.connection", "HTTPConnection", "set_tunnel", _tunnel),
    *(
        _Place(library, owner, "create_connection", _origin)
        for library in ("httpcore", "httpcore2")
        for owner in ("HTTPProxy", "SOCKSProxy", "AsyncHTTPProxy", "AsyncSOCKSProxy")
    ),
    _Place("socks", "socksocket", "connect", _address),
    # The one private name: what is public of aiohttp lies above the fake's own connections.
    _Place("aiohttp", "TCPConnector", "_create_proxy_connection", _url),
    # Resolvers and loops that do not ask Python's socket.
    *(
        _Place("pycares", "Channel", name, _first)
        for name in ("getaddrinfo", "gethostbyname", "query", "search")
    ),
    *(
        _Place("gevent.resolver", "AbstractResolver", name, _first)
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
    ),
    _Place("uvloop", "Loop", "getaddrinfo", _first),
    _Place("uvloop", "Loop", "create_connection", _connection),
)
_covers: Final[dict[str, list[Interception]]] = {}


def watch(look: Look) -> None:
    """Hand ``look`` each host, as :func:`normal_host`, before anything is asked or sent there.

    What it raises stops the connection, in the thread that opens it.
    """
    with _lock:
        _add_audit_hook()
        if look not in _looks:
            _looks.append(look)
        import_hook.watch(_LATE)
        for module in _LATE:
            if module not in _covers and sys.modules.get(module) is not None:
                _cover(module)
        for covers in (*_covers.values(), _STANDARD):
            for cover in covers:
                cover.install()


def unwatch(look: Look) -> None:
    """Undo :func:`watch`. The audit hook stays, Python knows no way to take it off, and idles."""
    with _lock:
        if look in _looks:
            _looks.remove(look)
        if _looks:
            return
        import_hook.unwatch(_LATE)
        for covers in (*_covers.values(), _STANDARD):
            for cover in covers:
                cover.remove()


def normal_host(host: object) -> str:
    """``host`` as a resolver sees it: ASCII in lower case without a dot at its end.

    Full-width letters, ideographic dots, soft hyphens and characters without a width are what
    RFC 3490 makes of them, as in Python's own socket. ``""`` for what is no name.
    """
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("utf-8", "replace")
    if not isinstance(host, str):
        return ""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = unicodedata.normalize("NFKC", host)
    return host.lower().rstrip(".")


def _look_at(named: Any) -> None:
    # An address begins with its host.
    name = normal_host(named[0] if isinstance(named, tuple) and named else named)
    for look in list(_looks):
        look(name)


def _heard(event: str, args: tuple[Any, ...], places: Mapping[str, int] = _EVENTS) -> None:
    # Python tells of twenty other things a test, of environment variables and frames.
    if event in places and _looks:
        _look_at(args[places[event]])


# Or debuggers, and coverage, would not see what a look does.
vars(_heard)["__cantrace__"] = True


@functools.cache
def _add_audit_hook() -> None:
    sys.addaudithook(_heard)


def _cover(module: str) -> None:
    """Cover what the module has of the places, unless that is done."""
    if module in _covers:
        return
    places = [(_owner(place), place) for place in _PLACES if place.module == module]
    _covers[module] = [
        Interception(owner, place.method, functools.partial(_around, place.host))
        for owner, place in places
        if hasattr(owner, place.method)
    ]
    for cover in _covers[module]:
        cover.install()


def _owner(place: _Place) -> Any:
    found = vars(sys.modules[place.module]).get(place.owner)
    # vcrpy replaces the whole class of http.client, and may have done so before.
    genuine = (cls for cls in object.__subclasses__() if _is(cls, place))
    return found if _is(found, place) else next(genuine, found)


def _is(cls: Any, place: _Place) -> bool:
    try:
        return bool((cls.__module__, cls.__name__) == (place.module, place.owner))
    except Exception:  # a class that tells nothing, or no class
        return False


def _around(host: Callable[..., Any], beneath: Method) -> Method:
    def method(*args: Any, **kwargs: Any) -> Any:
        _look_at(host(*args, **kwargs))
        return beneath(*args, **kwargs)

    return method


class _Resolver(Interception):
    """``socket.getaddrinfo``, where it is somebody else's: Python tells of its own.

    Not that of pytest-socket, which lets nothing through and would stay when it is covered.
    """

    def rise(self) -> None:
        if getattr(socket.getaddrinfo, "__module__", "") not in ("socket", "pytest_socket"):
            super().rise()


# pytest-socket replaces the whole class, and may have done so before this module loads.
_SOCKET: Final = next(
    (cls for cls in socket.socket.__mro__ if cls.__module__ == "socket"), socket.socket
)
_STANDARD: Final = (
    _Resolver(socket, "getaddrinfo", functools.partial(_around, lambda host, *_, **__: host)),
    # A socket looks a name up itself, and tells of it afterwards.
    *(
        Interception(_SOCKET, name, functools.partial(_around, _last))
        for name in ("connect", "connect_ex", "sendto", "sendmsg")
    ),
)
_LATE: Final = {place.module: functools.partial(_cover, place.module) for place in _PLACES}
