"""The listening socket of the HTTPS server: it stays for a session, the fakes come and go."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Final

from ..core.gateway import Gateway
from .certificates import LOOPBACK
from .connection import Connection, reset

# How long a handler may take to notice that its test is over (seconds).
_PATIENCE: Final = 2.0


class Listener:
    """Listens on loopback at ``port`` (0: any that is free) and serves one gateway at a time.

    :meth:`close` closes the port and ends the thread. While nobody is served, connections are
    reset. Raises ``OSError`` when the port is taken.
    """

    def __init__(self, context: ssl.SSLContext, port: int = 0) -> None:
        self._context = context
        self._gateway: Gateway | None = None
        self._connections: dict[Connection, threading.Thread] = {}
        self._lock = threading.Lock()
        self._socket = socket.create_server((LOOPBACK, port), backlog=128)
        self._socket.setblocking(False)
        self._woken, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, name="optum-https", daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """Scheme, address and port, as a URL begins."""
        return f"https://{LOOPBACK}:{self._socket.getsockname()[1]}"

    @contextlib.contextmanager
    def serving(self, gateway: Gateway) -> Iterator[None]:
        """Serve ``gateway``; at the end no connection and no thread of it is left."""
        self._gateway = gateway
        try:
            yield
        finally:
            with self._lock:
                self._gateway = None
                still_open = dict(self._connections)
            # Who has connected and was not seen yet belongs to this fake, not to the next one.
            self._take_all()
            for connection in still_open:
                connection.abort()
            for thread in still_open.values():
                thread.join(_PATIENCE)
            if any(thread.is_alive() for thread in still_open.values()):
                gateway.state.unexpected(
                    "a handler of the HTTPS server still runs at the end of the test: does a "
                    "callable of protect(json=...) wait for something?"
                )

    def close(self) -> None:
        """Close the port. Harmless when repeated."""
        if self._thread.is_alive():
            self._waker.send(b"\0")
            self._thread.join()
        for end in (self._socket, self._woken, self._waker):
            end.close()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._woken not in {key.fileobj for key, _ in selector.select()}:
                self._take_all()

    def _take_all(self) -> None:
        """Accept whoever waits."""
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._socket.accept()
                self._take(raw)

    def _take(self, raw: socket.socket) -> None:
        raw.setblocking(True)
        with self._lock:
            if self._gateway is None:
                reset(raw)
                return
            try:
                connection = Connection(raw, self._context, self.origin, self._gateway)
            except OSError:
                # It has gone already.
                raw.close()
                return
            thread = threading.Thread(
                target=self._run, args=(connection,), name="optum-https-connection", daemon=True
            )
            self._connections[connection] = thread
            thread.start()

    def _run(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                del self._connections[connection]
