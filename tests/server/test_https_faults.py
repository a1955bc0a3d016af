"""Faults of the HTTPS server as events on the socket, and what it leaves behind: nothing."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import inner_runs
import pytest
from eventually import eventually
from test_https_server import PATH, ask, connected, say
from token_requests import fields

from pytest_optum_auth import FakeOptum, faults
from pytest_optum_auth.server.connection import reset
from pytest_optum_auth.server.listener import Listener
from pytest_optum_auth.server.served import Server, ServerSession
from pytest_optum_auth.server.socket_wait import Forever, SocketWait


def settled(optum_auth: FakeOptum, count: int) -> list[str]:
    """The outcomes, once the server has recorded ``count`` exchanges."""
    assert eventually(lambda: len(optum_auth.exchanges) >= count)
    return [exchange.outcome for exchange in optum_auth.exchanges]


# Refused.


@pytest.mark.parametrize("wait", [0, 0.02])
def test_a_refused_connection_is_reset_before_tls_and_counted(
    wait: float, optum_server: Server, optum_auth: FakeOptum
) -> None:
    fault = faults.connect_error().after(wait) if wait else faults.connect_error()
    injection = optum_auth.inject(fault)

    with pytest.raises(ConnectionError), connected(optum_server) as connection:
        connection.connect()
    with connected(optum_server) as connection:
        assert ask(connection, optum_auth) == 200

    assert injection.hits == 1
    assert [(e.kind, e.status) for e in optum_auth.exchanges] == [("token", None), ("token", 200)]
    assert optum_auth.exchanges[0].outcome == f"fault: {fault!r}"


def test_on_a_connection_that_exists_a_refusal_is_a_disconnect(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    with connected(optum_server) as connection:
        ask(connection, optum_auth)
        injection = optum_auth.inject(faults.connect_error())
        with pytest.raises(http.client.RemoteDisconnected):
            ask(connection, optum_auth)

    assert injection.hits == 1


def test_a_refusal_waits_for_its_turn(optum_server: Server, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.server_error())
    optum_auth.inject(faults.connect_error())

    with connected(optum_server) as connection:
        assert ask(connection, optum_auth) == 500
    with pytest.raises(ConnectionError), connected(optum_server) as connection:
        connection.connect()


def test_a_request_waits_at_a_hold_before_it_is_refused(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(faults.connect_error())
    with optum_auth.hold() as hold, connected(optum_server) as connection:
        form, path = fields(optum_auth), urlsplit(optum_auth.token_url).path
        connection.request("POST", path, str(form))
        hold.wait_for(1)
        assert injection.hits == 0
        hold.release()
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()

    assert injection.hits == 1


# Silent, cut, slow.


def test_silence_lasts_until_the_client_gives_up(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(faults.timeout())

    with connected(optum_server) as connection:
        connection.timeout = 0.1
        started = time.perf_counter()
        with pytest.raises(TimeoutError):
            ask(connection, optum_auth)
        waited = time.perf_counter() - started

    assert waited >= 0.1
    assert injection.hits == 1


def test_a_cut_comes_in_the_middle_of_the_answer(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.disconnect())

    assert (
        say(optum_server, b"POST /auth/sntl/v1/token HTTP/1.1\r\nHost: h\r\n\r\n") == b"HTTP/1.1 2"
    )


def test_a_client_that_does_not_wait_for_a_slow_answer_is_in_the_journal(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(30))

    with connected(optum_server) as connection:
        connection.timeout = 0.05
        with pytest.raises(TimeoutError):
            ask(connection, optum_auth)

    assert settled(optum_auth, 1) == ["the client gave up during fault: slow(30)"]


def test_a_client_that_resets_its_connection_is_gone_as_well(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    with optum_auth.hold() as hold, connected(optum_server) as connection:
        connection.request("POST", urlsplit(optum_auth.token_url).path)
        hold.wait_for(1)
        reset(connection.sock)
        assert settled(optum_auth, 1) == ["the client gave up during hold()"]


def test_a_client_that_falls_out_of_tls_is_gone_as_well(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    with optum_auth.hold() as hold, connected(optum_server) as connection:
        connection.request("POST", urlsplit(optum_auth.token_url).path)
        hold.wait_for(1)
        socket.socket.sendall(connection.sock, b"this is no record")
        assert settled(optum_auth, 1) == ["the client gave up during hold()"]


def test_what_a_client_sends_during_a_wait_is_its_next_request(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(0.1))
    request = b"POST /auth/sntl/v1/token HTTP/1.1\r\nHost: h\r\n\r\n"
    last = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    address = urlsplit(optum_server.base_url)
    with (
        socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as raw,
        optum_server.ssl_context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        connection.sendall(request)
        time.sleep(0.02)
        connection.sendall(last)
        answers = b""
        while piece := connection.recv(65536):
            answers += piece

    assert answers.count(b"HTTP/1.1 415") == 2


def test_a_piece_of_a_message_during_a_wait_is_no_end(
    optum_server: Server, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(0.1))

    with connected(optum_server) as connection:
        connection.request("POST", urlsplit(optum_auth.token_url).path)
        # The first bytes of a TLS record, without the rest.
        socket.socket.sendall(connection.sock, b"\x17\x03\x03")

        assert connection.getresponse().status == 415


def test_the_answer_to_a_body_that_is_too_long_arrives(optum_server: Server) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n"

    assert say(optum_server, head + b"x" * 1_000_000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("status", [100, 103])
def test_after_an_interim_answer_the_connection_ends(
    status: int, optum_server: Server, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.http_error(status))

    answer = say(optum_server, b"POST /auth/sntl/v1/token HTTP/1.1\r\nHost: h\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.endswith(b"\r\nConnection: close\r\n\r\n")


# An exception in a handler.


@pytest.mark.parametrize("error", ["ValueError('wrong')", "pytest.fail.Exception('wrong')"])
def test_an_exception_in_a_handler_fails_the_test(error: str, run: inner_runs.Run) -> None:
    result = run(
        f"""
        import http.client
        import pytest

        def answer(exchange):
            raise {error}

        def test_it(optum_server, optum_auth):
            optum_auth.protect("GET", "/plans", json=answer)
            connection = http.client.HTTPSConnection(
                optum_server.base_url.partition("//")[2], context=optum_server.ssl_context
            )
            headers = {{"Authorization": f"Bearer {{optum_auth.issue_token()}}"}}
            try:
                connection.request("GET", "/plans", headers=headers)
                connection.getresponse().read()
            except http.client.RemoteDisconnected:
                pass
            finally:
                connection.close()
        """
    )

    result.assert_outcomes(passed=1, errors=1)
    told = "\n".join(inner_runs.part(result, "ERROR at teardown of test_it"))
    assert "wrong" in told


def test_the_client_gets_a_500_for_it(optum_server: Server, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH, json=lambda _: 1 / 0)

    with connected(optum_server) as connection:
        headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
        connection.request("GET", PATH, headers=headers)
        answer = connection.getresponse()

        assert (answer.status, answer.read()) == (
            500,
            b"An exception was raised while the answer was made: the test's report tells it.\n",
        )
        assert ask(connection, optum_auth) == 200
    assert optum_auth.problems() == f"GET {PATH}: ZeroDivisionError: division by zero"


# What is left: nothing.


def threads() -> list[str]:
    names = (thread.name for thread in threading.enumerate())
    return [name for name in names if name.startswith("optum-https")]


@pytest.fixture
def session(tmp_path: Path) -> ServerSession:
    return ServerSession(tmp_path)


def test_the_end_of_the_fake_ends_its_connections_and_threads(session: ServerSession) -> None:
    fake = FakeOptum()
    with session, contextlib.ExitStack() as clients:
        with session.serving(fake.gateway) as server:
            idle, held = (clients.enter_context(connected(server)) for _ in range(2))
            assert ask(idle, fake) == 200
            hold = fake.hold()
            held.request("POST", urlsplit(server.token_url).path)
            hold.wait_for(1)
            during = threads()
        after = threads()

    assert during.count("optum-https-connection") == 2
    assert after.count("optum-https-connection") == 0
    assert hold.waiting == 0
    assert fake.exchanges[1].outcome == "the client gave up during hold()"


def test_nobody_waits_after_the_end() -> None:
    patience = SocketWait()
    patience.end()

    with socket.socket() as connection:
        assert not patience.outlast(Forever(), connection, None)


def test_between_two_fakes_connections_are_reset(session: ServerSession) -> None:
    first, second = FakeOptum(), FakeOptum()
    with session:
        with session.serving(first.gateway) as server, connected(server) as connection:
            assert ask(connection, first) == 200
        address = urlsplit(server.base_url)
        with (
            socket.create_connection((address.hostname or "", address.port or 0)) as refused,
            pytest.raises(ConnectionError),
        ):
            refused.recv(1)
        with session.serving(second.gateway) as server, connected(server) as connection:
            assert ask(connection, second) == 200

    assert [len(fake.exchanges) for fake in (first, second)] == [1, 1]


def test_the_end_closes_the_port_and_the_thread(session: ServerSession) -> None:
    before = threads()
    with session:
        with session.serving(FakeOptum().gateway) as server:
            address = urlsplit(server.base_url)
        assert len(threads()) == len(before)

    assert len(threads()) == len(before) - 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname or "", address.port or 0))
    session.__exit__()


def test_a_handler_that_does_not_end_is_told(
    session: ServerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_optum_auth.server.listener._PATIENCE", 0.01)
    fake, go_on, arrived = FakeOptum(), threading.Event(), threading.Event()

    def answer(_: object) -> dict[str, str]:
        arrived.set()
        go_on.wait(5)
        return {}

    fake.protect("GET", PATH, json=answer)
    with session:
        with session.serving(fake.gateway) as server, connected(server) as connection:
            headers = {"Authorization": f"Bearer {fake.issue_token()}"}
            connection.request("GET", PATH, headers=headers)
            arrived.wait(5)
        go_on.set()

    assert fake.problems() == (
        "a handler of the HTTPS server still runs at the end of the test: does a callable of "
        "protect(json=...) wait for something?"
    )


def test_a_client_that_is_gone_before_it_is_seen_is_no_trouble(
    session: ServerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OSError("gone")

    fake = FakeOptum()
    with session, session.serving(fake.gateway) as server:
        monkeypatch.setattr("pytest_optum_auth.server.listener.Connection", gone)
        with pytest.raises((ConnectionError, ssl.SSLError)), connected(server) as connection:
            connection.connect()

    assert fake.problems() == ""


def test_a_port_that_is_taken_is_an_error(session: ServerSession, tmp_path: Path) -> None:
    with session, session.serving(FakeOptum().gateway) as server:
        port = urlsplit(server.base_url).port or 0
        with pytest.raises(OSError, match="in use"):
            ServerSession(tmp_path, port)


def test_an_error_of_the_server_itself_fails_the_test(
    session: ServerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeOptum()
    monkeypatch.setattr("pytest_optum_auth.server.connection.Connection._receive", lambda _: 1 / 0)
    with session, session.serving(fake.gateway) as server, connected(server) as connection:
        connection.connect()
        assert connection.sock.recv(1) == b""

    told = fake.problems()
    assert told.startswith("the HTTPS server failed\nTraceback (most recent call last):\n")
    assert told.endswith("ZeroDivisionError: division by zero\n")


def test_a_listener_may_be_closed_twice(session: ServerSession) -> None:
    listener: Listener = session._listener
    address = listener._socket.getsockname()
    with socket.create_connection(address):
        pass  # It listens until it is closed.

    listener.close()
    listener.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
