"""The names of loaded modules that hold a clock function: replaced, and put back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

# What a look at a module has found, by its name: a cache and nothing else.
_looked_at: Final[dict[str, tuple[tuple[str, ...], bool]]] = {}
_UNKNOWN: Final = ((), False)


def namespace_of(module: object) -> dict[str, Any] | None:
    """The namespace of what stands among the loaded modules, if it has one.

    A module that is to be loaded by the first look at it is not loaded by this one.
    """
    try:
        namespace = object.__getattribute__(module, "__dict__")
    except Exception:  # a proxy that has nothing to stand for now
        return None
    return namespace if type(namespace) is dict else None


class Names:
    """Pairs of a genuine object and its stand-in, which takes its place in every module."""

    def __init__(self, pairs: Iterable[tuple[object, object]]) -> None:
        pairs = list(pairs)
        # The objects are kept, so that nothing else gets the ids of theirs. A stand-in is where
        # somebody has put back what he found under an earlier clock.
        self._pairs = {id(one): pair for pair in pairs for one in pair}
        self._changed: list[tuple[dict[str, Any], str, object, object]] = []

    def replace_everywhere(self, keeps: Callable[[str], bool], *, remember: bool) -> None:
        """In all loaded modules but those of whose names ``keeps`` says so.

        To ``remember`` what a look at each has found is for pairs that are always the same.
        """
        known = _looked_at if remember else {}
        wanted = self._pairs.keys()
        for name, module in list(sys.modules.items()):
            namespace = namespace_of(module)
            if namespace is None:
                continue
            names = tuple(namespace)
            last, holds = known.get(name, _UNKNOWN)
            # Like freezegun, which looks at a module again when its names are others.
            if names != last:
                holds = not wanted.isdisjoint(map(id, namespace.values()))
                known[name] = (names, holds)
            if holds and not keeps(name):
                self.replace_in(namespace)

    def replace_in(self, namespace: dict[str, Any]) -> None:
        """In one module's namespace."""
        for name, value in list(namespace.items()):
            if id(value) in self._pairs:
                genuine, stand_in = self._pairs[id(value)]
                namespace[name] = stand_in
                self._changed.append((namespace, name, genuine, stand_in))

    def put_back(self) -> None:
        """Undo it, but for what somebody else has replaced since."""
        for namespace, name, genuine, stand_in in self._changed:
            if namespace.get(name) is stand_in:
                namespace[name] = genuine
        self._changed.clear()
