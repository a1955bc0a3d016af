"""The names of loaded modules that hold a clock function: replaced, and put back."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from . import kept
from .freezegun_internals import GENUINE
from .kept import identity

_Texts = tuple[str, ...]
_Identities = tuple[int, ...]


class _Found(NamedTuple):
    """What a look at a module has found."""

    where: int = 0
    names: _Texts = ()
    own_names: _Texts = ()
    """Those that are a clock function's own."""
    were: _Identities = ()
    """What they were."""
    holds: bool = False
    """Whether one of all holds a clock function."""
    keepers: _Texts = ()
    """Those whose functions and classes keep one."""


# By the module's name. A cache and nothing else.
_looked_at: Final[dict[str, _Found]] = {}
_UNKNOWN: Final = _Found()
# Who knows none of them, by whatever name, has kept nothing of theirs.
_CLOCK_MODULES: Final = (datetime, time)
# Who keeps one of these measures how long something takes, as a rule in real time.
_MEASURES: Final = (GENUINE["perf_counter"], GENUINE["perf_counter_ns"])


def _identities(namespace: dict[str, Any], names: _Texts) -> _Identities:
    return tuple(map(identity, map(namespace.get, names)))


class Names:
    """Pairs of a genuine object and its stand-in, which takes its place in every module."""

    def __init__(self, pairs: Iterable[tuple[Any, object]]) -> None:
        pairs = list(pairs)
        # A stand-in is where somebody has put back what he found under an earlier clock.
        self._pairs = {identity(one): pair for pair in pairs for one in pair}
        # Each look at `datetime.now` makes another one; they are equal.
        self._functions = {pair[0]: pair for pair in pairs if not isinstance(pair[0], type)}
        self._kinds = set(map(identity, map(type, self._functions)))
        self._genuine = {id(stand_in): genuine for genuine, stand_in in reversed(pairs)}
        self._known = self._pairs.keys() | set(map(identity, _CLOCK_MODULES))
        self._own_names = {one.__name__ for one, _ in pairs} | {"datetime", "time"}
        self._changed: list[tuple[dict[str, Any], str, object, object]] = []
        self._kept: list[tuple[dict[str, Any], _Texts]] = []

    def replace_everywhere(self, keeps: Callable[[str], bool], *, remember: bool) -> None:
        """In all loaded modules but those of whose names ``keeps`` says so.

        To ``remember`` what a look at each has found is for pairs that are always the same.
        """
        looked_at = _looked_at if remember else {}
        for name, module in list(sys.modules.items()):
            namespace = kept.namespace_of(module)
            if namespace is None:
                continue
            names, where = tuple(namespace), identity(namespace)
            last, known, own, were, holds, keepers = looked_at.get(name, _UNKNOWN)
            # Like freezegun, which looks at a module again when its names are others; and when
            # what a test had put in the place of a clock function is gone.
            if names != known or where != last or (own and were != _identities(namespace, own)):
                own = tuple(self._own_names.intersection(names))
                were = _identities(namespace, own)
                holds = not self._known.isdisjoint(map(identity, namespace.values()))
                keepers = names if holds else ()
                looked_at[name] = _Found(where, names, own, were, holds, keepers)
            if (holds or keepers) and not keeps(name):
                holds = holds and self._replace_names(namespace)
                keepers = self._replace_kept(namespace, keepers)
                looked_at[name] = _Found(where, names, own, were, holds, keepers)

    def replace_in(self, namespace: dict[str, Any]) -> None:
        """In one module's namespace."""
        self._replace_names(namespace)
        if not self._known.isdisjoint(map(identity, namespace.values())):
            self._replace_kept(namespace, tuple(namespace))

    def put_back(self) -> None:
        """Undo it, but for what somebody else has replaced since."""
        for namespace, name, genuine, stand_in in self._changed:
            if namespace.get(name) is stand_in:
                namespace[name] = genuine
        self._changed.clear()
        for namespace, keepers in self._kept:
            kept.exchange(namespace, keepers, lambda value: self._genuine.get(id(value), value))
        self._kept.clear()

    def _replace_names(self, namespace: dict[str, Any]) -> bool:
        before = len(self._changed)
        for name, value in list(namespace.items()):
            pair = self._pair_of(value)
            if pair is not None:
                genuine, stand_in = pair
                namespace[name] = stand_in
                self._changed.append((namespace, name, genuine, stand_in))
        return len(self._changed) > before

    def _replace_kept(self, namespace: dict[str, Any], names: _Texts) -> _Texts:
        # The stand-ins keep the genuine classes.
        if not names or any(namespace is vars(module) for module in _CLOCK_MODULES):
            return ()
        keepers = kept.exchange(namespace, names, self._stand_in)
        if keepers:
            self._kept.append((namespace, keepers))
        return keepers

    def _stand_in(self, value: object) -> object:
        pair = self._pair_of(value)
        return value if pair is None or pair[0] in _MEASURES else pair[1]

    def _pair_of(self, value: object) -> tuple[object, object] | None:
        if identity(type(value)) in self._kinds:
            return self._functions.get(value)
        pair = self._pairs.get(identity(value))
        return pair if pair is not None and (value is pair[0] or value is pair[1]) else None
