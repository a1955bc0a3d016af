"""Asking somebody outside of the core for an answer, in a thread or on an event loop.

What answers a request to an API may be a coroutine function: it runs on the loop of the request,
asyncio's or trio's, and where the request has none, on a fresh one.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any, NamedTuple

from .messages import Response
from .waits import Wait, in_trio

__tracebackhide__ = True  # in the traceback of a test


class Ask(NamedTuple):
    """A question: ``function()`` is the answer, or an awaitable of it.

    ``asynchronous`` is asked in its place where the request is made on an event loop.
    """

    function: Callable[[], Any]
    asynchronous: Callable[[], Any] | None = None

    def run(self) -> Any:
        """The answer, from this thread."""
        answer = self.function()
        return _on_a_fresh_loop(answer) if inspect.isawaitable(answer) else answer

    async def run_async(self) -> Any:
        """The answer, from a coroutine."""
        answer = (self.asynchronous or self.function)()
        return await answer if inspect.isawaitable(answer) else answer


# What answers a request, step by step: a transport waits and asks, and sends the answers in.
Steps = Generator[Wait | Ask, Any, Response]


def is_cancellation(error: BaseException) -> bool:
    """Whether ``error`` cancels the coroutine that waits: it is neither answer nor failure."""
    trio = sys.modules.get("trio")
    return isinstance(error, asyncio.CancelledError) or (
        trio is not None and isinstance(error, trio.Cancelled)
    )


def _on_a_fresh_loop(answer: Awaitable[Any]) -> Any:
    async def wait() -> Any:
        return await answer

    if in_trio():
        import trio

        return _in_another_thread(lambda: trio.run(wait))
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(wait)
    return _in_another_thread(lambda: _run(wait))


def _run(wait: Callable[[], Any]) -> Any:
    # Not asyncio.run(), which takes away the loop that a test has set for this thread.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(wait())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _in_another_thread(run: Callable[[], Any]) -> Any:
    """The result of ``run``, in a thread that has no event loop and the same context."""
    context = contextvars.copy_context()
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(context.run(run))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work, name="optum-answer", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
