"""What the report of a failing test says of the fake."""

from __future__ import annotations

import pytest

from ..fake import FakeOptum

TRAFFIC = "Optum traffic"
STRICTNESS = "Optum strictness"


def explain(report: pytest.TestReport, fake: FakeOptum) -> None:
    """Add the timeline to the report of a test that did not get through, and what it left unmet."""
    problems = ""
    if report.when == "call" and fake.strict:
        # Told here, so that the teardown does not: the test's own failure stays first.
        problems = fake.problems()
    if not report.failed:
        return
    if problems:
        report.sections.append((STRICTNESS, problems))
    report.sections.append((TRAFFIC, fake.timeline()))
