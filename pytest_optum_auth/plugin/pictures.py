"""The timeline of a failed test as a picture: in a folder, and in the report of pytest-html."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Final

import pytest

from ..fake import FakeOptum

# Of the file name: what every file system takes.
_LONGEST: Final = 120


def keep(report: pytest.TestReport, fake: FakeOptum, config: pytest.Config) -> None:
    """Write the picture where ``--optum-timelines`` says, and hand it to pytest-html."""
    folder = config.getoption("optum_timelines")
    html = config.getoption("htmlpath", None)
    if not folder and not html:
        return
    picture = fake.timeline_svg()
    if folder:
        path = config.invocation_params.dir / folder / file_name(report)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, encoding="utf-8")
        report.sections.append(("Optum timeline", str(Path(folder) / path.name)))
    if html:
        vars(report)["extras"] = [*getattr(report, "extras", []), _extra(picture)]


def file_name(report: pytest.TestReport) -> str:
    """A name that tells the test; what a file name cannot hold is told apart by a digest."""
    nodeid = report.nodeid if report.when == "call" else f"{report.nodeid}-{report.when}"
    test, bracket, parameters = nodeid.partition("[")
    plain = test.replace("::", "-").replace("/", "-") + bracket + parameters
    name = re.sub(r"[^\w.\[\]-]+", "-", plain).strip("-.")
    if len(name) > _LONGEST or name != plain:
        name = f"{name[:_LONGEST]}-{hashlib.sha256(nodeid.encode()).hexdigest()[:8]}"
    return f"{name}.svg"


def _extra(picture: str) -> dict[str, Any]:
    # What pytest_html.extras.html() makes: its format is its public interface, also under xdist.
    return {
        "name": None,
        "format_type": "html",
        "content": f'<div style="overflow-x: auto">{picture}</div>',
        "mime_type": None,
        "extension": None,
    }
