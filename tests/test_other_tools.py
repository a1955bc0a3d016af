"""Beside tools that record, stub or block the network: the gateway is ours, the rest is theirs."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import boto3
import pytest
import requests
import vcr
from inner_runs import Run
from loopback_servers import answering
from moto import mock_aws
from other_mocks import functions
from requests.adapters import HTTPAdapter
from token_requests import ask, get_token
from transports_under_test import IN_PROCESS, Transport, send_with_requests
from urllib3.util import Retry

from pytest_optum_auth import FakeOptum, faults

Around = Callable[[AbstractContextManager[object]], AbstractContextManager[FakeOptum]]


@contextlib.contextmanager
def ours_first(theirs: AbstractContextManager[object]) -> Iterator[FakeOptum]:
    with FakeOptum() as fake, theirs:
        yield fake


@contextlib.contextmanager
def theirs_first(theirs: AbstractContextManager[object]) -> Iterator[FakeOptum]:
    with theirs, FakeOptum() as fake:
        yield fake


EITHER_ORDER = pytest.mark.parametrize("around", [ours_first, theirs_first])


@pytest.fixture(autouse=True)
def genuine() -> Iterator[None]:
    """Nobody's replacement is left behind."""
    before = functions()
    yield
    assert functions() == before


# A cassette of vcrpy.


def cassette(path: Path) -> AbstractContextManager[vcr.cassette.Cassette]:
    """Records what it does not know into a new file; an old one is only played."""
    opened: AbstractContextManager[vcr.cassette.Cassette] = vcr.use_cassette(
        str(path), record_mode="once"
    )
    return opened


@IN_PROCESS
@EITHER_ORDER
def test_a_cassette_records_and_plays_another_host_and_never_the_gateway(
    transport: Transport, around: Around, tmp_path: Path
) -> None:
    path = tmp_path / "cassette.yaml"

    with answering(b"real") as url, around(cassette(path)) as fake:
        recorded = transport.send("GET", url).content
        get_token(transport.send, fake)
    with around(cassette(path)) as fake:
        # Nobody listens any more.
        played = transport.send("GET", url).content
        get_token(transport.send, fake)

    assert (recorded, played) == (b"real", b"real")
    assert [request.uri for request in vcr.cassette.Cassette.load(path=str(path)).requests] == [url]
    assert "sandbox-apigw" not in path.read_text()


@IN_PROCESS
@EITHER_ORDER
def test_a_fault_is_the_clients_exception_beside_a_cassette(
    transport: Transport, around: Around, tmp_path: Path
) -> None:
    with around(cassette(tmp_path / "cassette.yaml")) as fake:
        fake.inject(faults.timeout())
        with pytest.raises(transport.timeout_error):
            ask(transport.send, fake)
        get_token(transport.send, fake)


@EITHER_ORDER
def test_the_users_retries_run_beside_a_cassette(around: Around, tmp_path: Path) -> None:
    retries = Retry(total=2, status_forcelist=[500], allowed_methods=None, backoff_factor=0)

    with around(cassette(tmp_path / "cassette.yaml")) as fake, requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=retries))
        fake.inject(faults.server_error(), times=2)
        answer = session.post(fake.token_url, data={})

    assert answer.status_code == 415
    assert len(fake.token_requests) == 3


AFTER_THE_CASSETTE = """
import sys
import requests, vcr
from pytest_optum_auth import FakeOptum, faults

print(sorted({"escape", "requests_"} & {name.rpartition(".")[2] for name in sys.modules}))
with vcr.use_cassette("cassette.yaml"), FakeOptum() as fake:
    fake.inject(faults.timeout())
    try:
        requests.post(fake.token_url, timeout=10)
    except requests.ReadTimeout:
        print("timed out")
    print(requests.post(fake.token_url).status_code)
"""


def test_a_cassette_that_started_before_our_modules_were_loaded(tmp_path: Path) -> None:
    """It has replaced the connections of urllib3 and of the standard library by then."""
    ran = run_program(AFTER_THE_CASSETTE, tmp_path)

    assert (ran.stdout.split("\n"), ran.stderr) == (["[]", "timed out", "415", ""], "")
    assert not (tmp_path / "cassette.yaml").exists()


def run_program(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


RECORDED = """
import pytest
import requests

@pytest.mark.vcr
{mark}
def test_it({fixture}):
    answer = requests.post("https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token")
    assert answer.json()["status"] == "415"
    assert requests.get("{url}").text == "real"
"""


@pytest.mark.parametrize(
    ("mark", "fixture"),
    [("", "optum_auth"), ("@pytest.mark.optum_auth", "")],
    ids=["theirs first", "ours first"],
)
def test_pytest_recording_records_and_plays_another_host_and_never_the_gateway(
    mark: str, fixture: str, run: Run, pytester: pytest.Pytester
) -> None:
    with answering(b"real") as url:
        source = RECORDED.format(mark=mark, fixture=fixture, url=url)
        recorded = run(source, "-p", "recording", "--record-mode=once")
    # Nobody listens any more, and nobody may ask.
    played = run(source, "-p", "recording", "--record-mode=none", "--block-network")

    recorded.assert_outcomes(passed=1)
    played.assert_outcomes(passed=1)
    [path] = pytester.path.glob("cassettes/**/*.yaml")
    assert [request.uri for request in vcr.cassette.Cassette.load(path=str(path)).requests] == [url]


# responses, for every test and around all fixtures, as pytest-responses starts it.

RESPONSES_EVERYWHERE = """
import responses

def pytest_runtest_setup(item):
    responses.start()

def pytest_runtest_teardown(item):
    responses.stop()
    responses.reset()
"""


def test_responses_started_for_every_test(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(RESPONSES_EVERYWHERE)

    result = run(
        """
import pytest
import requests
import responses

OTHER = "https://other.example.com/thing"

@pytest.mark.parametrize("number", [1, 2])
def test_it(number, optum_auth):
    responses.get(OTHER, body="theirs")
    assert requests.post(optum_auth.token_url).status_code == 415
    assert requests.get(OTHER).text == "theirs"
    assert len(optum_auth.token_requests) == len(responses.calls) == 1

def test_it_refuses_what_it_does_not_know(optum_auth):
    with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
        requests.get(OTHER)
"""
    )

    result.assert_outcomes(passed=3)


# moto.


@EITHER_ORDER
def test_moto_answers_for_s3(around: Around) -> None:
    with around(mock_aws()) as fake:
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="claims")
        token = get_token(send_with_requests, fake)
        s3.put_object(Bucket="claims", Key="token", Body=token.encode())
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket="claims", Key="another")

        assert s3.get_object(Bucket="claims", Key="token")["Body"].read() == token.encode()
        assert len(fake.exchanges) == 1


# pytest-socket.

GUARDED = """
import httpx
import pytest
import requests
from pytest_socket import SocketBlockedError, SocketConnectBlockedError

POSTS = [requests.post, httpx.post]
"""


def test_nothing_opens_a_socket_where_pytest_socket_forbids_it(run: Run) -> None:
    result = run(
        GUARDED
        + """
@pytest.mark.parametrize("post", POSTS)
def test_it(post, optum_auth):
    assert post(optum_auth.token_url).status_code == 415

# pytest-socket warns of what it blocks as well.
@pytest.mark.filterwarnings("ignore:A test tried")
def test_the_rest_is_blocked(optum_auth):
    with pytest.raises(SocketBlockedError):
        requests.get("http://127.0.0.1:9/")
""",
        *["-p", "pytest_socket", "--disable-socket"],
    )

    result.assert_outcomes(passed=3)


def test_the_server_needs_loopback_alone(run: Run) -> None:
    result = run(
        GUARDED
        + """
@pytest.mark.parametrize("post", POSTS)
def test_it(post, optum_server, optum_env):
    assert post(optum_server.token_url).status_code == 415

# pytest-socket warns of what it blocks as well.
@pytest.mark.filterwarnings("ignore:A test tried")
def test_the_rest_is_blocked(optum_server):
    with pytest.raises(SocketConnectBlockedError):
        requests.get("http://127.0.0.2:9/")
""",
        *["-p", "pytest_socket", "--disable-socket", "--allow-hosts=127.0.0.1"],
    )

    result.assert_outcomes(passed=3)


def test_a_test_after_a_guarded_one_has_sockets(run: Run) -> None:
    """Whoever stops first, neither puts the other's function back."""
    result = run(
        """
import socket
import pytest

genuine = socket.socket, socket.getaddrinfo, socket.socket.connect

@pytest.mark.disable_socket
def test_guarded(optum_auth):
    assert socket.socket is not genuine[0]

def test_not_guarded():
    assert (socket.socket, socket.getaddrinfo, socket.socket.connect) == genuine
""",
        *["-p", "pytest_socket"],
    )

    result.assert_outcomes(passed=2)


AFTER_PYTEST_SOCKET = """
import socket, pytest_socket
from pytest_optum_auth import FakeOptum
from pytest_optum_auth.transports.egress_guard import EscapedRequest

pytest_socket.disable_socket()
with FakeOptum():
    pass
pytest_socket.enable_socket()
print("connect" in vars(socket.socket))
with FakeOptum(strict=False):
    with socket.socket() as client:
        try:
            client.connect(("sandbox-apigw.optum.com", 443))
        except EscapedRequest:
            print("stopped")
"""


def test_a_guard_of_pytest_socket_that_stood_when_our_modules_were_loaded(tmp_path: Path) -> None:
    ran = run_program(AFTER_PYTEST_SOCKET, tmp_path)

    assert (ran.stdout.split("\n"), ran.stderr) == (["False", "stopped", ""], "")
