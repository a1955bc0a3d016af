"""Stubs of tools that the test has started itself: what they answer behind the bearer check.

A transport hands such a tool over with the request in whose way it lay. Where the gateway has no
answer of its own, :meth:`Gateway.respond` yields the tool, the transport asks it, and what it said
goes to the client as it is: an answer or an exception of the tool's own library.
"""

from __future__ import annotations

from typing import Any, Protocol

from .messages import Response

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

    def read(self, answer: Any, whole: bool) -> Any:
        """``answer`` as a :class:`Response`; a coroutine gives it on async transports.

        Without ``whole`` a body that the client will read as a stream is left alone.
        """


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
        response: Response | None = None,
        error: BaseException | None = None,
    ) -> None:
        super().__init__()
        self.response = response
        self._answer = answer
        self._error = error

    def result(self) -> Any:
        """The tool's answer; raises the tool's exception."""
        if self._error is not None:
            raise self._error
        return self._answer
