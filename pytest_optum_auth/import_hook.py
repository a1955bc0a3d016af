"""Libraries that are imported while a fake is active: known from their first moment on.

So that nobody pays for the import of a library that his tests do not use.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Mapping
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

# Of each module what is called as soon as it has been imported.
Thens = Mapping[str, Callable[[], None]]


class _Watch(MetaPathFinder):
    """Asked first for every module that is imported; finds none, but sees the ones it waits for."""

    def __init__(self) -> None:
        self.waiting: list[Thens] = []
        self._asking = threading.local()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        asking = getattr(self._asking, "name", None)
        if asking == fullname or not any(fullname in thens for thens in self.waiting):
            return None
        self._asking.name = fullname
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._asking.name = None
        if spec is not None and spec.loader is not None:
            self._call_after(spec.loader, fullname)
        return spec

    def _call_after(self, loader: Any, name: str) -> None:
        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            loader.exec_module(module)
            # Found only now: who looks for a module, and no more, does not import it.
            for thens in [thens for thens in self.waiting if name in thens]:
                thens[name]()

        loader.exec_module = exec_module


_watch: Final = _Watch()


def watch(thens: Thens) -> None:
    """Until :func:`unwatch`, call ``thens[name]`` whenever the module ``name`` is imported."""
    if thens not in _watch.waiting:
        _watch.waiting.append(thens)
    if _watch not in sys.meta_path:
        sys.meta_path.insert(0, _watch)


def unwatch(thens: Thens) -> None:
    """Undo :func:`watch`."""
    if thens in _watch.waiting:
        _watch.waiting.remove(thens)
    if not _watch.waiting and _watch in sys.meta_path:
        sys.meta_path.remove(_watch)
