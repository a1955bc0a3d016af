"""What a test's markers mean: which fixtures it uses, and the arguments of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ..pytest_internals import wider_fixtures


def request_fixture(item: Any, name: str) -> None:
    """Let ``item`` set up a fixture first of all, but after those of a wider scope.

    An item of another plugin may have no fixtures.
    """
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is None:
        return
    wide = wider_fixtures(item)
    wider = [n for n in names if n in wide]
    if name not in wider:
        narrow = [n for n in names if n not in wider and n != name]
        # A list of its own: pytest shares one among the items of a parametrized function.
        item.fixturenames = [*wider, name, *narrow]


def merged(
    node: pytest.Item, marker: str, known: Sequence[str], *, positional: int = 0
) -> dict[str, Any]:
    """The arguments of a marker on parameter, function, class and module; the nearest wins.

    ``known`` names those that it takes, ``positional`` of them without their name; another one is
    a usage error.
    """
    arguments: dict[str, Any] = {}
    if node.get_closest_marker(marker) is None:
        return arguments
    for mark in reversed(nearest_first(node, marker)):
        if len(mark.args) > positional:
            most = f"at most {positional}" if positional else "no"
            raise usage_error(
                f"@pytest.mark.{marker} takes {most} argument without a name: "
                f"known are {', '.join(known)}"
            )
        given = dict(zip(known, mark.args, strict=False))
        for name in given.keys() & mark.kwargs.keys():
            raise usage_error(f"@pytest.mark.{marker}: {name!r} is given twice")
        given |= mark.kwargs
        for name in given:
            if name not in known:
                raise usage_error(
                    f"@pytest.mark.{marker}: unknown keyword {name!r}: known are {', '.join(known)}"
                )
        arguments.update(given)
    return arguments


def nearest_first(item: pytest.Item, name: str) -> list[pytest.Mark]:
    """The markers of that name: of the parameter, the function, the class, its bases, the module.

    pytest's own order has a parameter behind its function, and a class behind its bases.
    """
    found = []
    for node in reversed(item.listchain()):
        own = [mark for mark in node.own_markers if mark.name == name]
        found += sorted(own, key=lambda mark: _distance(mark, node))
    return found


def _distance(mark: pytest.Mark, node: Any) -> int:
    parameters = getattr(getattr(node, "callspec", None), "marks", ())
    if any(mark is getattr(one, "mark", one) for one in parameters):
        return -1
    bases = getattr(node.obj, "__mro__", ()) if isinstance(node, pytest.Class) else ()
    for distance, cls in enumerate(bases):
        marks = vars(cls).get("pytestmark", [])
        for one in marks if isinstance(marks, list) else [marks]:
            if mark is getattr(one, "mark", one):
                return distance
    # What a hook has added.
    return len(bases)


def usage_error(message: str) -> BaseException:
    """A value of a marker or an ini option makes no sense: one sentence tells it.

    Not ``pytest.UsageError``, which pytest shows with all of its traceback, and which a worker of
    xdist would lose if it were raised at collection.
    """
    return pytest.fail.Exception(f"usage error: {message}", pytrace=False)
