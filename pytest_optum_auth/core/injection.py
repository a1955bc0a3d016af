"""Faults in line: which request meets which one."""

from __future__ import annotations

from collections.abc import Iterable

from .fault import Fault
from .whole_numbers import is_whole

__tracebackhide__ = True  # in the traceback of a test


class Injection:
    """The handle of an injected fault: ``hits`` counts, ``cancel()`` takes it back.

    As a context manager it ends with the block; a fault that was to be met a number of times and
    was met less often still fails the test.
    """

    # Another attribute would change nothing, and the test not test what it says.
    __slots__ = ("cancelled", "claimed", "ended", "fault", "hits", "reported", "times", "where")

    def __init__(self, fault: Fault, times: int | None, where: str) -> None:
        self.fault = fault
        self.times = times
        self.hits = 0
        self.where = where
        # Requests that are on their way to meet it: with a wait, that is before they do.
        self.claimed = 0
        self.cancelled = False
        self.ended = False
        self.reported = False

    @property
    def live(self) -> bool:
        """Whether another request can meet it."""
        spent = self.times is not None and self.claimed >= self.times
        return not (self.cancelled or self.ended or spent)

    @property
    def unmet(self) -> bool:
        """Whether it was met less often than it was injected for, and nobody was told yet."""
        if self.times is None or self.cancelled or self.reported:
            return False
        return self.hits < self.times

    def cancel(self) -> None:
        """No further request meets it, and nobody expects that one does."""
        self.cancelled = True

    def __enter__(self) -> Injection:
        if self.cancelled or self.ended:
            raise RuntimeError(f"{self!r} has ended: inject the fault again")
        return self

    def __exit__(self, *_: object) -> None:
        self.ended = True

    def __repr__(self) -> str:
        times = "every time" if self.times is None else f"{self.times}x"
        state = ", cancelled" if self.cancelled else ""
        return f"<{self.fault!r} on {self.where}, {times}, met {self.hits}x{state}>"


class FaultQueue:
    """The faults of one place (the token endpoint, or one protected API), in their order."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.injections: list[Injection] = []

    def add(self, fault: Fault, times: int | None, keys: Iterable[str] | None) -> Injection:
        """Append a fault. ``keys`` are those of a success, where they are known.

        Raises ``TypeError`` for something that is no fault, ``ValueError`` for ``times`` below 1
        and for a fault that the answer cannot show.
        """
        if not isinstance(fault, Fault):
            if getattr(fault, "__module__", "") == "pytest_optum_auth.faults":
                name = f"faults.{fault.__name__}"
                raise TypeError(f"{name} makes a fault when it is called: write {name}(...)")
            raise TypeError(
                f"{fault!r} is not a fault: use one of pytest_optum_auth.faults, for example "
                "faults.server_error()"
            )
        if times is not None and not is_whole(times, 1):
            raise ValueError(
                f"times={times!r}: times must be a whole number of at least 1, or None for every "
                "request"
            )
        if keys is not None:
            fault.check_keys(keys)
        injection = Injection(fault, times, self.where)
        self.injections.append(injection)
        return injection

    def claim(self, would_succeed: bool) -> Injection | None:
        """The fault that the request at hand meets, which nobody else then does.

        A spoiled success that stands first waits for a request that would succeed, and what stands
        behind it waits too.
        """
        first = next((i for i in self.injections if i.live), None)
        if first is None or (first.fault.spoil is not None and not would_succeed):
            return None
        first.claimed += 1
        return first
