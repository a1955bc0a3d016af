"""``ClientCheck``: what a test hands its call to, to have one promise tried."""

from __future__ import annotations

import contextlib
import inspect
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from typing import NoReturn

import pytest

from ..clock import Clock
from ..fake import FakeOptum
from . import runner
from .promise import Promise
from .trial import Broken, NotJudged, Trial, WrongCall

__tracebackhide__ = True  # in the traceback of a test

_WIDTH = 88


# To a type checker it is a variable.
class _Failed(pytest.fail.Exception):  # type: ignore[name-defined,misc]
    """What pytest raises for a test that fails."""


class BrokenPromise(_Failed):
    """How a test fails whose client breaks the promise."""

    __module__ = "builtins"  # as pytest's own, so that the summary shows the name alone


class UnusableCall(_Failed):
    """How a test fails whose call tells nothing about any promise."""

    __module__ = "builtins"


class ClientCheck:
    """Tries one promise of a client.

    ``optum_client_check(call)``, in a coroutine ``await optum_client_check.run_async(call)``. The
    call makes one API request through the client under test; it is made several times, also from
    several threads (tasks) at once. Called once in a test.

    Fails the test when the promise is broken, and when the call itself is wrong: it fails although
    nothing is broken, makes no API request, or is a coroutine function in the plain form.
    """

    def __init__(self, promise: Promise, fake: FakeOptum, clock: Clock) -> None:
        self._promise = promise
        self._fake = fake
        self._clock = clock
        self._trial: Trial | None = None

    @property
    def promise(self) -> str:
        """The name of the promise that this test tries."""
        return self._promise.name

    @property
    def called(self) -> bool:
        """Whether the test has handed over its call."""
        return self._trial is not None

    def __call__(self, call: Callable[[], object]) -> None:
        """Try the promise with ``call``, in this thread."""
        _check_callable(call)
        if inspect.iscoroutinefunction(call):
            raise UnusableCall(
                "the call is a coroutine function: use `await optum_client_check.run_async(call)`",
                pytrace=False,
            )

        def checked_call() -> None:
            answer = call()
            if inspect.isawaitable(answer):
                close = getattr(answer, "close", lambda: None)
                close()
                raise UnusableCall(
                    "the call gives a coroutine: use `await optum_client_check.run_async(call)`",
                    pytrace=False,
                )

        with self._judging(call) as trial:
            runner.run(trial, checked_call, self._promise.scenario(trial))

    async def run_async(self, call: Callable[[], Awaitable[object]]) -> None:
        """Try the promise with ``call``, in this event loop (asyncio or trio)."""
        _check_callable(call)

        async def checked_call() -> None:
            answer = call()
            if not inspect.isawaitable(answer):
                raise UnusableCall(
                    "the call gives nothing to await: use `optum_client_check(call)`",
                    pytrace=False,
                )
            await answer

        with self._judging(call) as trial:
            await runner.run_async(trial, checked_call, self._promise.scenario(trial))

    @contextlib.contextmanager
    def _judging(self, call: object) -> Iterator[Trial]:
        if self._trial is not None:
            raise UnusableCall(
                "optum_client_check was called twice: one test tries one call", pytrace=False
            )
        self._trial = trial = Trial(self._fake, self._clock, call)
        verdict: Exception
        try:
            yield trial
            return
        except (Broken, NotJudged, WrongCall) as found:
            verdict = found
        self._tell(verdict, trial)

    def _tell(self, verdict: BaseException, trial: Trial) -> NoReturn:
        said = trial.redactor().redact(str(verdict))
        if isinstance(verdict, NotJudged):
            pytest.skip(f"{self.promise}: {said}")
        if isinstance(verdict, Broken):
            raise BrokenPromise(paragraph(self._promise, said), pytrace=False) from None
        said = f"the call itself is wrong, no promise can be judged by it: it {said}"
        raise UnusableCall(
            textwrap.fill(said, _WIDTH, break_long_words=False), pytrace=False
        ) from None

    def hide_secrets(self, text: str) -> str:
        """``text`` without the secrets and tokens of the client."""
        return text if self._trial is None else self._trial.redactor().redact(text)

    def __repr__(self) -> str:
        return f"<ClientCheck of {self.promise}>"


def _check_callable(call: object) -> None:
    """The call is made several times: what it has returned once is of no use."""
    if callable(call):
        return
    if inspect.iscoroutine(call):
        # So that Python does not complain beside it that nobody has awaited it.
        call.close()
    raise UnusableCall(
        f"the check is handed the call itself, and this is a {type(call).__name__}: as in "
        "optum_client_check(lambda: client.check('member-1'))",
        pytrace=False,
    )


def paragraph(promise: Promise, did: str) -> str:
    """What is said of a broken promise."""
    text = (
        f"{promise.name} is broken. {promise.check}. The client {did}. In production: "
        f"{promise.means} To mend it, {promise.mend} Source: {promise.source}."
    )
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
