"""Libraries that are imported while a fake is active: known from their first moment on.

So that nobody pays for the import of a library that his tests do not use.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final


class _Watch(MetaPathFinder):
    """Asked first for every module that is imported; finds none, but sees the ones it waits for."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Callable[[], None]]] = {}
        self._asking = threading.local()

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname not in self.waiting or getattr(self._asking, "name", None) == fullname:
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
            # Waited for until here: who only looks for a module does not import it.
            for then in self.waiting.pop(name, ()):
                then()

        loader.exec_module = exec_module


_watch: Final = _Watch()


def watch(name: str, then: Callable[[], None]) -> None:
    """Call ``then`` as soon as module ``name`` has been imported."""
    waiting = _watch.waiting.setdefault(name, [])
    if then not in waiting:
        waiting.append(then)
    if _watch not in sys.meta_path:
        sys.meta_path.insert(0, _watch)


def unwatch(name: str, then: Callable[[], None]) -> None:
    """Undo :func:`watch`."""
    waiting = _watch.waiting.get(name, [])
    if then in waiting:
        waiting.remove(then)
        if not waiting:
            del _watch.waiting[name]
    if not _watch.waiting and _watch in sys.meta_path:
        sys.meta_path.remove(_watch)
