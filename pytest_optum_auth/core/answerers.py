"""Stubs that the gateway asks where no route of ``protect`` answers: what it wants to know of them.

A look comes first and uses nothing up, since a request without a good token must not reach a stub.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from .asking import Steps
from .messages import Request


class Mismatch(NamedTuple):
    """Why none of the ``stubs`` (their name) answers: of each its name and the reason."""

    stubs: str = ""
    reasons: tuple[tuple[str, str], ...] = ()


class Stub(NamedTuple):
    """A stub as it is told to people, once for each ``key``.

    ``host``: the only one that it is for, where that is known.
    """

    name: str
    host: str | None
    key: int


class Unanswered(Exception):
    """A stub that seemed to match has left the request to others, and there are none."""

    def __init__(self, mismatch: Mismatch) -> None:
        super().__init__()
        self.mismatch = mismatch


class Stubs(Protocol):
    """The stubs of one library."""

    name: str

    def find(self, request: Request) -> Callable[[], Steps] | Mismatch:
        """What answers ``request``, step by step; no stub is used up by the look."""

    def never_asked(self) -> list[Stub]:
        """Those that must be told of when the test ends."""
