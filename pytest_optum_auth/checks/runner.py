"""Carrying out a scenario: its calls in this thread or in coroutines, its time on the clock."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, cast

from ..core.holds import Hold
from ..core.waits import in_trio
from .steps import Advance, Call, EndlessCall, Outcome, Scenario, Unfinished
from .trial import Trial

# While callers are held: this often somebody looks whether something moves, in real seconds.
_LOOK: Final = 0.003
# With less processor time than this between two looks nobody has moved, in seconds.
_IDLE: Final = 0.001
# So many looks at which nothing moved, and so many without another arrival, end the wait.
_STILL: Final = 20
_NO_ARRIVAL: Final = 100
# A caller that is not back so long after everybody was answered, in real seconds, hangs.
_PATIENCE: Final = 5.0

Error = BaseException | None
AsyncCall = Callable[[], Awaitable[object]]


def run(trial: Trial, call: Callable[[], object], scenario: Scenario) -> None:
    """Carry out ``scenario`` in this thread; callers at once have a thread each."""
    answer: Any = None
    with contextlib.suppress(StopIteration):
        while True:
            step = scenario.send(answer)
            seen = len(trial.fake.exchanges)
            if isinstance(step, Advance):
                trial.clock.tick(step.seconds)
            elif isinstance(step, Call):
                with _sleeps_move(trial):
                    error = _tried(call)
                answer = Outcome(error, trial.fake.exchanges[seen:])
            else:
                errors = _in_threads(trial, call, step.count)
                answer = [Outcome(error, trial.fake.exchanges[seen:]) for error in errors]


async def run_async(trial: Trial, call: AsyncCall, scenario: Scenario) -> None:
    """Carry out ``scenario`` in this event loop; callers at once have a task each."""
    answer: Any = None
    with contextlib.suppress(StopIteration):
        while True:
            step = scenario.send(answer)
            seen = len(trial.fake.exchanges)
            if isinstance(step, Advance):
                await trial.clock.advance(step.seconds)
            elif isinstance(step, Call):
                with _sleeps_move(trial):
                    error = await _tried_async(call)
                answer = Outcome(error, trial.fake.exchanges[seen:])
            else:
                errors = await _in_tasks(trial, call, step.count)
                answer = [Outcome(error, trial.fake.exchanges[seen:]) for error in errors]


def _tried(call: Callable[[], object]) -> Error:
    try:
        call()
    except (Exception, EndlessCall) as error:
        return error
    return None


async def _tried_async(call: AsyncCall) -> Error:
    try:
        await call()
    except (Exception, EndlessCall) as error:
        return error
    return None


@contextlib.contextmanager
def _sleeps_move(trial: Trial) -> Iterator[None]:
    """The client's sleeps are moves of the clock."""
    before = trial.clock.sleep_moves
    trial.clock.sleep_moves = cast(bool, _InThisThread())
    try:
        yield
    finally:
        trial.clock.sleep_moves = before


class _InThisThread:
    """True in the thread that made it: a thread which refreshes in the background sleeps on."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def __bool__(self) -> bool:
        return threading.get_ident() == self._thread


def _in_threads(trial: Trial, call: Callable[[], object], number: int) -> list[Error]:
    errors: list[Error] = [Unfinished(f"it had not come back {_PATIENCE:g} s later")] * number

    def caller(place: int) -> None:
        try:
            errors[place] = _tried(call)
        except BaseException as error:
            errors[place] = error

    # Daemons: one that hangs must not keep the run from its end.
    threads = [
        threading.Thread(target=caller, args=(place,), daemon=True) for place in range(number)
    ]
    with trial.fake.hold() as hold:
        for thread in threads:
            thread.start()
        quiet = _Quiet(hold, number)
        while not quiet.after_look(_positions(threads)):
            with contextlib.suppress(TimeoutError):
                hold.wait_for(number, timeout=_LOOK)
    for thread in threads:
        thread.join(_PATIENCE)
    for error in errors:
        if error is not None and not isinstance(error, (Exception, EndlessCall)):
            raise error
    return errors


def _positions(threads: list[threading.Thread]) -> object:
    """Where each thread stands: what is equal at two looks has not moved."""
    # A garbage collection in the midst of it may wait for ever: seen on CPython 3.11.7.
    goes_on = gc.enable if gc.isenabled() else gc.disable
    gc.disable()
    try:
        frames = sys._current_frames()
    finally:
        goes_on()
    found = [frames.get(thread.ident or 0) for thread in threads]
    return [(id(frame), frame.f_lasti) for frame in found if frame is not None]


async def _in_tasks(trial: Trial, call: AsyncCall, number: int) -> list[Error]:
    errors: list[Error] = [Unfinished(f"it had not come back {_PATIENCE:g} s later")] * number

    async def caller(place: int) -> None:
        errors[place] = await _tried_async(call)

    async def released_when_quiet() -> None:
        quiet = _Quiet(hold, number)
        while not quiet.after_look(None):
            with contextlib.suppress(TimeoutError):
                await hold.wait_for_async(number, timeout=_LOOK)
        hold.release()

    with trial.fake.hold() as hold:
        if in_trio():
            import trio

            async with trio.open_nursery() as nursery:
                for place in range(number):
                    nursery.start_soon(caller, place)
                await released_when_quiet()
                nursery.cancel_scope.deadline = trio.current_time() + _PATIENCE
        else:
            tasks = [asyncio.ensure_future(caller(place)) for place in range(number)]
            await released_when_quiet()
            done, pending = await asyncio.wait(tasks, timeout=_PATIENCE)
            for task in pending:
                task.cancel()
            for task in done:
                task.result()
    return errors


class _Quiet:
    """Whether everybody who comes has come: all wait, or nobody moves, or nobody arrives."""

    def __init__(self, hold: Hold, number: int) -> None:
        self._hold = hold
        self._number = number
        self._waiting = 0
        self._positions: object = None
        self._still = 0
        self._no_arrival = 0
        self._used = time.process_time()

    def after_look(self, positions: object) -> bool:
        """Whether it is quiet, after a look at where everybody stands."""
        waiting, used = self._hold.waiting, time.process_time()
        self._no_arrival = self._no_arrival + 1 if waiting == self._waiting else 0
        # Within a call of C a thread stands still, and uses the processor.
        is_still = positions == self._positions and used - self._used < _IDLE
        self._still = self._still + 1 if is_still and self._no_arrival else 0
        self._waiting, self._positions, self._used = waiting, positions, used
        return waiting >= self._number or self._still >= _STILL or self._no_arrival >= _NO_ARRIVAL
