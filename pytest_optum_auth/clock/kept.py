"""Values that the functions and classes of a module have kept since it was loaded, exchanged.

In default arguments, in attributes of classes, and in closures, such as the factory of a field of a
dataclass; in decorated functions and inner classes too. What a module has imported is looked at in
the module that it is from.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, MutableMapping
from types import FunctionType
from typing import Any, Final

# What is to stand in the place of a value: another one, or itself.
Other = Callable[[Any], Any]
_CACHED: Final = type(functools.lru_cache(len))


def exchange(namespace: dict[str, Any], names: Iterable[str], other: Other) -> tuple[str, ...]:
    """Put ``other(value)`` where one of ``names`` keeps a value; the names that keep another."""
    home = namespace.get("__name__")
    return tuple(name for name in names if _in(namespace.get(name), home, other))


def _is_function(value: object) -> bool:
    """One of Python, or one of functools.lru_cache, which has nothing of its own."""
    # By identity: a class may say of itself what it equals.
    kind = type(value)
    return kind is FunctionType or kind is _CACHED


def _in(value: Any, home: object, other: Other) -> bool:
    if _is_function(value):
        return value.__module__ == home and _in_function(value, other)
    if issubclass(type(value), type) and vars(value).get("__module__") == home:
        return _in_class(value, other)
    return False


def _in_class(owner: type, other: Other) -> bool:
    changed = False
    for name, value in list(vars(owner).items()):
        kind = type(value)
        bound = kind is staticmethod or kind is classmethod
        kept = value.__func__ if bound else value
        if _is_function(kept):
            changed |= _in_function(kept, other)
        elif issubclass(type(kept), type) and kept.__qualname__ == f"{owner.__qualname__}.{name}":
            changed |= _in_class(kept, other)
        elif (new := other(kept)) is not kept:
            # Not by the class's own way to set an attribute, which may have another meaning.
            type.__setattr__(owner, name, kind(new) if bound else new)
            changed = True
    return changed


def _in_function(function: Any, other: Other) -> bool:
    changed = False
    decorated = vars(function).get("__wrapped__")
    if _is_function(decorated):
        changed = _in_function(decorated, other)
    if type(function) is not FunctionType:
        return changed
    if function.__defaults__:
        defaults = tuple(map(other, function.__defaults__))
        if any(new is not old for new, old in zip(defaults, function.__defaults__, strict=True)):
            function.__defaults__ = defaults
            changed = True
    changed |= _in_mapping(function.__kwdefaults__ or {}, other)
    for cell in function.__closure__ or ():
        try:
            kept = cell.cell_contents
        except ValueError:  # what it is to hold has not been made yet
            continue
        if (new := other(kept)) is not kept:
            cell.cell_contents = new
            changed = True
    return changed


def _in_mapping(mapping: MutableMapping[str, Any], other: Other) -> bool:
    changed = False
    for name, kept in mapping.items():
        if (new := other(kept)) is not kept:
            mapping[name] = new
            changed = True
    return changed
