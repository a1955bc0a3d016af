"""Real sockets on loopback that fail a client: what the fake's network faults are measured by."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """A port that nobody listens at: bound, so that nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield _url(bound)


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield _url(listener)


@contextlib.contextmanager
def cutting() -> Iterator[str]:
    """A server that reads the request and closes the connection instead of answering."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        yield _url(listener)
        thread.join()


FAILING = {"connect": refusing, "timeout": silent, "disconnect": cutting}


def _url(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}/token"
