"""Replacing a method of a library's class, and staying on top of others who do the same.

Mocks and tracers replace the same methods as we do, before us or after us, and put back what they
found. Whoever replaces last is asked first. So when somebody has covered our layer, a new one is
laid over his: requests to a gateway host come to us, everything else goes down through the layers
in their order.

Only requests notice a layer. To whoever looks at it, the class shows what lies beneath, with its
marks, its records and its kind, so that others recognize their own and take it off.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable
from types import FunctionType, MethodType, ModuleType
from typing import Any, ClassVar, Final

from .originals import genuine

__tracebackhide__ = True  # in the traceback of a test

Method = Callable[..., Any]
_lock: Final = threading.RLock()
_own: Final = object.__getattribute__
# Stands for a method that the class has from its bases.
_INHERITED: Final = object()
_NOTHING: Final = object()


class _LookAlike:
    """Looks like ``shown`` in everything but its identity; who calls it calls ``called``."""

    __slots__ = ("__weakref__", "called", "shown")
    called: Method
    shown: Any
    # The attributes that are its own, not those of ``shown``.
    kept: ClassVar = frozenset({"__reduce_ex__"})

    def __init__(self, shown: Any, called: Method) -> None:
        object.__setattr__(self, "shown", shown)
        object.__setattr__(self, "called", called)

    def __getattribute__(self, name: str) -> Any:
        if name in type(self).kept:
            return _own(self, name)
        return getattr(_own(self, "shown"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_own(self, "shown"), name, value)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return _own(self, "called")(*args, **kwargs)

    def __reduce_ex__(self, protocol: object) -> str:
        # By its name, as a function is pickled.
        name: str = self.__qualname__
        return name


class _Layer(_LookAlike):
    """What stands in the class (or the module) over ``beneath``."""

    __slots__ = ("beneath", "interception")
    # A proxy may bind it by name.
    kept = _LookAlike.kept | {"__get__"}

    def __init__(
        self, shown: Any, called: Method, interception: Interception, beneath: Any
    ) -> None:
        super().__init__(shown, called)
        object.__setattr__(self, "interception", interception)
        object.__setattr__(self, "beneath", beneath)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return _own(self, "interception").seen(self, instance, owner)


class Interception:
    """One method of one class, or one function of a module.

    ``around(beneath)`` makes the wrapper; ``beneath`` is what it covers, called with the instance
    first. ``comes_back``: the genuine method uses another one that is intercepted. Then the class
    shows the genuine one itself, which compares and pickles as ever; otherwise one that looks like
    it, so that ``Owner.method(instance)`` comes to us too.
    """

    def __init__(
        self,
        owner: type | ModuleType,
        name: str,
        around: Callable[[Method], Method],
        *,
        comes_back: bool = False,
    ) -> None:
        self._owner = owner
        self._there: Final = vars(owner)
        self._name = name
        self._around = around
        self._comes_back = comes_back
        there = self._current()
        other = _own(there, "interception") if type(there) is _Layer else None
        # Of another of ours, which stands there already, it need not be looked for.
        self.genuine: Final[Any] = genuine(owner, name) if other is None else other.genuine
        # The layer that was laid last, and over what: as a rule it covers the same the next time.
        self._last: _Layer | None = None
        self._covered: Any = _NOTHING
        self._active = False

    @property
    def beneath(self) -> Any:
        """What the owner would have without us, as it stands there; an inherited one as well."""
        return self._resolved(self._below(self._current()))

    @property
    def is_genuine(self) -> bool:
        """Whether nobody else has replaced the method."""
        return self.beneath is self.genuine

    def install(self) -> None:
        """Answer from now on."""
        self._active = True
        # Of several who install it all but the first find it there, as a rule.
        if self._there.get(self._name, _INHERITED) is not self._last:
            self.rise()

    def rise(self) -> None:
        """Lie on top again, if somebody has covered us or taken us off."""
        current = self._there.get(self._name, _INHERITED)
        if current is self._last:
            return
        if current is self._covered and self._active:
            # As the last time. Should another thread remove us just now, `seen` makes up for it.
            setattr(self._owner, self._name, self._last)
            return
        with _lock:
            current = self._current()
            if self._active and not self._is_ours(current):
                self._last, self._covered = self._layer(current), current
                setattr(self._owner, self._name, self._last)

    def remove(self) -> None:
        """Answer no more. Take our layers off, as far down as nobody else's lies between them."""
        self._active = False
        current = self._there.get(self._name, _INHERITED)
        # Without the lock: should another thread rise just now, `seen` makes up for it.
        below = self._covered if current is self._last else self._below(current)
        if below is current:
            return
        if below is _INHERITED:
            # Another thread may be first.
            with contextlib.suppress(AttributeError):
                delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, below)

    def seen(self, layer: _Layer, instance: Any, owner: type | None) -> Any:
        """What ``instance.name`` is, or ``owner.name`` where there is no instance."""
        shown = _own(layer, "shown")
        if not self._active:
            # Somebody who had covered us has stopped after our end, and put us back.
            self.remove()
            return _bound(shown, instance, owner)
        if type(shown) is FunctionType:
            if instance is not None:
                return MethodType(layer, instance)
            return shown if self._comes_back and shown is self.genuine else layer
        bound = _bound(shown, instance, owner)
        if instance is None:
            # As it is: a tracer looks whether it is of its own type.
            return bound
        return _LookAlike(bound, functools.partial(_own(layer, "called"), instance))

    def _current(self) -> Any:
        return self._there.get(self._name, _INHERITED)

    def _is_ours(self, current: Any) -> bool:
        # Never by `==`: proxies of tracers equal what they wrap.
        return type(current) is _Layer and _own(current, "interception") is self

    def _below(self, current: Any) -> Any:
        while self._is_ours(current):
            current = _own(current, "beneath")
        return current

    def _resolved(self, current: Any) -> Any:
        if current is not _INHERITED:
            return current
        bases = self._owner.__mro__[1:]
        return next(vars(base)[self._name] for base in bases if self._name in vars(base))

    def _layer(self, current: Any) -> _Layer:
        shown = self._resolved(current)
        beneath = self._from_instance(shown)
        wrapper = self._around(beneath)

        def called(*args: Any, **kwargs: Any) -> Any:
            if self._active:
                return wrapper(*args, **kwargs)
            # Called by somebody who has kept us as the method.
            return beneath(*args, **kwargs)

        return _Layer(shown, called, self, current)

    def _from_instance(self, raw: Any) -> Method:
        """``raw`` as a function that is called with the instance first."""
        if type(raw) is FunctionType or isinstance(self._owner, ModuleType):
            beneath: Method = raw
            return beneath

        def bound_first(instance: Any, /, *args: Any, **kwargs: Any) -> Any:
            return _bound(raw, instance, type(instance))(*args, **kwargs)

        # With its marks: `around` looks at them to tell whose it is.
        return _LookAlike(raw, bound_first)


class Lookout(Interception):
    """Calls ``before()`` whenever an object is asked for the method, and leaves it as it is.

    Without a frame of ours: a warning that the method gives is attributed to who calls it.
    """

    def __init__(self, owner: type, name: str, before: Callable[[], None]) -> None:
        super().__init__(owner, name, lambda beneath: beneath)
        self._before = before

    def seen(self, layer: _Layer, instance: Any, owner: type | None) -> Any:
        if not self._active:
            return super().seen(layer, instance, owner)
        if instance is not None:
            self._before()
        return _bound(_own(layer, "shown"), instance, owner)


class OverOthers(Interception):
    """An interception that stands only while somebody else has replaced the method."""

    def rise(self) -> None:
        if self._there.get(self._name) is not self.genuine:
            super().rise()


def _bound(raw: Any, instance: Any, owner: type | None) -> Any:
    """What Python makes of an attribute of a class that stands there as ``raw``."""
    get = getattr(type(raw), "__get__", None)
    return raw if get is None else get(raw, instance, owner)
