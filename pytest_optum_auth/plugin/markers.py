"""What a test's markers mean: which fixtures it uses, and the arguments of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def request_fixture(item: pytest.Item, name: str) -> None:
    """Let ``item`` use a fixture as if it had asked: after those of a wider scope."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is None or name in names:
        return
    # Only pytest's own record tells the scope of a fixture.
    known = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    wider = [i for i, n in enumerate(names) if n in known and known[n][-1].scope != "function"]
    names.insert(wider[-1] + 1 if wider else 0, name)


def merged(
    node: pytest.Item, marker: str, known: Sequence[str], *, positional: int = 0
) -> dict[str, Any]:
    """The arguments of a marker on function, class and module; the nearest wins.

    ``known`` names those that it takes, ``positional`` of them without their name; another one is
    a usage error.
    """
    arguments: dict[str, Any] = {}
    for mark in reversed(list(node.iter_markers(marker))):
        if len(mark.args) > positional:
            most = f"at most {positional}" if positional else "no"
            raise usage_error(
                f"@pytest.mark.{marker} takes {most} argument without a name: "
                f"known are {', '.join(known)}"
            )
        given = {**dict(zip(known, mark.args, strict=False)), **mark.kwargs}
        for name in given:
            if name not in known:
                raise usage_error(
                    f"@pytest.mark.{marker}: unknown keyword {name!r}: known are {', '.join(known)}"
                )
        arguments.update(given)
    return arguments


def usage_error(message: str) -> BaseException:
    """A value of a marker or an ini option makes no sense: one sentence tells it.

    Not ``pytest.UsageError``, which pytest shows with all of its traceback, and which a worker of
    xdist would lose if it were raised at collection.
    """
    return pytest.fail.Exception(f"usage error: {message}", pytrace=False)
