"""Libraries that are imported while a fake is active: caught from their first moment on.

So that nobody pays for the import of a library that his tests do not use.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final


class _Watch(MetaPathFinder):
    """Asked first for every module that is imported; finds none, but sees the ones it waits for."""

    def __init__(self) -> None:
        self.waiting: dict[str, Callable[[], None]] = {}

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        then = self.waiting.pop(fullname, None)
        if then is None:
            return None
        # It is no longer waited for: this asks the others.
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            _after(spec.loader, then)
        return spec


def _after(loader: Any, then: Callable[[], None]) -> None:
    """Call ``then`` when ``loader`` has executed its module."""

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module
        loader.exec_module(module)
        then()

    loader.exec_module = exec_module


_watch: Final = _Watch()


def watch(name: str, then: Callable[[], None]) -> None:
    """Call ``then`` as soon as module ``name`` has been imported."""
    _watch.waiting[name] = then
    if _watch not in sys.meta_path:
        sys.meta_path.insert(0, _watch)


def unwatch(name: str) -> None:
    """Undo :func:`watch`."""
    _watch.waiting.pop(name, None)
    if not _watch.waiting and _watch in sys.meta_path:
        sys.meta_path.remove(_watch)
