"""Tables at the end of a run: promises, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Cells = Sequence[str]


def write(terminalreporter: Any, title: str, header: Cells, rows: Sequence[Cells]) -> None:
    """Print a table under a ruler, its columns below each other; what is broken is red."""
    terminalreporter.section(title)
    widths = [max(9, *map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        terminalreporter.line("  ".join(cells).rstrip(), red="BROKEN" in row)


def markdown(header: Cells, rows: Sequence[Cells]) -> str:
    """The same as a table of Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in lines)
