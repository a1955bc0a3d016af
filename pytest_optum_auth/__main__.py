"""``python -m pytest_optum_auth serve``: see :mod:`pytest_optum_auth.server.cli`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .server import cli as serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pytest_optum_auth",
        description="Optum's token endpoint as a fake, outside of pytest.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    serve.add_command(commands)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
