"""Carrying a request through the gateway: what it waits for and whom it asks, one after the other.

When the client gives up, or its coroutine is cancelled, the gateway learns of it at the step where
it waits.
"""

from __future__ import annotations

from collections.abc import Callable

from ..core.asking import Ask, Steps, is_cancellation
from ..core.messages import NetworkFault, Response
from ..core.waits import Deadline, Wait, block, suspend

__tracebackhide__ = True  # in the traceback of a test


def drive(
    steps: Steps, timeout: float | None, outlast: Callable[[Wait, Wait], bool] = block
) -> Response:
    """The gateway's answer, waiting in this thread.

    ``outlast(wait, limit)`` waits, and says whether the client has waited as long.

    Raises :class:`NetworkFault`, of kind ``"timeout"`` when all waits together are longer than the
    client's own ``timeout`` (seconds).
    """
    deadline = Deadline(timeout)
    try:
        step = next(steps)
        while True:
            if not isinstance(step, Ask):
                step = next(steps) if outlast(step, deadline) else steps.throw(_gave_up(timeout))
                continue
            try:
                answer = step.run()
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        response: Response = end.value
        return response
    finally:
        deadline.cancel()
        steps.close()


async def drive_async(steps: Steps, timeout: float | None) -> Response:
    """:func:`drive` in a coroutine, without blocking the event loop."""
    deadline = Deadline(timeout)
    try:
        step = next(steps)
        while True:
            if not isinstance(step, Ask):
                over = await suspend(step, deadline)
                step = next(steps) if over else steps.throw(_gave_up(timeout))
                continue
            try:
                answer = await step.run_async()
            except BaseException as error:
                if is_cancellation(error):
                    raise
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        response: Response = end.value
        return response
    finally:
        deadline.cancel()
        steps.close()


def _gave_up(timeout: float | None) -> NetworkFault:
    return NetworkFault("timeout", f"no answer within {timeout} s")
