"""``optum_server``: the same fake, over real HTTPS on loopback."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import httpx
import inner_runs
import pytest
import requests
from token_requests import fields

from pytest_optum_auth import Clock, FakeOptum, faults
from pytest_optum_auth.server.served import Server

PATH = "/oihub/claim/inquiry/v1"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@contextlib.contextmanager
def connected(server: Server) -> Iterator[http.client.HTTPSConnection]:
    connection = http.client.HTTPSConnection(
        urlsplit(server.base_url).netloc, context=server.ssl_context, timeout=5
    )
    with contextlib.closing(connection):
        yield connection


def ask(connection: http.client.HTTPSConnection, optum_auth: FakeOptum) -> int:
    path = urlsplit(optum_auth.token_url).path
    connection.request("POST", path, urlencode(fields(optum_auth)), FORM)
    answer = connection.getresponse()
    answer.read()
    return answer.status


# What it is.


def test_it_serves_the_fake_of_the_test(optum_server: Server, optum_auth: FakeOptum) -> None:
    answer = requests.post(
        optum_server.token_url, data=fields(optum_auth), verify=optum_server.ca_bundle
    )

    [exchange] = optum_auth.exchanges
    assert exchange.token is not None
    assert answer.json()["access_token"] == exchange.token.value
    assert (exchange.transport, exchange.url) == ("https", optum_server.token_url)
    assert optum_server.credentials == optum_auth.credentials
    assert repr(optum_server) == f"<Server {optum_server.base_url}>"


def test_its_urls_are_those_of_the_fake_on_loopback(optum_server: Server) -> None:
    base = urlsplit(optum_server.base_url)

    assert (base.scheme, base.hostname, base.path) == ("https", "127.0.0.1", "")
    assert optum_server.token_url == f"{optum_server.base_url}/apip/auth/sntl/v1/token"


def test_the_credentials_follow_a_rotation(optum_server: Server, optum_auth: FakeOptum) -> None:
    before = optum_server.credentials

    assert optum_auth.rotate_secret() == optum_server.credentials != before


def test_protected_apis_are_served(optum_server: Server, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, json={"plan": "gold"})
    url = f"{optum_server.base_url}{PATH}?a=b"

    with httpx.Client(verify=optum_server.ssl_context, trust_env=False) as client:
        refused = client.get(url)
        headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
        accepted = client.get(url, headers=headers)

    assert (refused.status_code, accepted.status_code) == (401, 200)
    assert accepted.json() == {"plan": "gold"}
    assert optum_auth.api_requests[1].url == url


def test_a_path_that_nobody_protects_is_a_404_that_says_so(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    answer = requests.get(f"{optum_server.base_url}{PATH}", verify=optum_server.ca_bundle)

    assert answer.status_code == 404
    assert (
        f'no protect() covers it; add optum_auth.protect("GET", "{PATH}")'
        in (answer.json()["message"])
    )
    assert optum_auth.api_requests[0].status == 404
    assert "no protect() covers it" in optum_auth.problems()


def test_it_and_the_transports_share_one_fake(optum_server: Server, optum_auth: FakeOptum) -> None:
    form = fields(optum_auth)
    requests.post(optum_server.token_url, data=form, verify=optum_server.ca_bundle)
    requests.post(optum_auth.token_url, data=form)

    assert [exchange.transport for exchange in optum_auth.exchanges] == ["https", "requests"]
    assert [token.number for token in optum_auth.tokens] == [1, 2]


@pytest.mark.optum_auth(expires_in=60)
@pytest.mark.optum_clock("2031-05-01T00:00:00Z")
def test_it_serves_under_a_clock_that_stands_still(
    optum_clock: Clock, optum_server: Server, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", PATH)
    optum_auth.inject(faults.slow(0.02))
    headers = {"Authorization": ""}

    with requests.Session() as session:
        session.trust_env, session.verify = False, optum_server.ca_bundle
        token = session.post(optum_server.token_url, data=fields(optum_auth)).json()
        headers["Authorization"] = f"Bearer {token['access_token']}"
        statuses = []
        for _ in range(2):
            got = session.get(f"{optum_server.base_url}{PATH}", headers=headers)
            statuses.append(got.status_code)
            optum_clock.tick(60)

    assert token["expires_in"] == 60
    assert statuses == [200, 401]


# TLS.


@pytest.mark.parametrize(
    "name", ["localhost", "127.0.0.1", "sandbox-apigw.optum.com", "apigw.optum.com"]
)
def test_its_certificate_is_good_for(name: str, optum_server: Server) -> None:
    assert handshake(optum_server, optum_server.ssl_context, name) in ("TLSv1.2", "TLSv1.3")


def test_but_for_no_other_name(optum_server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(optum_server, optum_server.ssl_context, "other.example.com")


def handshake(server: Server, context: ssl.SSLContext, name: str) -> str | None:
    address = urlsplit(server.base_url)
    with (
        socket.create_connection((address.hostname or "", address.port or 0)) as raw,
        context.wrap_socket(raw, server_hostname=name) as connection,
    ):
        return connection.version()


def test_a_client_that_does_not_trust_the_ca_is_in_the_timeline(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(optum_server, ssl.create_default_context(), "localhost")
    with connected(optum_server) as connection:
        # Its own conversation comes after the end of the other one.
        assert ask(connection, optum_auth) == 200

    assert "-- TLS handshake failed: " in optum_auth.timeline()
    assert "(does the client trust the CA?)" in optum_auth.timeline()


def test_plain_http_gets_no_answer(optum_server: Server, optum_auth: FakeOptum) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(optum_server.base_url.replace("https", "http"))

    assert len(optum_auth.exchanges) == 0


def test_a_client_that_only_connects_is_no_trouble(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    address = urlsplit(optum_server.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0)):
        pass
    with connected(optum_server) as connection:
        assert ask(connection, optum_auth) == 200

    assert "--" not in optum_auth.timeline()


# Connections.


def test_the_end_that_pypy_has_no_word_for_is_no_trouble(
    optum_server: Server, optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recv(*_: object) -> bytes:
        raise RuntimeError("cannot use string() on <cdata 'char *' NULL>")

    # Of the server: the client at hand reads into a buffer.
    monkeypatch.setattr(ssl.SSLSocket, "recv", recv)
    # How the client meets the end depends on how far it has come.
    ends = (ConnectionError, ssl.SSLEOFError)
    with connected(optum_server) as connection, pytest.raises(ends):
        ask(connection, optum_auth)

    assert optum_auth.problems() == ""


def test_a_connection_is_kept_alive(optum_server: Server, optum_auth: FakeOptum) -> None:
    with connected(optum_server) as connection:
        ask(connection, optum_auth)
        first = connection.sock
        for _ in range(3):
            assert ask(connection, optum_auth) == 200
            assert connection.sock is first


@pytest.mark.parametrize("how", ["Connection: close", "HTTP/1.0"])
def test_a_connection_is_closed_when_the_client_wants_that(
    how: str, optum_server: Server, optum_auth: FakeOptum
) -> None:
    line, header = ("HTTP/1.1", how) if ":" in how else (how, "X-A: b")
    request = f"GET {PATH} {line}\r\nHost: localhost\r\n{header}\r\n\r\n"

    answer = say(optum_server, request.encode())

    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    optum_auth.problems()


def say(server: Server, request: bytes) -> bytes:
    """What the server answers until it closes the connection."""
    address = urlsplit(server.base_url)
    pieces = []
    with (
        socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as raw,
        server.ssl_context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        connection.sendall(request)
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def test_what_is_no_request_is_refused_and_not_recorded(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    answer = say(optum_server, b"GET / HTTP/9.9\r\n\r\nand more")

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nThe request line is malformed.\n")
    assert len(optum_auth.exchanges) == 0


def test_a_client_may_ask_before_it_sends_a_body(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    body = urlencode(fields(optum_auth)).encode()
    head = (
        "POST /auth/sntl/v1/token HTTP/1.1\r\nHost: h\r\n"
        "Expect: 100-continue\r\nConnection: close\r\n"
        f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    address = urlsplit(optum_server.base_url)
    with (
        socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as raw,
        optum_server.ssl_context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        connection.sendall(head.encode())
        interim = connection.recv(65536)
        connection.sendall(body)
        final = connection.recv(65536)

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert final.startswith(b"HTTP/1.1 200 OK\r\n")


def test_twenty_requests_wait_at_a_hold_at_once(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    statuses: list[int] = []

    def go() -> None:
        with connected(optum_server) as connection:
            statuses.append(ask(connection, optum_auth))

    callers = [threading.Thread(target=go) for _ in range(20)]
    with optum_auth.hold() as hold:
        for caller in callers:
            caller.start()
        hold.wait_for(20)
    for caller in callers:
        caller.join()

    assert statuses == [200] * 20


# The environment.


def test_the_environment_leads_to_it(
    optum_server: Server, optum_env: dict[str, str], optum_auth: FakeOptum
) -> None:
    ca = optum_server.ca_bundle

    assert {name: os.environ[name] for name in optum_env} == dict(optum_env)
    assert dict(optum_env) == {
        "OPTUM_CLIENT_ID": optum_auth.credentials.client_id,
        "OPTUM_CLIENT_SECRET": optum_auth.credentials.client_secret,
        "OPTUM_TOKEN_URL": optum_server.token_url,
        "OPTUM_AUTH_URL": optum_server.token_url,
        "OPTUM_BASE_URL": optum_server.base_url,
        "SSL_CERT_FILE": ca,
        "REQUESTS_CA_BUNDLE": ca,
        "CURL_CA_BUNDLE": ca,
        "NODE_EXTRA_CA_CERTS": ca,
        "NO_PROXY": optum_env["NO_PROXY"],
        "no_proxy": optum_env["no_proxy"],
    }
    assert optum_env["NO_PROXY"].endswith("127.0.0.1,localhost")
    assert requests.post(os.environ["OPTUM_TOKEN_URL"], data=fields(optum_auth)).ok
    assert httpx.post(os.environ["OPTUM_TOKEN_URL"], data=fields(optum_auth)).status_code == 200


def test_what_shall_not_be_proxied_stays_so(
    monkeypatch: pytest.MonkeyPatch, optum_server: Server
) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example.com")
    monkeypatch.delenv("no_proxy", raising=False)

    environment = optum_server.environment()

    assert environment["NO_PROXY"] == "intranet.example.com,127.0.0.1,localhost"
    assert environment["no_proxy"] == "127.0.0.1,localhost"


def test_a_proxy_is_passed_by(
    monkeypatch: pytest.MonkeyPatch,
    optum_server: Server,
    optum_env: dict[str, str],
    optum_auth: FakeOptum,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    assert requests.post(optum_env["OPTUM_TOKEN_URL"], data=fields(optum_auth)).ok


# Without the extra.


def test_without_the_extra_one_sentence_names_it(
    run: inner_runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)

    result = run("def test_it(optum_server): pass")

    result.assert_outcomes(errors=1)
    assert inner_runs.part(result, "ERROR at setup of test_it") == [
        "the HTTPS server needs the extra 'server': pip install 'pytest-optum-auth[server]'"
    ]


def test_certificates_that_are_made_under_a_frozen_clock_spoil_none_of_others(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        import trustme

        def test_first(request, optum_clock):
            request.getfixturevalue("optum_server")

        def test_second():
            trustme.CA()
        """
    )

    result = pytester.runpytest_subprocess(*inner_runs.OPTIONS)

    result.assert_outcomes(passed=2)
