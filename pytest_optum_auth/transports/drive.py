"""Carrying a request through the gateway: the waits that it asks for are waited here."""

from __future__ import annotations

import asyncio

from ..core.gateway import Reply
from ..core.messages import NetworkFault, Response
from ..core.waits import Deadline, block, suspend

__tracebackhide__ = True  # in the traceback of a test


def drive(reply: Reply, timeout: float | None) -> Response:
    """The gateway's answer, waiting in this thread.

    Raises :class:`NetworkFault`, of kind ``"timeout"`` when all waits together are longer than the
    client's own ``timeout`` (seconds).
    """
    deadline = Deadline(timeout)
    try:
        wait = next(reply)
        while True:
            if callable(wait):
                try:
                    answer = wait()
                except BaseException as error:
                    wait = reply.throw(error)
                else:
                    wait = reply.send(answer)
            else:
                wait = next(reply) if block(wait, deadline) else reply.throw(_gave_up(timeout))
    except StopIteration as answer:
        response: Response = answer.value
        return response
    finally:
        deadline.cancel()
        reply.close()


async def drive_async(reply: Reply, timeout: float | None) -> Response:
    """:func:`drive` in a coroutine, without blocking the event loop."""
    deadline = Deadline(timeout)
    try:
        wait = next(reply)
        while True:
            if callable(wait):
                try:
                    answer = await wait()
                except asyncio.CancelledError:
                    raise
                except BaseException as error:
                    wait = reply.throw(error)
                else:
                    wait = reply.send(answer)
            else:
                over = await suspend(wait, deadline)
                wait = next(reply) if over else reply.throw(_gave_up(timeout))
    except StopIteration as answer:
        response: Response = answer.value
        return response
    finally:
        deadline.cancel()
        reply.close()


def _gave_up(timeout: float | None) -> NetworkFault:
    return NetworkFault("timeout", f"no answer within {timeout} s")
