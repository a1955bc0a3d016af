"""Which method, or which class, is the library's own, also where somebody has replaced it."""

from __future__ import annotations

import gc
import inspect
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, Final

# On PyPy two of them are the type of all functions.
_IN_C: Final = {MethodDescriptorType, WrapperDescriptorType, BuiltinFunctionType} - {FunctionType}


def genuine(owner: type | ModuleType, name: str) -> Any:
    """The library's own method, also where somebody has replaced it already.

    Whoever has replaced it keeps it, to put it back: so it is among the objects that are alive.
    """
    found = inspect.getattr_static(owner, name)
    classes = owner.__mro__ if isinstance(owner, type) else ()
    # Where it may be at home, and its name there; the nearest class first.
    places = [(cls.__module__, f"{cls.__qualname__}.{name}") for cls in classes]
    places = places or [(owner.__name__, name)]
    homes: dict[str, set[str]] = {}
    for module, qualname in places:
        homes.setdefault(_package(module), set()).add(qualname)

    def names_at_home(candidate: Any) -> set[str]:
        # Of the functions alone: what else is alive may not bear to be looked at.
        if type(candidate) is not FunctionType:
            return set()
        # PyPy's own have none.
        its_globals = candidate.__globals__ or {}
        return homes.get(_package(its_globals.get("__name__")), set())

    if names_at_home(found) or any(type(found) is kind for kind in _IN_C):
        return found
    nearest = [qualname for _, qualname in places]
    # First by the name: a hundred thousand objects are alive.
    named = [x for x in gc.get_objects() if type(x) is FunctionType and x.__qualname__ in nearest]
    alive = [x for x in named if x.__qualname__ in names_at_home(x)]
    if not alive:
        return found
    return min(reversed(alive), key=lambda function: nearest.index(function.__qualname__))


def genuine_class(found: type[Any], package: str) -> type[Any]:
    """The class of ``package`` itself, also where somebody has put a derived one in its place."""
    return next((cls for cls in found.__mro__ if _package(cls.__module__) == package), found)


def _package(module: object) -> str:
    return str(module).partition(".")[0]
