"""A live call that gets no answer: one clear sentence for each way to fail."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import trustme
from stand_in import CLIENT_ID, CLIENT_SECRET, StandIn

from pytest_optum_auth.core.clients import Credentials
from pytest_optum_auth.live.sandbox import http as wire
from pytest_optum_auth.live.sandbox.http import LiveError
from pytest_optum_auth.live.sandbox.token_request import request_token

CREDENTIALS = Credentials(CLIENT_ID, CLIENT_SECRET)


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server on loopback that treats its one connection as ``serve`` says; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                serve(connection)
                # Closed with something unread, the connection would be reset.
                connection.shutdown(socket.SHUT_WR)
                # Python 3.10 keeps its end open for as long as the exception is alive.
                connection.settimeout(0.5)
                while connection.recv(1000):
                    pass

        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield str(server.getsockname()[1])
        thread.join()


def test_an_unknown_name_is_told(no_credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(LiveError) as raised:
        request_token("https://sandbox.invalid/token", CREDENTIALS)

    assert str(raised.value) == (
        "The name sandbox.invalid cannot be resolved (DNS): check the network or VPN, HTTPS_PROXY, "
        "and the host in OPTUM_TOKEN_URL."
    )
    assert raised.value.__context__ is None


def test_an_untrusted_certificate_is_told(
    stand_in: StandIn,
    live_credentials: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))

    with pytest.raises(LiveError) as raised:
        request_token(stand_in.token_url, CREDENTIALS)

    assert str(raised.value).startswith("The certificate of localhost is not trusted (")
    assert str(raised.value).endswith(
        "): if a company proxy signs it, point SSL_CERT_FILE to the proxy's CA."
    )


def test_a_port_without_tls_is_told(no_credentials: None) -> None:
    with (
        listening(
            lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        ) as port,
        pytest.raises(LiveError) as raised,
    ):
        request_token(f"https://localhost:{port}/token", CREDENTIALS)

    assert str(raised.value).startswith("No TLS connection to localhost (")
    assert str(raised.value).endswith(
        "): check that the port in OPTUM_TOKEN_URL speaks HTTPS and that no proxy breaks TLS."
    )


def test_a_refused_connection_is_told(no_credentials: None) -> None:
    with pytest.raises(LiveError) as raised:
        request_token("https://localhost:1/token", CREDENTIALS)

    assert str(raised.value) == (
        "localhost refused the connection: check host and port in OPTUM_TOKEN_URL, and HTTPS_PROXY."
    )


def test_silence_is_told(no_credentials: None) -> None:
    with (
        listening(lambda connection: time.sleep(0.4)) as port,
        pytest.raises(LiveError) as raised,
    ):
        wire.send("GET", f"http://localhost:{port}/", headers={}, body=None, timeout=0.1)

    assert str(raised.value) == (
        "No answer from localhost within 0.1 seconds: check HTTPS_PROXY and the firewall, or try "
        "again later."
    )


def test_a_connection_that_is_cut_is_told(no_credentials: None) -> None:
    with (
        listening(lambda connection: connection.recv(100)) as port,
        pytest.raises(LiveError) as raised,
    ):
        wire.send("GET", f"http://localhost:{port}/", headers={}, body=None)

    assert str(raised.value).startswith("localhost closed the connection without an HTTP answer (")
    assert str(raised.value).endswith(
        "): check OPTUM_TOKEN_URL and HTTPS_PROXY, or try again later."
    )


def test_a_proxy_that_refuses_is_told(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    with listening(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(LiveError) as raised:
            request_token("https://sandbox-apigw.optum.com/token", CREDENTIALS)

    assert str(raised.value) == (
        "No connection to sandbox-apigw.optum.com (OSError: Tunnel connection failed: 407 Proxy "
        "Authentication Required): check the network, HTTPS_PROXY and OPTUM_TOKEN_URL."
    )


def test_loopback_is_called_past_a_proxy(
    stand_in: StandIn, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    assert request_token(stand_in.token_url, CREDENTIALS).value == stand_in.tokens[0]


def test_a_redirect_is_not_followed(no_credentials: None) -> None:
    def redirect(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 307 There\r\nLocation: http://localhost:1/\r\n\r\n")

    with listening(redirect) as port:
        got = wire.send("POST", f"http://localhost:{port}/", headers={}, body=b"secret=1")

    assert got.status == 307
