"""What the code knows of the page of the promises: ``python docs/draw_promises.py``."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Final

from pytest_optum_auth.checks.promise import Promise
from pytest_optum_auth.checks.promises import PROMISES

PAGE: Final = Path(__file__).parent / "reference" / "promises.md"
BEGIN: Final = "## The promises\n"
END: Final = "\n## How the well-known libraries do\n"


def draw() -> str:
    """A section for each promise."""
    return "".join(f"\n{_section(promise)}" for promise in PROMISES.values())


def _section(promise: Promise) -> str:
    lines = (
        f"{promise.check}. Kept when {promise.kept}.",
        f"In production: {promise.means}",
        f"To mend it, {promise.mend}",
        f"Source: {promise.source}.",
    )
    paragraphs = [
        textwrap.fill(line, 118, break_long_words=False, break_on_hyphens=False)
        for line in lines
    ]
    return "\n\n".join((f"### {promise.name}", *paragraphs)) + "\n"


def drawn() -> str:
    """The same part as it stands on the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.replace(BEGIN + drawn(), BEGIN + draw()), encoding="utf-8")
