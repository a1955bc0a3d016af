"""A live call that gets no answer: one clear sentence for each way to fail."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
from stand_in import CLIENT_ID, CLIENT_SECRET, StandIn

from pytest_optum_auth.core.clients import Credentials
from pytest_optum_auth.live.sandbox import http as wire
from pytest_optum_auth.live.sandbox.explanation import Way, explain
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


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of this machine are known, no others."""
    genuine = socket.getaddrinfo

    def lookup(host: str, *args: Any, **kwargs: Any) -> Any:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return genuine(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def test_an_unknown_name_is_told(no_credentials: None, no_names: None) -> None:
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


CERTIFICATES: dict[str, tuple[dict[str, Any], str]] = {
    "another name": (
        {"identities": ["gateway.example.com"]},
        "The certificate that came from localhost is for another name: check the host in "
        "OPTUM_TOKEN_URL, and whether a proxy or a changed hosts file leads elsewhere.",
    ),
    "expired": (
        {"not_after": datetime(2020, 1, 1, tzinfo=timezone.utc)},
        "The certificate of localhost has expired: check the clock of this machine; if it is "
        "right, whoever runs the host or the proxy has to renew it.",
    ),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_does_not_fit_is_told(
    authority: trustme.CA, live_credentials: dict[str, str], case: str
) -> None:
    changed, sentence = CERTIFICATES[case]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names = changed.get("identities", ["localhost"])
    times = {name: value for name, value in changed.items() if name != "identities"}
    authority.issue_cert(*names, **times).configure_cert(context)

    def greet(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True).close()

    with listening(greet) as port, pytest.raises(LiveError) as raised:
        request_token(f"https://localhost:{port}/token", CREDENTIALS)

    assert str(raised.value) == sentence


def test_a_certificate_of_tomorrow_is_told() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate is not yet valid")
    error.verify_code = 9

    assert explain(Way("localhost", None), error, 1) == (
        "The certificate of localhost is not valid yet: check the clock of this machine; if it is "
        "right, whoever runs the host or the proxy has to renew it."
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read (FileNotFoundError)"), ("x", "holds no certificate that can be read")],
)
def test_a_file_of_certificates_that_is_none_is_told(
    stand_in: StandIn,
    live_credentials: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    content: str | None,
    problem: str,
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))

    with pytest.raises(LiveError) as raised:
        request_token(stand_in.token_url, CREDENTIALS)

    assert str(raised.value) == (
        f"SSL_CERT_FILE is {path}, which {problem}: point it to a PEM file with the CA to trust, "
        "or unset it."
    )


def test_certificates_of_the_system_alone_are_told_without_a_file(
    stand_in: StandIn, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(LiveError, match=r"^The certificate of localhost is not trusted "):
        request_token(stand_in.token_url, CREDENTIALS)


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


def test_an_answer_that_is_cut_is_none(no_credentials: None) -> None:
    def half(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")

    with listening(half) as port, pytest.raises(LiveError) as raised:
        wire.send("GET", f"http://localhost:{port}/", headers={}, body=None)

    assert "(IncompleteRead)" in str(raised.value)


SANDBOX = "https://sandbox-apigw.optum.com/token"
BY_PROXY = (
    "The proxy {}, by which sandbox-apigw.optum.com is called, {}: check HTTPS_PROXY, or list the "
    "host in NO_PROXY."
)


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (
            "407 Proxy Authentication Required",
            "put its user name and password into HTTPS_PROXY, http://name:password@host:port",
        ),
        (
            "403 Forbidden",
            "ask its operator to let sandbox-apigw.optum.com through, or list the host in NO_PROXY",
        ),
    ],
)
def test_a_proxy_that_refuses_is_told_without_its_password(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch, status: str, step: str
) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())

    with listening(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:word@127.0.0.1:{port}/")
        with pytest.raises(LiveError) as raised:
            request_token(SANDBOX, CREDENTIALS)

    assert str(raised.value) == (
        f"The proxy 127.0.0.1:{port} refused the way to sandbox-apigw.optum.com ({status[:3]}): "
        f"{step}."
    )


def test_a_proxy_that_is_silent_is_told(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(lambda connection: time.sleep(0.2)) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{port}")
        with pytest.raises(LiveError) as raised:
            wire.send("GET", SANDBOX, headers={}, body=None, timeout=0.1)

    said = "gave no answer within 0.1 seconds"
    assert str(raised.value) == BY_PROXY.format(f"127.0.0.1:{port}", said)


def test_a_proxy_that_hangs_up_is_told(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(lambda connection: connection.recv(1000)) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(LiveError) as raised:
            request_token(SANDBOX, CREDENTIALS)

    assert str(raised.value).startswith(
        BY_PROXY.format(f"127.0.0.1:{port}", "closed the connection without an answer")[:-64]
    )


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("127.0.0.1:1", "refused the connection"),
        ("proxy.invalid:8080", "has a name that cannot be resolved (DNS)"),
    ],
)
def test_a_proxy_that_is_not_there_is_told(
    no_credentials: None, no_names: None, monkeypatch: pytest.MonkeyPatch, proxy: str, said: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")

    with pytest.raises(LiveError) as raised:
        request_token(SANDBOX, CREDENTIALS)

    assert str(raised.value) == BY_PROXY.format(proxy, said)


def test_a_proxy_without_a_port_that_can_be_read_is_told(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:port")

    with pytest.raises(LiveError) as raised:
        request_token(SANDBOX, CREDENTIALS)

    assert str(raised.value) == (
        "HTTPS_PROXY is not an address that can be called: write it as http://host:port."
    )


def test_a_host_that_needs_no_proxy_is_told_without_it(
    no_credentials: None, no_names: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "sandbox.invalid")

    with pytest.raises(LiveError, match=r"^The name sandbox.invalid cannot be resolved \(DNS\)"):
        request_token("https://sandbox.invalid/token", CREDENTIALS)


def test_a_server_that_drips_ends_at_the_deadline(no_credentials: None) -> None:
    def drip(connection: socket.socket) -> None:
        for _ in range(8):
            connection.sendall(b"H")
            time.sleep(0.05)

    with listening(drip) as port, pytest.raises(LiveError) as raised:
        wire.send("GET", f"http://localhost:{port}/", headers={}, body=None, deadline=0.1)

    assert str(raised.value) == (
        "No whole answer from localhost within 0.1 seconds: check HTTPS_PROXY and the firewall, or "
        "try again later."
    )


def test_an_answer_without_end_is_told(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LARGEST", 1000)

    def pour(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001)

    with listening(pour) as port, pytest.raises(LiveError) as raised:
        wire.send("GET", f"http://localhost:{port}/", headers={}, body=None)

    assert str(raised.value) == (
        "localhost answered with more than 1,000 bytes: check that OPTUM_TOKEN_URL is the token "
        "endpoint."
    )


def test_what_stops_a_look_up_stops_the_call(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **kwargs: object) -> None:
        pytest.fail("stopped by the guard")

    monkeypatch.setattr(socket, "getaddrinfo", stop)

    with pytest.raises(pytest.fail.Exception, match=r"^stopped by the guard$"):
        request_token(SANDBOX, CREDENTIALS)


def test_loopback_is_called_past_a_proxy(
    stand_in: StandIn, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    assert request_token(stand_in.token_url, CREDENTIALS).value == stand_in.tokens[0]


def test_another_error_of_the_network_is_told(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*args: object, **kwargs: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)

    with pytest.raises(LiveError) as raised:
        request_token(SANDBOX, CREDENTIALS)

    assert str(raised.value) == (
        "No connection to sandbox-apigw.optum.com (OSError: [Errno 101] Network is unreachable): "
        "check the network, HTTPS_PROXY and OPTUM_TOKEN_URL."
    )


def test_a_redirect_is_not_followed(no_credentials: None) -> None:
    def redirect(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 307 There\r\nLocation: http://localhost:1/\r\n\r\n")

    with listening(redirect) as port:
        got = wire.send("POST", f"http://localhost:{port}/", headers={}, body=b"secret=1")

    assert got.status == 307
