"""Waiting beside a socket: until something is over, or until the client has gone."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable

from ..core.waits import Wait


class SocketWait:
    """The waits of one connection; :meth:`end` ends them all, from any thread."""

    def __init__(self) -> None:
        self._wakers: set[socket.socket] = set()
        self._ended = False

    def end(self) -> None:
        """Whoever waits, now or later, is told that the client has gone."""
        self._ended = True
        for waker in list(self._wakers):
            _wake(waker)

    def outlast(
        self, wait: Wait, connection: socket.socket, is_open: Callable[[], bool] | None
    ) -> bool:
        """Wait; ``False`` when the client has gone first.

        ``is_open`` is asked whenever something came over ``connection``; ``None``: never look.
        """
        woken, waker = socket.socketpair()
        with woken, waker, selectors.DefaultSelector() as selector:
            selector.register(woken, selectors.EVENT_READ)
            if is_open is not None:
                selector.register(connection, selectors.EVENT_READ)
            self._wakers.add(waker)
            unsubscribe = wait.subscribe(lambda: _wake(waker))
            try:
                while not self._ended:
                    ready = {key.fileobj for key, _ in selector.select()}
                    if woken in ready:
                        return not self._ended
                    if is_open is not None and not is_open():
                        return False
                return False
            finally:
                unsubscribe()
                self._wakers.discard(waker)


class Forever:
    """A wait without an end."""

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


def _wake(waker: socket.socket) -> None:
    # It may have been closed while the end of a wait was on its way.
    with contextlib.suppress(OSError):
        waker.send(b"\0")
