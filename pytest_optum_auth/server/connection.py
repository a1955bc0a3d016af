"""One connection of the HTTPS server: from the handshake to the end, faults included."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import traceback
from typing import Final

from ..core.asking import Ask
from ..core.facts import TOKEN_PATH
from ..core.gateway import Gateway
from ..core.http11 import (
    CONTINUE,
    CUT,
    Incoming,
    MalformedRequest,
    RequestParser,
    ends_connection,
    render,
)
from ..core.messages import Headers, NetworkFault, Request, Response
from ..core.waits import Wait
from ..transports.drive import drive
from .socket_wait import Forever, SocketWait

_TRANSPORT: Final = "https"
_CHUNK: Final = 64 * 1024
# How long the rest of a malformed request is read, so that its sender sees the answer (seconds).
_LINGER: Final = 1.0
_FAILED: Final = Response(
    500,
    (("Content-Type", "text/plain; charset=utf-8"),),
    b"An exception was raised while the answer was made: the test's report tells it.\n",
)


class Connection:
    """A client that has connected to ``gateway``; :meth:`run` is the whole conversation."""

    def __init__(
        self, raw: socket.socket, context: ssl.SSLContext, origin: str, gateway: Gateway
    ) -> None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        self._origin = origin
        self._gateway = gateway
        self._parser = RequestParser(_TRANSPORT, origin, host_names_origin=True)
        self._waits = SocketWait()
        self._client_gone = False

    def run(self) -> None:
        """Talk until one of the two sides has had enough."""
        try:
            if not self._has_come():
                return
            if self._is_refused():
                reset(self._socket)
            elif self._shake_hands():
                self._converse()
        except OSError:
            pass  # The client went away.
        except BaseException:
            self._gateway.state.unexpected(f"the HTTPS server failed\n{traceback.format_exc()}")
        finally:
            self._socket.close()

    def abort(self) -> None:
        """End it from another thread."""
        self._waits.end()
        with contextlib.suppress(OSError):
            # Not the method of the TLS socket, which would continue in clear text.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _has_come(self) -> bool:
        """Whether the client has begun to speak. Before that some are not ready for a reset."""
        return bool(socket.socket.recv(self._socket, 1, socket.MSG_PEEK))

    def _is_refused(self) -> bool:
        """Whether a fault of the token endpoint wants no connection, and has been met here."""
        with self._gateway.state.lock:
            if not self._refusal_is_next():
                return False
            # Before TLS nobody knows what the client wants: it stands for a token request.
            request = Request(_TRANSPORT, "POST", f"{self._origin}{TOKEN_PATH}", Headers(), b"")
            steps = self._gateway.respond(request)
            try:
                wait = next(steps)
            except NetworkFault:
                return True
        assert not isinstance(wait, Ask), "a token request asks nobody"
        self._waits.outlast(wait, self._socket, None)
        with contextlib.suppress(NetworkFault, StopIteration):
            next(steps)
        return True

    def _refusal_is_next(self) -> bool:
        if not all(hold.released for hold in self._gateway.state.holds):
            return False
        first = next((i for i in self._gateway.state.faults.injections if i.live), None)
        return first is not None and first.fault.network == "connect"

    def _shake_hands(self) -> bool:
        try:
            self._socket.do_handshake()
        except ssl.SSLError as error:
            if not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
                reason = (error.reason or "no reason").lower().replace("_", " ")
                self._gateway.state.note(
                    f"TLS handshake failed: {reason} (does the client trust the CA?)"
                )
            return False
        return True

    def _converse(self) -> None:
        try:
            while (incoming := self._receive()) is not None:
                if not self._answer(incoming):
                    return
        except MalformedRequest as malformed:
            self._socket.sendall(
                render(malformed.answer.to("GET", self._gateway.state.server_now()), close=True)
            )
            self._drain()

    def _receive(self) -> Incoming | None:
        """The next request, or ``None`` at the end of the connection."""
        while (incoming := self._parser.next_request()) is None:
            if self._parser.wants_continue():
                self._socket.sendall(CONTINUE)
            data = self._read()
            if not data:
                return None
            self._parser.feed(data)
        return incoming

    def _read(self) -> bytes:
        try:
            return self._socket.recv(_CHUNK)
        except RuntimeError:
            # Of PyPy, which has no word for the end of a client that did not say goodbye.
            return b""

    def _answer(self, incoming: Incoming) -> bool:
        """Answer a request; whether the connection can bring another one."""
        request = incoming.request
        try:
            answer = drive(self._gateway.respond(request, arrived=True), None, self._outlast)
        except NetworkFault as fault:
            self._act_out(fault)
            return False
        except BaseException:
            # Of the test's own callable or stub, pytest.fail() too. The gateway has recorded it.
            answer = _FAILED.to(request.method, self._gateway.state.server_now())
        last = not incoming.keeps_alive or ends_connection(answer, request.method)
        self._socket.sendall(render(answer, close=last))
        if last:
            self._say_goodbye()
        return not last

    def _outlast(self, wait: Wait, _: Wait) -> bool:
        """Wait, unless the client goes away; nobody knows its timeout."""
        stays = self._waits.outlast(wait, self._socket, self._is_open)
        self._client_gone = not stays
        return stays

    def _is_open(self) -> bool:
        """Whether the client is still there, now that something came."""
        self._socket.setblocking(False)
        try:
            data = self._read()
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        finally:
            self._socket.setblocking(True)
        self._parser.feed(data)
        return bool(data)

    def _act_out(self, fault: NetworkFault) -> None:
        if self._client_gone:
            return
        if fault.kind == "timeout":
            self._waits.outlast(Forever(), self._socket, self._is_open)
            return
        if fault.kind == "disconnect":
            # Within the status line: HTTP libraries take a cut after it for the end of the answer.
            self._socket.sendall(CUT)
        # A connection that exists cannot be refused any more, only closed.
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        """Tell the client that the connection ends on purpose, without waiting for its reply."""
        self._socket.setblocking(False)
        with contextlib.suppress(OSError, ValueError):
            self._socket.unwrap()

    def _drain(self) -> None:
        self._say_goodbye()
        socket.socket.shutdown(self._socket, socket.SHUT_WR)
        self._socket.settimeout(_LINGER)
        while socket.socket.recv(self._socket, _CHUNK):
            pass


def reset(connection: socket.socket) -> None:
    """Close so that the other end sees a reset connection instead of an end."""
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()
