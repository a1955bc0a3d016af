"""What a test lets go wrong: faults that requests meet, and answers that keep them waiting."""

from __future__ import annotations

from ..core.holds import Hold
from ..core.injection import Injection
from ..core.state import GatewayState
from ..core.token_endpoint import V3
from ..faults import Fault

__tracebackhide__ = True  # in the traceback of a test


class Trouble:
    """The bad days of an endpoint."""

    _state: GatewayState

    def inject(self, fault: Fault, *, times: int | None = 1) -> Injection:
        """The next ``times`` token requests meet ``fault`` (``None``: all of them).

        Returns a handle with ``hits`` and ``cancel()``. A fault that was injected with a number
        and is met less often fails the test at its end. Raises ``TypeError`` for something that
        is no fault, ``ValueError`` for ``times`` below 1 and for a fault that takes away a key
        which the answer does not have.
        """
        with self._state.lock:
            return self._state.faults.add(fault, times, V3.documented_keys)

    def inject_api(self, fault: Fault, *, times: int | None = 1) -> Injection:
        """The next ``times`` API requests with a good token meet ``fault`` (``None``: all).

        Whoever would have answered: ``protect``, a stub of ``responses`` or ``respx``, a stub of a
        tool that the test has started. A fault of the route itself comes first. Otherwise as
        :meth:`inject`.
        """
        with self._state.lock:
            return self._state.api_faults.add(fault, times, None)

    def hold(self) -> Hold:
        """Keep token requests waiting at the endpoint, until its end or ``release()``."""
        return Hold(self._state.holds)
