"""Modules that are imported first under a clock: afterwards they are as those imported before it.

While a module loads, its thread sees the genuine functions and classes, which it may keep in a
class attribute, a default argument or in C. Then it is frozen like every other module. Other
threads see the frozen time all along.
"""

from __future__ import annotations

import contextlib
import datetime
import sys
import threading
import time
import zipimport
from collections.abc import Callable, Iterator, Mapping
from importlib import machinery
from types import ModuleType
from typing import Any, Final

Method = Callable[..., Any]
_LOADERS: Final = (
    machinery.SourceFileLoader,
    machinery.SourcelessFileLoader,
    machinery.ExtensionFileLoader,
    zipimport.zipimporter,
)
# Whom a loading thread asks for them.
_CLOCK_MODULES: Final[tuple[ModuleType, ...]] = (datetime, time)
# By thread: what it loads now, one within another.
_loading: Final[dict[int, list[ModuleType]]] = {}
_lock: Final = threading.Lock()
# By the id of a stand-in.
_genuine: Final[dict[int, object]] = {}


class _TwoFaced(ModuleType):
    """A module that shows the genuine objects to a thread that loads another module."""

    def __getattribute__(self, name: str) -> Any:
        # Not super(): another thread may end its import meanwhile, and this is a plain module then.
        value = ModuleType.__getattribute__(self, name)
        return _genuine.get(id(value), value) if threading.get_ident() in _loading else value


class LateImports:
    """Watches the loaders; ``loaded`` is called with each module at the end of it."""

    def __init__(self, genuine: Mapping[int, object], loaded: Callable[[ModuleType], None]) -> None:
        self._genuine = genuine
        self._loaded = loaded
        self._replaced: list[tuple[type, str, Any, Any]] = []

    def install(self) -> None:
        """Watch from now on."""
        _genuine.update(self._genuine)
        # pytest's loader, above all, which rewrites assertions, is a finder too.
        finders = {type(each) for each in sys.meta_path if not isinstance(each, type)}
        for loader in {*_LOADERS, *finders}:
            if hasattr(loader, "exec_module"):
                self._replace(loader, "exec_module", self._around_exec_module)
        self._replace(machinery.ExtensionFileLoader, "create_module", self._around_create_module)

    def remove(self) -> None:
        """Undo :meth:`install`, but for what somebody else has replaced since."""
        while self._replaced:
            loader, name, own, wrapper = self._replaced.pop()
            if vars(loader).get(name) is not wrapper:
                continue
            if own is None:
                delattr(loader, name)
            else:
                setattr(loader, name, own)

    def _replace(self, loader: type, name: str, around: Callable[[Method], Method]) -> None:
        wrapper = around(getattr(loader, name))
        self._replaced.append((loader, name, vars(loader).get(name), wrapper))
        setattr(loader, name, wrapper)

    @contextlib.contextmanager
    def _load(self, *modules: ModuleType) -> Iterator[None]:
        """This thread sees the genuine objects, until the outermost of its modules is loaded."""
        thread = threading.get_ident()
        outermost = thread not in _loading
        with _lock:
            _loading.setdefault(thread, []).extend(modules)
            for module in _CLOCK_MODULES:
                module.__class__ = _TwoFaced
        try:
            yield
        finally:
            if outermost:
                for module in _loading[thread]:
                    self._loaded(module)
                with _lock:
                    del _loading[thread]
                    if not _loading:
                        for module in _CLOCK_MODULES:
                            module.__class__ = ModuleType

    def _around_exec_module(self, beneath: Method) -> Method:
        def exec_module(loader: Any, module: ModuleType) -> Any:
            with self._load(module):
                return beneath(loader, module)

        return exec_module

    def _around_create_module(self, beneath: Method) -> Method:
        def create_module(loader: Any, spec: Any) -> Any:
            with self._load():
                return beneath(loader, spec)

        return create_module
