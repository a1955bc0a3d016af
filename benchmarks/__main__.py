"""``python -m benchmarks [--rounds N] [subject ...]``: measure, and print one table."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys

from benchmarks.measure import Figure

SUBJECTS = (
    "startup",
    "masking",
    "activation",
    "token_request",
    "stubs",
    "whole_test",
    "clock",
    "growth",
    "memory",
    "many",
    "other_hosts",
    "same_suite",
    "https",
    "client_check",
)


def _row(figure: Figure) -> str:
    shown = _shown(figure.value, figure.unit)
    bound = _shown(figure.bound, figure.unit)
    peers = ", ".join(f"{name} {_shown(v, figure.unit)}" for name, v in figure.peers.items())
    verdict = "missed" if figure.missed else "ok"
    return f"| {figure.name} | {shown} | ≤ {bound} | {verdict} | {peers} |"


def _shown(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if unit else f"{value:.2f}"


def main() -> None:
    """Run the subjects one after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="subject", help=", ".join(SUBJECTS))
    parser.add_argument("--rounds", type=int, default=21, help="pairs for a figure (default: 21)")
    parser.add_argument("--rows-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = sorted(set(options.subjects) - set(SUBJECTS))
    if unknown or options.rounds < 1:
        parser.error(f"unknown subject {unknown[0]!r}" if unknown else "--rounds starts at 1")
    if options.rows_only:
        for figure in importlib.import_module(f"benchmarks.{options.subjects[0]}").measure(
            options.rounds
        ):
            print(_row(figure), flush=True)
        return
    # Without bytecode files every start-up compiles, and the figures tell something else.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "benchmarks", "--rows-only", "--rounds", str(options.rounds)]
    print("| what | figure | bound | | peers |\n|---|---|---|---|---|", flush=True)
    for subject in options.subjects or SUBJECTS:
        subprocess.run([*command, subject], env=environment, check=True)


if __name__ == "__main__":
    main()
