"""Stubs of tools that the test has started itself: what they answer behind the bearer check.

Such a tool has replaced a method that a request passes. The transport hands it to the gateway
beside the request. Where the gateway has no answer of its own, the transport is told to ask the
tool, and what that says goes to the client as it is: an answer or an exception of its library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

__tracebackhide__ = True  # in the traceback of a test


class OtherTool(Protocol):
    """A tool, and the request that it is asked for."""

    name: str

    def ask(self) -> Any:
        """What the tool answers, in its library's own form; a coroutine on async transports.

        Raises what the tool raises, and :class:`PassedThrough`.
        """

    def has_no_stub(self, error: BaseException) -> bool:
        """Whether ``error`` is how the tool says that no stub of its matched."""

    def shown(self, answer: Any) -> ShownAnswer:
        """What the journal tells of ``answer``."""

    def read(self, answer: Any) -> Any:
        """All of ``answer`` as a :class:`Response`; a coroutine gives it on async transports."""


class ShownAnswer:
    """An answer of the tool, for who looks at it later: its body is left to the client till then.

    ``read()`` gives the body as far as the client has read it.
    """

    def __init__(
        self, status: int, headers: Iterable[tuple[str, str]], read: Callable[[], bytes]
    ) -> None:
        self.status = status
        self.headers = tuple(headers)
        self._read = read

    @property
    def body(self) -> bytes:
        """The bytes of the body; ``b""`` where the client has taken them from a stream."""
        return self._read()


class PassedThrough(BaseException):
    """The tool lets the request go to the network: raised where it would leave."""


class HandedOver(BaseException):
    """Another tool has answered, or raised: what it did, on its way past the client library.

    No ``Exception``: nothing between the gateway and the place where the tool stood would have
    seen the answer without us.
    """

    def __init__(
        self,
        answer: Any = None,
        shown: ShownAnswer | None = None,
        error: BaseException | None = None,
    ) -> None:
        super().__init__()
        self.shown = shown
        self._answer = answer
        self._error = error

    def result(self) -> Any:
        """The tool's answer; raises the tool's exception."""
        if self._error is not None:
            raise self._error
        return self._answer
