"""Values that the functions and classes of a module have kept since it was loaded, exchanged.

In default arguments, in attributes of classes, and in closures, such as the factory of a field of a
dataclass; in properties, decorated functions and inner classes too. What a module has imported is
looked at in the module that it is from.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Final

# What is to stand in the place of a value: another one, or itself.
Other = Callable[[Any], Any]
# The attributes of a class, whatever it tells those who ask it.
_of_class: Final[Callable[[type], Any]] = vars(type)["__dict__"].__get__
#: What tells objects apart, of whatever class. Not ``id``: it tells every audit hook, and there is
#: one where a guard watches the network. Only CPython promises that no two have the same.
identity: Final = object.__hash__
# Of what modules and classes have most is of these, and calls nothing that is written in Python.
_PLAIN: Final = frozenset(
    map(
        identity,
        {
            *(bool, bytes, dict, float, frozenset, int, list, set, str, tuple, type(None)),
            *(ModuleType, BuiltinFunctionType, GetSetDescriptorType, MemberDescriptorType),
            *(MethodDescriptorType, WrapperDescriptorType),
        }
        # On PyPy some of them are the type of all functions.
        - {FunctionType},
    )
)
# Where these have the functions that they call.
_CALLS: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (property, ("fget", "fset", "fdel")),
    (functools.cached_property, ("func",)),
    (functools.partialmethod, ("func",)),
    (functools.singledispatchmethod, ("func",)),
)


def exchange(namespace: dict[str, Any], names: Iterable[str], other: Other) -> tuple[str, ...]:
    """Put ``other(value)`` where one of ``names`` keeps a value; the names that keep another."""
    look = _Look(namespace.get("__name__"), other)
    return tuple(name for name in names if look.at(namespace.get(name)))


def namespace_of(thing: object) -> dict[str, Any] | None:
    """The namespace of what stands among the loaded modules, or of an object, if it has one.

    A module that is to be loaded by the first look at it is not loaded by this one.
    """
    try:
        namespace = object.__getattribute__(thing, "__dict__")
    except Exception:  # a proxy that has nothing to stand for now
        return None
    return namespace if type(namespace) is dict else None


class _Look:
    """At what one module has; each look tells whether a value was exchanged there."""

    def __init__(self, home: object, other: Other) -> None:
        self._home = home
        self._other = other
        # They hold one another, and themselves.
        self._seen: set[int] = set()

    def at(self, value: Any, *, ours: bool = False) -> bool:
        kind = type(value)
        if identity(kind) in _PLAIN or identity(value) in self._seen:
            return False
        self._seen.add(identity(value))
        if kind is FunctionType:
            return self._in_function(value, ours or self._is_ours(value.__module__))
        if issubclass(kind, type):
            return self._is_ours(_of_class(value).get("__module__")) and self._in_class(value)
        return self._at_each(_calls_of(value))

    def _at_each(self, values: list[Any]) -> bool:
        changed = False
        for value in values:
            changed |= self.at(value)
        return changed

    def _is_ours(self, module: object) -> bool:
        # Nobody has to be able to compare it.
        return type(module) is str and module == self._home

    def _in_class(self, owner: type) -> bool:
        changed = False
        for name, value in list(_of_class(owner).items()):
            kind = type(value)
            bound = kind is staticmethod or kind is classmethod
            kept = value.__func__ if bound else value
            if (new := self._other(kept)) is not kept:
                # Not by the class's own way to set an attribute, which may have another meaning.
                type.__setattr__(owner, name, kind(new) if bound else new)
                changed = True
            else:
                # A method that somebody has made for it says it is of another module.
                changed |= self.at(kept, ours=True)
        return changed

    def _in_function(self, function: Any, ours: bool) -> bool:
        # What a decorator of another module has made may hold one of ours.
        holds = [vars(function).get("__wrapped__"), *map(_content, function.__closure__ or ())]
        changed = self._at_each(holds)
        if ours:
            changed |= self._in_defaults(function) | self._in_closure(function)
        return changed

    def _in_defaults(self, function: Any) -> bool:
        changed = False
        if function.__defaults__:
            defaults = tuple(map(self._other, function.__defaults__))
            if any(a is not b for a, b in zip(defaults, function.__defaults__, strict=True)):
                function.__defaults__ = defaults
                changed = True
        by_name = function.__kwdefaults__ or {}
        for name, kept in by_name.items():
            if (new := self._other(kept)) is not kept:
                by_name[name] = new
                changed = True
        return changed

    def _in_closure(self, function: Any) -> bool:
        changed = False
        for cell in function.__closure__ or ():
            kept = _content(cell)
            if (new := self._other(kept)) is not kept:
                cell.cell_contents = new
                changed = True
        return changed


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # what it is to hold has not been made yet
        return None


def _calls_of(value: object) -> list[Any]:
    """The functions that it calls when it is called, or looked at."""
    for kind, names in _CALLS:
        if issubclass(type(value), kind):
            return [getattr(value, name) for name in names]
    return [(namespace_of(value) or {}).get("__wrapped__")]
