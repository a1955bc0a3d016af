"""``optum_client_check`` in pytest: an item for each promise, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from . import table
from .client_check import BrokenPromise, ClientCheck, UnusableCall
from .promises import PROMISES

if TYPE_CHECKING:
    from ..clock import Clock
    from ..fake import FakeOptum

FIXTURE: Final = "optum_client_check"
_KEYWORDS: Final = ("known", "only")
_check_key = pytest.StashKey[ClientCheck]()
# What was said of a test's call, so that it is said once: by the items of that test.
_unusable_key = pytest.StashKey[dict[object, str]]()


class _UsageError:
    """Stands in the place of a promise when the marker makes no sense."""

    def __init__(self, message: str) -> None:
        self.message = message


def parametrize(metafunc: pytest.Metafunc) -> None:
    """One item for each promise; the known ones are strict xfails."""
    manager = metafunc.config.pluginmanager
    if not manager.has_plugin(FIXTURE):
        manager.register(_ItemHooks(), FIXTURE)
    known: dict[str, str] = {}
    only: Any = None
    marks = list(metafunc.definition.iter_markers(FIXTURE))
    problem = next(filter(None, map(_problem_of, marks)), None)
    if problem is not None:
        metafunc.parametrize(FIXTURE, [_UsageError(problem)], ids=["usage-error"], indirect=True)
        return
    for mark in reversed(marks):
        known.update(mark.kwargs.get("known", {}))
        only = mark.kwargs.get("only", only)
    names = [name for name in PROMISES if not only or name in only]
    params = [
        pytest.param(
            name,
            marks=[pytest.mark.xfail(reason=known[name], strict=True, raises=BrokenPromise)]
            if name in known
            else [],
        )
        for name in names
    ]
    metafunc.parametrize(FIXTURE, params, ids=names, indirect=True)


def _problem_of(mark: pytest.Mark) -> str | None:
    """What makes no sense in a marker, as a sentence; ``None``: nothing."""
    marker, listed = f"@pytest.mark.{FIXTURE}", ", ".join(PROMISES)
    if mark.args:
        return f"{marker} takes no argument without a name: known are {', '.join(_KEYWORDS)}"
    for name in mark.kwargs:
        if name not in _KEYWORDS:
            return f"{marker}: unknown keyword {name!r}: known are {', '.join(_KEYWORDS)}"
    known, only = mark.kwargs.get("known", {}), mark.kwargs.get("only", ())
    if not isinstance(known, Mapping):
        return f"{marker}: known={known!r} must map promises to reasons"
    for name, reason in known.items():
        if not isinstance(reason, str) or not reason.strip():
            return f"{marker}: known[{name!r}]={reason!r} must be the reason, as text"
    if isinstance(only, str) or not isinstance(only, (list, tuple, set, frozenset)):
        return f"{marker}: only={only!r} must be a list of promises"
    for name in (*known, *only):
        if name not in PROMISES:
            return f"{marker}: unknown promise {name!r}: known are {listed}"
    return None


def open_check(
    request: pytest.FixtureRequest, fake: FakeOptum, clock: Clock
) -> Iterator[ClientCheck]:
    """What the fixture gives to a test."""
    promise = getattr(request, "param", None)
    if isinstance(promise, _UsageError):
        pytest.fail(f"usage error: {promise.message}", pytrace=False)
    if promise is None:
        pytest.fail(
            f"{FIXTURE} runs a test once for each promise: name it among the test's parameters",
            pytrace=False,
        )
    told = request.config.stash.setdefault(_unusable_key, {})
    first = told.get(_test_of(request.node))
    if first not in (None, request.node.nodeid):
        pytest.skip(f"not judged: {first} tells why")
    # A scenario may meet less than a test has prepared.
    fake.strict = False
    check = request.node.stash[_check_key] = ClientCheck(PROMISES[promise], fake, clock)
    yield check


def _test_of(item: pytest.Item) -> tuple[str, str]:
    """The test of an item, whatever the promise: its module and class, and its name."""
    promise = _promise_of(item)
    name = re.sub(
        rf"([\[-]){re.escape(promise)}([\]-])",
        lambda ends: {"[]": "", "[-": "[", "-]": "]"}.get(ends[1] + ends[2], "-"),
        item.name,
        count=1,
    )
    return item.nodeid[: -len(item.name)], name


def _promise_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get(FIXTURE, "")) if callspec is not None else ""


class _ItemHooks:
    """What the items of a check need while they run; registered when there are some."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """A check that is never called judges nothing."""
        result = yield
        check = item.stash.get(_check_key, None)
        if check is not None and not check.called:
            raise UnusableCall(
                f"{FIXTURE} was never called: hand it the call, as in "
                f"{FIXTURE}(lambda: client.check('member-1')), in a coroutine "
                f"`await {FIXTURE}.run_async(call)`",
                pytrace=False,
            )
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what became of the promise, and hide secrets in what is shown of a failure."""
        report = yield
        promise = _promise_of(item)
        if promise not in PROMISES:
            return report
        error = None if call.excinfo is None else call.excinfo.value
        if isinstance(error, UnusableCall):
            item.config.stash[_unusable_key].setdefault(_test_of(item), item.nodeid)
        outcome = _outcome_of(report, error)
        if outcome:
            reason = getattr(report, "wasxfail", "")
            setattr(report, table.RESULT, [*_test_of(item), promise, outcome, reason])
        check = item.stash.get(_check_key, None)
        if check is not None:
            report.sections = [(title, check.hide_secrets(text)) for title, text in report.sections]
        if check is not None and report.when == "teardown":
            del item.stash[_check_key]
        return report


def _outcome_of(report: pytest.TestReport, error: BaseException | None) -> str:
    """What the table says; empty where there is nothing to say."""
    if report.when == "teardown":
        return ""
    if isinstance(error, BrokenPromise):
        return "known" if hasattr(report, "wasxfail") else "BROKEN"
    if report.when == "call" and error is None:
        # Also where pytest fails it, since it was known to be broken.
        return "kept"
    if report.skipped:
        return "skipped"
    return "not judged" if report.failed else ""
