"""curl as a subprocess: the documentation's command, and what must be refused."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import schemas

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.server.certificates import Certificates
from pytest_optum_auth.server.served import Server

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")

# OpenSSL itself refuses what is older than TLS 1.2, unless it is told not to.
OLD_TLS = ("--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")


def curl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """curl, with nothing from its configuration or from the environment's proxies."""
    command = [str(CURL), "--disable", "--noproxy", "*", "--silent", "--show-error", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def asked(server: Server, *arguments: str) -> tuple[int, dict[str, object]]:
    """Status and JSON of the answer."""
    status = ("--write-out", "\n%{http_code}")
    done = curl("--url", server.token_url, "--cacert", server.ca_bundle, *status, *arguments)
    assert done.returncode == 0, done.stderr
    content, _, code = done.stdout.rpartition("\n")
    return int(code), json.loads(content)


def as_documented(server: Server, secret: str | None = None) -> list[str]:
    """The page's command: its arguments, word for word."""
    client_id, client_secret = server.credentials
    return [
        "--request", "POST",
        "--header", "accept: application/json",
        "--header", "content-type: application/x-www-form-urlencoded",
        "--data", "grant_type=client_credentials",
        "--data", f"client_id={client_id}",
        "--data", f"client_secret={client_secret if secret is None else secret}",
    ]  # fmt: skip  # an option and its value a line, as on the page


@pytest.mark.optum_auth(client_id="Your-ClientId", client_secret="Your-ClientSecret")
def test_the_documented_command_gets_a_token(optum_server: Server, optum_auth: FakeOptum) -> None:
    status, content = asked(optum_server, *as_documented(optum_server))

    assert status == 200
    schemas.check(content, schemas.SUCCESS)
    assert optum_auth.token_requests[0].headers["user-agent"].startswith("curl/")


def test_a_secret_that_a_form_must_escape_wants_data_urlencode(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    client_id, client_secret = optum_server.credentials
    right = ["--data", "grant_type=client_credentials", "--data", f"client_id={client_id}"]

    escaped = asked(optum_server, *right, "--data-urlencode", f"client_secret={client_secret}")
    raw = asked(optum_server, *right, "--data", f"client_secret={client_secret}")

    assert (escaped[0], raw[0]) == (200, 401)


def test_a_json_body_is_refused(optum_server: Server) -> None:
    status, content = asked(
        optum_server, "--header", "content-type: application/json", "--data", "{}"
    )

    assert status == 415
    schemas.check(content, schemas.ERROR)


def test_basic_credentials_are_refused(optum_server: Server) -> None:
    user = ":".join(optum_server.credentials)

    status, content = asked(optum_server, "-u", user, "--data", "grant_type=client_credentials")

    assert status == 400
    assert "Authorization: Basic" in str(content["Errors"])


def test_a_wrong_secret_is_refused(optum_server: Server) -> None:
    status, content = asked(optum_server, *as_documented(optum_server, "wrong"))

    assert (status, content["failureReason"]) == (401, "InvalidClient")


def test_curl_finds_the_ca_in_the_environment(
    optum_server: Server, optum_env: dict[str, str]
) -> None:
    done = curl("--url", optum_env["OPTUM_TOKEN_URL"], "--data", "a=b")

    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "400")


def test_without_the_ca_curl_refuses(optum_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)

    done = curl("--url", optum_server.token_url)

    assert done.returncode == 60


# TLS.


@contextlib.contextmanager
def server_of_any_tls(certificates: Certificates) -> Iterator[str]:
    """A server with the same certificate that accepts TLS 1.1, for one connection."""
    context = certificates.server_context
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            raw, _ = listener.accept()
            with context.wrap_socket(raw, server_side=True) as connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


# The control speaks it, which the standard library warns of.
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_older_than_1_2_is_refused(
    optum_server: Server, optum_auth: FakeOptum, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path)
    with server_of_any_tls(certificates) as url:
        control = curl("--url", url, "--cacert", certificates.ca_bundle, *OLD_TLS)
    old = curl("--url", optum_server.token_url, "--cacert", optum_server.ca_bundle, *OLD_TLS)
    new = asked(optum_server, "--tls-max", "1.2", *as_documented(optum_server, "wrong"))

    assert (control.returncode, control.stdout) == (0, "ok"), control.stderr
    assert old.returncode == 35
    assert "alert protocol version" in old.stderr
    assert new[0] == 401
    assert [exchange.status for exchange in optum_auth.exchanges] == [401]


def test_http_2_is_not_spoken_and_not_needed(optum_server: Server) -> None:
    status, _ = asked(optum_server, "--http2", "--data", "a=b")

    assert status == 400


def test_a_gateway_host_is_served_to_who_resolves_it_to_loopback(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    port = urlsplit(optum_server.base_url).port
    done = curl(
        "--connect-to",
        f"sandbox-apigw.optum.com:443:127.0.0.1:{port}",
        "--cacert",
        optum_server.ca_bundle,
        "--url",
        optum_auth.token_url,
        "--data",
        "a=b",
    )

    assert done.returncode == 0, done.stderr
    assert optum_auth.exchanges[0].url == optum_auth.token_url
