"""What the report of a failing test says of the fakes that it has talked to."""

from __future__ import annotations

import inspect
import itertools
import traceback
from typing import Any, Final

import pytest

from .. import fake as fakes
from ..core import active, timeline
from ..fake import FakeOptum
from .fixtures import FAKE

TRAFFIC: Final = "Optum traffic"
STRICTNESS: Final = "Optum strictness"


def complete(
    report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None], *, ends: bool
) -> None:
    """Add to ``report``; ``ends``: it is none of a subtest, which the test outlives."""
    fake = item.stash.get(FAKE, None)
    if call.excinfo is not None:
        if fake is not None:
            fake.failed_with(call.excinfo.value)
        _explain(report, item, fake, ends=ends and call.when != "teardown")
        if report.failed and fake is not None:
            from . import pictures

            pictures.keep(report, fake, item.config)
    if call.when == "teardown":
        _end_of_test()
        if fake is not None:
            # pytest keeps its items to the end of the run.
            del item.stash[FAKE]


def _explain(
    report: pytest.TestReport, item: pytest.Item, fixture: FakeOptum | None, *, ends: bool
) -> None:
    """Add the timelines to the report of a test that did not get through, and what it left unmet.

    ``fixture`` is the fake of ``optum_auth``; ``ends``: this is the report of the test itself, or
    of its set-up.
    """
    problems = ""
    if ends and fixture is not None and fixture.strict:
        # Told here, so that the teardown does not: the test's own failure stays first.
        problems = fixture.problems()
    if not report.failed:
        return
    if problems:
        report.sections.append((STRICTNESS, problems))
    if fixture is not None:
        report.sections.append((TRAFFIC, fixture.timeline()))
    for other, told in list(fakes.entered.items()):
        entries = other.gateway.state.journal.entries
        is_used = len(entries) > told or other.gateway in active.gateways()
        if other is not fixture and is_used:
            earlier = f"... {told} earlier, of other tests ...\n" if told else ""
            shown = timeline.render(entries[told:], other.gateway.state.started_at)
            report.sections.append((_title(item, other, fixture), f"{earlier}{shown}"))


def _end_of_test() -> None:
    """What comes from now on belongs to the next test."""
    answering = active.gateways()
    for fake in list(fakes.entered):
        if fake.gateway in answering:
            fakes.entered[fake] = len(fake.gateway.state.journal.entries)
        else:
            del fakes.entered[fake]


def name_fixture(call: pytest.CallInfo[None]) -> None:
    """Let what a fake says at its end, in the teardown, name the fixture that it stands in."""
    if call.excinfo is None:
        return
    value = call.excinfo.value
    # pytest puts what several fixtures say into a group.
    for error in getattr(value, "exceptions", [value]):
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        said_by = frames[-1].f_globals.get("__name__") if frames else ""
        if isinstance(error, AssertionError) and said_by == fakes.__name__:
            for caller, frame in itertools.pairwise(frames):
                if caller.f_globals.get("__name__") == pytest.fixture.__module__ and (
                    frame.f_code.co_flags & inspect.CO_GENERATOR
                ):
                    error.args = (f"fixture {frame.f_code.co_name!r} at its end: {error}",)


def _title(item: pytest.Item, fake: FakeOptum, fixture: FakeOptum | None) -> str:
    """Beside that of ``optum_auth`` with the name by which the test knows the fake."""
    values: dict[str, Any] = getattr(item, "funcargs", None) or {}
    name = next((name for name, value in values.items() if value is fake), "FakeOptum()")
    return TRAFFIC if fixture is None else f"{TRAFFIC}: {name}"
