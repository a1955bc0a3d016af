"""``python -m pytest_optum_auth serve``: the fake as a development server."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from pytest_optum_auth import Clock, FakeOptum
from pytest_optum_auth.__main__ import main
from pytest_optum_auth.core.gateway import Gateway
from pytest_optum_auth.core.messages import Headers, Request, Response
from pytest_optum_auth.server import cli
from pytest_optum_auth.transports.drive import drive

TOKEN = "/apip/auth/sntl/v1/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Running:
    """A server process and what it has said of itself."""

    process: subprocess.Popen[str]
    said: dict[str, str]

    def form(self, **changes: str) -> str:
        right = {
            "grant_type": "client_credentials",
            "client_id": self.said["client id"],
            "client_secret": self.said["client secret"],
        }
        return urlencode({**right, **changes})

    def ask(self, **changes: str) -> int:
        return self.request("POST", TOKEN, self.form(**changes))[0]

    def request(
        self, method: str, path: str, body: str, headers: dict[str, str] = FORM
    ) -> tuple[int, bytes]:
        url = urlsplit(self.said["base URL"])
        context = ssl.create_default_context(cafile=self.said["CA (PEM)"])
        connection = http.client.HTTPSConnection(url.netloc, context=context, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def stop(self, how: signal.Signals) -> tuple[int, list[str]]:
        """Exit status, and the lines that were not read yet."""
        self.process.send_signal(how)
        out, _ = self.process.communicate(timeout=10)
        return self.process.returncode, out.splitlines()


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "pytest_optum_auth", "serve", "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        running = Running(process, {})
        try:
            while (line := running.line()) != "stop with Ctrl-C":
                assert process.poll() is None, line
                name, _, value = line.partition("  ")
                running.said[name] = value.strip()
            yield running
        finally:
            process.terminate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(how: signal.Signals) -> None:
    with serving() as running:
        statuses = [running.ask(), running.ask(client_secret="wrong")]
        status, lines = running.stop(how)

    assert statuses == [200, 401]
    assert status == 0
    assert [line[10:] for line in lines[:-1]] == [
        "POST /apip/auth/sntl/v1/token  200  issued token #1",
        "POST /apip/auth/sntl/v1/token  401  refused: client_secret is wrong",
    ]
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines[:-1])
    assert lines[-1] == "stopped"
    assert not Path(running.said["CA (PEM)"]).exists()
    url = urlsplit(running.said["base URL"])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((url.hostname or "", url.port or 0))


def test_it_says_where_it_is_and_how_to_get_in() -> None:
    with serving("--client-id", "mine", "--client-secret", "s p&c") as running:
        said = running.said
        status = running.ask()

    assert list(said) == [
        "base URL",
        "token URL",
        "client id",
        "client secret",
        "CA (PEM)",
        "try it",
    ]
    assert said["token URL"] == f"{said['base URL']}/apip/auth/sntl/v1/token"
    assert (said["client id"], said["client secret"]) == ("mine", "s p&c")
    assert status == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("secret", [(), ("--client-secret", "it's $HOME & 50%/é+")])
def test_the_command_that_it_tells_gets_a_token(secret: tuple[str, ...]) -> None:
    with serving(*secret) as running:
        answer = subprocess.check_output(running.said["try it"], shell=True, text=True)

    assert json.loads(answer)["token_type"] == "Bearer"


def test_no_secret_and_no_token_is_in_the_log() -> None:
    with serving("--client-secret", "hush-hush") as running:
        running.ask()
        _, lines = running.stop(signal.SIGTERM)

    assert not re.search(r"hush|eyJ", "\n".join(lines))


def test_a_share_of_the_requests_meets_a_fault() -> None:
    with serving("--fault", "503:0.5", "--fault", "429:0.25") as running:
        statuses = [running.ask() for _ in range(8)]

    assert statuses.count(503) == 4
    assert statuses.count(429) >= 1
    assert set(statuses) == {200, 429, 503}


def test_the_life_of_the_tokens_is_chosen() -> None:
    with serving("--expires-in", "60") as running:
        context = ssl.create_default_context(cafile=running.said["CA (PEM)"])
        url = urlsplit(running.said["token URL"])
        form = {
            "grant_type": "client_credentials",
            "client_id": running.said["client id"],
            "client_secret": running.said["client secret"],
        }
        connection = http.client.HTTPSConnection(url.netloc, context=context, timeout=10)
        with contextlib.closing(connection):
            connection.request("POST", url.path, urlencode(form), FORM)
            content = connection.getresponse().read()

    assert b'"expires_in": 60' in content


def test_a_client_without_the_ca_is_in_the_log() -> None:
    with serving() as running:
        url = urlsplit(running.said["base URL"])
        context = ssl.create_default_context(cafile=running.said["CA (PEM)"])
        with (
            socket.create_connection((url.hostname or "", url.port or 0)) as raw,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            context.wrap_socket(raw, server_hostname="other.example.com")
        line = running.line()

    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  TLS handshake failed: .*certificate.* \(does the client trust the CA\?\)",
        line,
    )


def test_an_api_is_protected_and_another_path_is_404() -> None:
    options = ("--protect", "GET /oihub/claims", "--protect", "post /oihub/claims/{id}")
    with serving(*options) as running:
        token = json.loads(running.request("POST", TOKEN, running.form())[1])["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        answers = [
            running.request("GET", "/oihub/claims", "", bearer),
            running.request("POST", "/oihub/claims/7", "", bearer),
            running.request("GET", "/oihub/claims", "", {}),
            running.request("GET", "/elsewhere", "", bearer),
        ]
        _, lines = running.stop(signal.SIGTERM)

    assert [status for status, _ in answers] == [200, 200, 401, 404]
    assert answers[0][1] == b"{}"
    assert json.loads(answers[3][1]) == {
        "message": "GET /elsewhere was answered with 404: no --protect covers it; start the server "
        "with --protect 'GET /elsewhere'; protected are, nearest first: GET /oihub/claims; "
        "POST /oihub/claims/{id}"
    }
    assert [line[10:] for line in lines[1:-1]] == [
        "GET /oihub/claims  200  token #1 accepted",
        "POST /oihub/claims/7  200  token #1 accepted",
        "GET /oihub/claims  401  refused: no bearer token",
        "GET /elsewhere  404  refused: no --protect covers the path",
    ]


def test_the_log_tells_the_way_out_of_a_mistake() -> None:
    with serving("--client-id", "mine") as running:
        running.ask(client_id="yours")
        _, lines = running.stop(signal.SIGTERM)

    assert lines[1][10:].startswith("'yours' was sent, known is 'mine'")


def test_it_goes_on_when_nobody_reads_what_it_says() -> None:
    with serving() as running:
        assert running.process.stdout is not None
        running.process.stdout.close()
        statuses = [running.ask(), running.ask()]
        running.process.send_signal(signal.SIGINT)
        status = running.process.wait(10)

    assert (statuses, status) == ([200, 200], 0)


def test_what_it_says_without_a_reader_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as unread:
        monkeypatch.setattr(sys, "stdout", unread)
        for _ in range(2):
            cli._tell("nobody reads this")


def test_a_terminal_that_lacks_a_character_is_told_which_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))

    cli._tell("client id      Müller")

    assert written.getvalue().strip() == rb"client id      M\xfcller"


def gateway_of(*options: str) -> Gateway:
    """What such a server answers with, in this process."""
    parser = argparse.ArgumentParser()
    cli.add_command(parser.add_subparsers())
    return cli._gateway(parser.parse_args(["serve", *options]))


def asked(gateway: Gateway, path: str, token: str = "") -> int | None:
    """The status of an API request."""
    bearer = Headers([("Authorization", f"Bearer {token}")] if token else [])
    request = Request("https", "GET", f"https://127.0.0.1{path}", bearer, b"")
    answer = drive(gateway.respond(request, arrived=True), None)
    assert isinstance(answer, Response)
    return answer.status


def token_of(gateway: Gateway) -> str:
    client_id, client_secret = gateway.state.clients.default
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    headers, body = Headers(FORM.items()), urlencode(form).encode()
    request = Request("https", "POST", f"https://127.0.0.1{TOKEN}", headers, body)
    answer = drive(gateway.respond(request, arrived=True), None)
    assert isinstance(answer, Response)
    token: str = json.loads(answer.body)["access_token"]
    return token


def test_thousands_of_tokens_need_no_memory_and_the_first_is_still_good() -> None:
    # PyPy has none.
    tracemalloc = pytest.importorskip("tracemalloc")
    gateway = gateway_of("--protect", "GET /claims")
    first, *_ = (token_of(gateway) for _ in range(50))
    tracemalloc.start()
    try:
        for _ in range(2_000):
            last = token_of(gateway)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert grown < 2_000 * 20
    assert [asked(gateway, "/claims", token) for token in (first, last)] == [200, 200]


def test_of_tokens_that_are_not_kept_the_log_tells_what_each_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway = gateway_of("--protect", "GET /claims", "--expires-in", "60")
    header, claims, signature = FakeOptum().issue_token().value.split(".")
    with Clock() as clock:
        first = token_of(gateway)
        clock.tick(59)
        second = token_of(gateway)
        statuses = [asked(gateway, "/claims", token) for token in (first, second)]
        clock.tick(3600)
        tokens = [
            first,
            second,
            f"{first[:-1]}_",
            f"{header}.{claims}.{signature}",
            "eyJ",
            "\udcff.é",
        ]
        statuses += [asked(gateway, "/claims", token) for token in tokens]

    assert statuses == [200, 200, 401, 401, 401, 401, 401, 401]
    log = [line.partition("  GET /claims  ")[2] for line in capsys.readouterr().out.splitlines()]
    unknown = "401  refused: the token is unknown (kept from an earlier run?)"
    malformed = "401  refused: the token is malformed"
    assert list(filter(None, log)) == [
        "200  token #1 accepted",
        "200  token #2 accepted",
        "401  token #1 expired 3599 s ago",
        "401  token #2 expired 3540 s ago",
        unknown,
        unknown,
        malformed,
        malformed,
    ]


def test_nothing_of_what_was_asked_is_kept() -> None:
    gateway = gateway_of("--protect", "GET /claims")
    for path in ("/claims", "/elsewhere") * 3:
        asked(gateway, path)

    [route] = gateway.state.routes
    assert list(route.requests) == []
    assert gateway.state.journal.exchanges == []
    assert gateway.state.problems() == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["serve", "--protect", "/oihub/claims"],
            "argument --protect: '/oihub/claims' is no API: write method and path in quotes, as in "
            "'POST /oihub/claims'",
        ),
        (["serve", "--protect", "GET claims"], "path 'claims': a path starts with a slash"),
        (
            ["serve", "--protect", "POST /auth/sntl/v1/token/"],
            "--protect POST /auth/sntl/v1/token/: that is the token endpoint",
        ),
        (
            ["serve", "--fault", "503"],
            "argument --fault: '503' is no fault and its share of the requests: write it as in "
            "503:0.1, with a status from 400 to 599 and a share above 0 and up to 1",
        ),
        (["serve", "--expires-in", "-1"], "expires_in=-1: expires_in must be a whole number"),
        (["serve", "--client-id", ""], "client_id"),
        (
            ["serve", "--port", "70000"],
            "argument --port: '70000' is no port: a port is a number up to 65535",
        ),
        (["serve", "--port", "-1"], "argument --port: '-1' is no port: a port is a number"),
        ([], "the following arguments are required: COMMAND"),
    ],
    ids=[
        "no-method",
        "path",
        "token-path",
        "fault",
        "expires-in",
        "client-id",
        "port",
        "negative",
        "command",
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(options)

    assert caught.value.code == 2
    assert f"error: {message}" in capsys.readouterr().err


def test_a_port_that_is_taken_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit):
        main(["serve", "--port", str(taken.getsockname()[1])])

    assert re.search(r"error: --port \d+: .*in use", capsys.readouterr().err)


def test_without_the_extra_one_sentence_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)

    with pytest.raises(SystemExit) as caught:
        main(["serve", "--port", "0"])

    assert caught.value.code == 1
    assert capsys.readouterr().err == (
        "the HTTPS server needs the extra 'server': pip install 'pytest-optum-auth[server]'\n"
    )
