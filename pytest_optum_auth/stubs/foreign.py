"""Stubs of tools that the test has started itself: they answer behind the gateway.

Such a tool stands in the way of a request, above the gateway. The request goes past it, down to the
gateway by the library's own way, and where the gateway has no answer the tool is asked: so a
request for a token never sees it, and a request to an API has its bearer token looked at first.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from ..core.other_tools import HandedOver, PassedThrough, ShownAnswer
from . import respx_internals

__tracebackhide__ = True  # in the traceback of a test

# By the package that the replacement of a method is from: what the tool is called, and how the
# exception begins by which it says that no stub of its matched.
_TOOLS: Final = {
    "responses": ("responses", "Connection refused by Responses"),
    "requests_mock": ("requests-mock", "No mock address:"),
    "respx": ("respx", "RESPX: "),
    "pytest_httpx": ("pytest-httpx", "No response can be found for"),
    "aioresponses": ("aioresponses", "Connection refused: "),
}
REQUESTS_MOCK: Final = "requests_mock"
RESPX: Final = "respx"


def tool_of(replacement: Any) -> str | None:
    """The package of the tool that has put ``replacement`` in a method's place, if it is one.

    Home-made patches, tracers and recorders are none.
    """
    # aioresponses: an autospec, which calls a method of its own.
    mock = getattr(replacement, "mock", None)
    if mock is not None:
        replacement = getattr(mock.side_effect, "__func__", mock.side_effect)
    package = str(getattr(replacement, "__module__", "")).partition(".")[0]
    return package if package in _TOOLS else None


def respx_in(core: str) -> str | None:
    """respx, when a router of its answers for the connections of the package ``core``.

    That is below the transports of httpx, where no method of theirs is replaced.
    """
    return RESPX if respx_internals.answers_connections(core) else None


class Library(NamedTuple):
    """How a client library's answers are read: for the journal, and as a whole."""

    shown: Callable[[Any], ShownAnswer]
    read: Callable[[Any], Any]


class Passage:
    """A request on its way to the gateway, and the tool in whose way it came.

    ``request`` is the library's own, or what else has its ``method`` and ``url``.
    """

    def __init__(
        self,
        package: str,
        request: Any,
        beneath: Callable[[], Any],
        library: Library,
        again: Callable[[Any], Any] | None = None,
    ) -> None:
        self.request = request
        self.asked = False
        self.at_gateway = False
        self.shown, self.read = library
        self.met(package)
        self._beneath = beneath
        self._again = again

    def met(self, package: str) -> None:
        """From now on this tool is the one that answers: another has passed the request on."""
        self._package = package
        self.name, self._no_stub = _TOOLS[package]

    def is_of(self, request: Any) -> bool:
        """Whether this is ``request``, or what the user's own adapter has made a copy of."""
        ours = self.request
        return (ours.method, ours.url) == (request.method, request.url)

    @property
    def is_over(self) -> bool:
        """Whether the gateway has answered by itself: what follows is another try of the user's."""
        return self.at_gateway and not self.asked

    def tried_again(self, request: Any) -> tuple[str, Callable[[], Any]] | None:
        """The tool, and what asks it for ``request``, with which the user tries once more."""
        if not self.is_over or self._again is None:
            return None
        return self._package, functools.partial(self._again, request)

    def ask(self) -> Any:
        """What the tool answers (a coroutine on async transports)."""
        self.asked = True
        return self._beneath()

    def has_no_stub(self, error: BaseException) -> bool:
        """Whether ``error`` says that no stub of the tool matched."""
        return str(error).startswith(self._no_stub)


_passage: Final[ContextVar[Passage | None]] = ContextVar("passage", default=None)


def passage_of(request: Any) -> Passage | None:
    """The tool to ask for ``request`` where the gateway has no answer.

    Raises :class:`PassedThrough` when it has been asked, and lets the request go to the network.
    """
    passage = _passage.get()
    if passage is None or not passage.is_of(request):
        return None
    if passage.asked:
        raise PassedThrough
    passage.at_gateway = True
    return passage


def tried_again(request: Any) -> tuple[str, Callable[[], Any]] | None:
    """The tool to go past once more, where a hook sends ``request`` again by the connection."""
    passage = _passage.get()
    if passage is None or not passage.is_of(request):
        return None
    return passage.tried_again(request)


def is_handed_over() -> bool:
    """Whether the caller is a tool that is being asked."""
    passage = _passage.get()
    return passage is not None and passage.asked


def past(
    package: str,
    request: Any,
    beneath: Callable[[], Any],
    onward: Callable[[], Any],
    library: Library,
    again: Callable[[Any], Any] | None = None,
) -> Any:
    """``onward``, past a tool that would answer ``beneath``; it is asked where nobody else does.

    ``again(request)`` asks it for what a hook sends once more.
    """
    outer = _passage.get()
    if outer is not None and outer.is_of(request) and not outer.is_over:
        if not outer.asked:
            return onward()
        outer.met(package)
        return beneath()
    token = _passage.set(Passage(package, request, beneath, library, again))
    try:
        return onward()
    except HandedOver as over:
        handed = over
    finally:
        _passage.reset(token)
    return handed.result()


async def past_async(
    package: str,
    request: Any,
    beneath: Callable[[], Awaitable[Any]],
    onward: Callable[[], Awaitable[Any]],
    library: Library,
) -> Any:
    """:func:`past` in a coroutine."""
    outer = _passage.get()
    if outer is not None and outer.is_of(request):
        if not outer.asked:
            return await onward()
        outer.met(package)
        return await beneath()
    token = _passage.set(Passage(package, request, beneath, library))
    try:
        return await onward()
    except HandedOver as over:
        handed = over
    finally:
        _passage.reset(token)
    return handed.result()
