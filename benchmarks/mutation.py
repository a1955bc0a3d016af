"""What a run of mutmut has found: the table of mutation.md, and each mutant that no test noticed.

Run as ``python benchmarks/mutation.py``. Fails when fewer than 95 % of what was tried were killed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from mutmut.stats import status_by_exit_code

MUTANTS = Path("mutants/pytest_optum_auth")
KILLED = ("killed", "timeout")


def row(name: str, verdicts: Counter[str]) -> str:
    made, tried = verdicts.total(), verdicts.total() - verdicts["not checked"]
    killed = sum(verdicts[verdict] for verdict in KILLED)
    counts = (made, tried, *(verdicts[verdict] for verdict in KILLED), tried - killed)
    return f"| {name} | {' | '.join(map(str, counts))} | {killed / tried:.1%} |"


def main() -> None:
    everything: Counter[str] = Counter()
    unnoticed = []
    print("| File | Mutants | Tried | Killed | Timed out | Survived | Killed or timed out |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for path in sorted(MUTANTS.rglob("*.meta")):
        found = json.loads(path.read_text())["exit_code_by_key"]
        verdicts = {name: status_by_exit_code[code] for name, code in found.items()}
        if set(verdicts.values()) - {"not checked"}:
            file = path.relative_to(MUTANTS).with_suffix("").as_posix()
            print(row(f"`{file}`", Counter(verdicts.values())))
            everything.update(verdicts.values())
        for name, verdict in verdicts.items():
            if verdict not in (*KILLED, "not checked"):
                unnoticed.append(f"{verdict}: {name}")
    print(row("all", everything), *unnoticed, sep="\n")
    noticed = sum(everything[verdict] for verdict in KILLED)
    sys.exit(noticed < 0.95 * (noticed + len(unnoticed)))


if __name__ == "__main__":
    main()
