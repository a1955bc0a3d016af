"""Replacing a method of a library's class, and staying on top of others who do the same.

Mocks replace the same methods as we do, before us or after us, and put back what they found.
Whoever replaces last is asked first. So each wrapper of ours remembers what it covers, and when
another mock has covered ours, a new wrapper is laid over that one: requests to a gateway host come
to us, everything else goes down through the layers in their order.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

__tracebackhide__ = True  # in the traceback of a test

Method = Callable[..., Any]
_lock: Final = threading.Lock()


class Interception:
    """One method of one class, or one function of a module.

    ``around(beneath)`` makes the wrapper; ``beneath`` is the method that it covers.
    """

    def __init__(
        self, owner: type | ModuleType, name: str, around: Callable[[Method], Method]
    ) -> None:
        self._owner = owner
        self._name = name
        self._around = around
        # What a class has of its bases: it is left without a method of its own, as it was.
        self._inherited = (
            getattr(super(owner, owner), name, None) if isinstance(owner, type) else None
        )
        # Also the wrappers that another mock has covered: it will put them back when it stops.
        self._beneath: dict[Method, Method] = {}
        # What was covered last and our layer over it: as a rule it is the same the next time.
        self._last: tuple[Method, Method] | None = None
        self._active = False

    def install(self) -> None:
        """Answer from now on."""
        self._active = True
        self.rise()

    def rise(self) -> None:
        """Lie on top again, if another mock has covered us."""
        if getattr(self._owner, self._name) in self._beneath:
            return
        with _lock:
            current = getattr(self._owner, self._name)
            if self._active and current not in self._beneath:
                if self._last is None or self._last[0] is not current:
                    self._last = (current, self._layer(current))
                layer = self._last[1]
                self._beneath[layer] = current
                setattr(self._owner, self._name, layer)

    def remove(self) -> None:
        """Answer no more. Take our wrappers off, as far down as nobody else's lies between them."""
        if not self._active and not self._beneath:
            return
        with _lock:
            self._active = False
            top = current = getattr(self._owner, self._name)
            while current in self._beneath:
                current = self._beneath.pop(current)
            if current is top:
                return
            if current is self._inherited:
                delattr(self._owner, self._name)
            else:
                setattr(self._owner, self._name, current)

    def _layer(self, beneath: Method) -> Method:
        wrapper = self._around(beneath)

        @functools.wraps(beneath)
        def layer(*args: Any, **kwargs: Any) -> Any:
            if self._active:
                return wrapper(*args, **kwargs)
            # A mock that covered us has stopped after our end, and has put us back.
            self.remove()
            return beneath(*args, **kwargs)

        return layer
