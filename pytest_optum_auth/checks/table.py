"""The table at the end of a run: each test with its promises, kept, BROKEN or known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .. import outcome_table
from .promises import PROMISES

#: Report attribute: ``[path and class, name, promise, outcome, reason]``, plain values that xdist
#: can send to the process that prints.
RESULT: Final = "optum_client_check_result"
_TITLE: Final = "promises of a good client"


@dataclass
class Results:
    """What became of the promises of each test; ``reasons`` are those of the known ones."""

    outcomes: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    reasons: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def add(self, place: str, name: str, promise: str, outcome: str, reason: str) -> None:
        """Enter the outcome of one promise of the test ``name`` at ``place``."""
        self.outcomes.setdefault((place, name), {})[promise] = outcome
        if reason:
            self.reasons[place, name, promise] = reason

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows: promises down, tests across."""
        tests = sorted(self.outcomes)
        names = [name for _, name in tests]
        shown = [name if names.count(name) == 1 else f"{place}{name}" for place, name in tests]
        columns = [self.outcomes[test] for test in tests]
        tried = [promise for promise in PROMISES if any(promise in column for column in columns)]
        rows = [[promise, *(c.get(promise, "-") for c in columns)] for promise in tried]
        kept = [f"{_kept(c.values())} of {len(c)}" for c in columns]
        return ["promise", *shown], [*rows, ["kept", *kept]]

    def notes(self) -> Iterator[str]:
        """The reasons of the known ones."""
        for (_, name, promise), reason in sorted(self.reasons.items()):
            yield f"known: {promise} in {name}: {reason}"


def _kept(outcomes: Iterable[str]) -> int:
    return sum(outcome == "kept" for outcome in outcomes)


def summarize(terminalreporter: Any, path: str | None) -> None:
    """Print the table, and write it as Markdown to ``path``."""
    results = Results()
    for report in _final_reports(terminalreporter.stats):
        result = getattr(report, RESULT, None)
        if result is not None:
            results.add(*result)
    header, rows = results.table()
    notes = list(results.notes())
    outcome_table.write(terminalreporter, _TITLE, header, rows)
    for note in notes:
        terminalreporter.line(note)
    if path:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        listed = "".join(f"\n- {note}" for note in notes)
        text = outcome_table.markdown(header, rows) + (f"{listed}\n" if listed else "")
        file.write_text(text, encoding="utf-8")


def _final_reports(stats: Mapping[str, list[Any]]) -> Iterator[Any]:
    """The reports that count, not those of a try that was repeated."""
    for category, reports in stats.items():
        if category != "rerun":
            yield from reports
