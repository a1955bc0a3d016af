"""Real sockets on loopback: some fail a client as the fake's network faults do, one answers."""

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
                _read_request(connection)

        # A client that never comes is a failure, and no hang.
        listener.settimeout(5)
        thread = threading.Thread(target=serve)
        thread.start()
        yield _url(listener)
        thread.join()


@contextlib.contextmanager
def answering(content: bytes) -> Iterator[str]:
    """A server that answers one request with ``content``."""
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(content)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                _read_request(connection)
                connection.sendall(answer + content)

        # A client that never comes is a failure, and no hang.
        listener.settimeout(5)
        thread = threading.Thread(target=serve)
        thread.start()
        yield _url(listener)
        thread.join()


def _read_request(connection: socket.socket) -> None:
    """All of it: closing with something unread is a reset, which clients tell apart."""
    with connection.makefile("rb") as file:
        length = 0
        while (line := file.readline().strip().lower()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name == b"content-length" else length
        file.read(length)


FAILING = {"connect": refusing, "timeout": silent, "disconnect": cutting}


def _url(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}/token"
