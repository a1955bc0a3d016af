"""Sharing the process with other mocks: gateway hosts are ours, every other host is theirs."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import requests
import responses
import respx
from inner_runs import Run
from loopback_servers import answering, refusing
from other_mocks import MOCKS, OTHER, SYNC, THEIRS, Mock, functions
from token_requests import ask
from transports_under_test import IN_PROCESS, Send, Transport, send_with_requests

from pytest_optum_auth import FakeOptum


@pytest.fixture(autouse=True)
def genuine() -> Iterator[None]:
    """Nobody has replaced anything before, and nobody's replacement is left behind."""
    before = functions()
    yield
    assert functions() == before


@pytest.fixture(params=MOCKS)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def mock(name: str) -> Mock:
    return MOCKS[name][0]


@pytest.fixture
def client(name: str) -> Send:
    return MOCKS[name][1]


def ours(client: Send, fake: FakeOptum) -> bool:
    count = len(fake.token_requests)
    return ask(client, fake).status == 200 and len(fake.token_requests) == count + 1


def theirs(client: Send) -> bool:
    return client("GET", OTHER).content == THEIRS


def test_ours_starts_first_and_theirs_ends_first(mock: Mock, client: Send) -> None:
    with FakeOptum() as fake:
        with mock():
            assert ours(client, fake)
            assert theirs(client)
            assert ours(client, fake)
        assert ours(client, fake)


def test_theirs_starts_first_and_ours_ends_first(mock: Mock, client: Send) -> None:
    with mock():
        with FakeOptum() as fake:
            assert theirs(client)
            assert ours(client, fake)
            assert theirs(client)
        assert theirs(client)


def test_ours_starts_first_and_ends_first(mock: Mock, client: Send) -> None:
    fake, other = FakeOptum(), mock()
    fake.__enter__()
    other.__enter__()
    both = ours(client, fake), theirs(client)
    fake.__exit__(None, None, None)
    alone = theirs(client)
    other.__exit__(None, None, None)

    assert (both, alone) == ((True, True), True)
    use_the_real_network(client)


def test_theirs_starts_first_and_ends_first(mock: Mock, client: Send) -> None:
    fake, other = FakeOptum(), mock()
    other.__enter__()
    fake.__enter__()
    both = theirs(client), ours(client, fake)
    other.__exit__(None, None, None)
    alone = ours(client, fake)
    fake.__exit__(None, None, None)

    assert (both, alone) == ((True, True), True)
    use_the_real_network(client)


def test_theirs_starts_and_ends_while_ours_is_on_without_a_request_between(
    mock: Mock, client: Send
) -> None:
    with FakeOptum() as fake:
        with mock():
            pass
        assert ours(client, fake)


def test_ours_starts_and_ends_while_theirs_is_on_without_a_request_between(
    mock: Mock, client: Send
) -> None:
    with mock():
        with FakeOptum():
            pass
        assert theirs(client)


def test_ours_starts_again_after_a_mock_that_outlived_it(mock: Mock, client: Send) -> None:
    fake, other = FakeOptum(), mock()
    fake.__enter__()
    other.__enter__()
    ours(client, fake)
    fake.__exit__(None, None, None)
    other.__exit__(None, None, None)

    with FakeOptum() as second, mock():
        assert ours(client, second)
        assert theirs(client)
    use_the_real_network(client)


def test_two_of_theirs_around_ours(mock: Mock, client: Send) -> None:
    with mock(), FakeOptum() as fake, mock():
        assert ours(client, fake)
        assert theirs(client)


def test_two_of_ours_around_theirs(mock: Mock, client: Send) -> None:
    with FakeOptum() as outer, mock():
        with FakeOptum() as inner:
            assert ours(client, inner)
            assert theirs(client)
        assert ours(client, outer)
        assert theirs(client)


def use_the_real_network(client: Send) -> None:
    """A request, after which nothing that a mock has put back for us is left."""
    with answering(b"real") as url:
        assert client("GET", url).content == b"real"


def test_other_hosts_are_reached_through_a_tool_that_answers_for_the_gateway(
    optum_auth: FakeOptum,
) -> None:
    headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
    with answering(b"real") as url, respx.mock as mock:
        mock.get(f"{optum_auth.base_url}/members").respond(text="stubbed")
        mock.route(host="127.0.0.1").pass_through()
        assert SYNC("GET", f"{optum_auth.base_url}/members", headers=headers).content == b"stubbed"
        assert SYNC("GET", url).content == b"real"


# Where the mock is a decorator, or a fixture.


def test_a_function_decorated_by_responses(optum_auth: FakeOptum) -> None:
    @responses.activate
    def decorated() -> None:
        responses.get(OTHER, body=THEIRS)
        assert theirs(send_with_requests)
        assert ours(send_with_requests, optum_auth)

    decorated()


MOCK_FIXTURES = {
    "respx": (["-p", "respx"], "respx_mock", "respx_mock.get(OTHER).respond(200, text='theirs')"),
    "pytest-httpx": (
        ["-p", "pytest_httpx"],
        "httpx_mock",
        "httpx_mock.add_response(url=OTHER, text='theirs')",
    ),
    "requests-mock": (
        ["-p", "requests_mock.contrib._pytest_plugin"],
        "requests_mock",
        "requests_mock.get(OTHER, text='theirs')",
    ),
}
LIBRARY = {"respx": "httpx", "pytest-httpx": "httpx", "requests-mock": "requests"}


@pytest.mark.parametrize("order", ["ours first", "theirs first", "theirs in the session"])
@pytest.mark.parametrize("name", MOCK_FIXTURES)
def test_a_fixture_of_theirs_in_either_order(name: str, order: str, run: Run) -> None:
    options, fixture, setting = MOCK_FIXTURES[name]
    fixtures = f"optum_auth, {fixture}" if order == "ours first" else f"{fixture}, optum_auth"
    mark = ""
    if order == "theirs in the session":
        # The marker activates ours after every fixture of a wider scope.
        fixtures, mark = f"{fixture}, request", "@pytest.mark.optum_auth"

    result = run(
        f"""
import pytest
import {LIBRARY[name]} as library

OTHER = "https://other.example.com/thing"
GATEWAY = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"

{mark}
def test_it({fixtures}):
    {setting}
    assert library.post(GATEWAY).json()["status"] == "415"
    assert library.get(OTHER).text == "theirs"
    assert library.post(GATEWAY).json()["status"] == "415"
""",
        *options,
    )

    result.assert_outcomes(passed=1)


def test_a_mock_of_theirs_that_a_session_fixture_started(run: Run) -> None:
    result = run(
        """
import pytest
import requests
import responses

OTHER = "https://other.example.com/thing"

@pytest.fixture(scope="session", autouse=True)
def theirs():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(OTHER, body="theirs")
        yield

@pytest.mark.parametrize("number", [1, 2])
def test_it(number, optum_auth):
    assert requests.post(optum_auth.token_url).status_code == 415
    assert requests.get(OTHER).text == "theirs"
    assert len(optum_auth.token_requests) == 1
"""
    )

    result.assert_outcomes(passed=2)


# Without any other mock: the network.


@IN_PROCESS
def test_another_host_is_the_network(transport: Transport, optum_auth: FakeOptum) -> None:
    with answering(b"real") as url:
        answer = transport.send("GET", url)

    assert (answer.status, answer.content) == (200, b"real")
    assert len(optum_auth.exchanges) == 0


@IN_PROCESS
def test_a_host_that_only_looks_like_the_gateway_is_the_network(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    with refusing() as url, pytest.raises(transport.connect_error):
        transport.send("GET", url.replace("/token", "/apigw.optum.com/apip/auth/sntl/v1/token"))

    assert len(optum_auth.exchanges) == 0


def test_what_a_mock_of_theirs_does_not_know_stays_its_refusal(optum_auth: FakeOptum) -> None:
    with responses.RequestsMock(), pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(OTHER)

    assert len(optum_auth.exchanges) == 0


def test_it_does_not_need_another_mock_to_be_there(
    optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "requests_mock")

    with FakeOptum() as fake:
        assert ours(send_with_requests, fake)


@IN_PROCESS
def test_everything_is_original_again_after_the_fake(transport: Transport) -> None:
    before = functions()
    with FakeOptum() as fake:
        ask(transport.send, fake)
        during = functions()
    after = functions()

    assert during != before
    assert after == before


def test_a_fake_for_one_library_leaves_the_others_alone() -> None:
    before = functions()
    with FakeOptum(transports=["requests"]) as fake:
        ask(send_with_requests, fake)
        during = functions()

    changed = [
        index
        for index, pair in enumerate(zip(before, during, strict=True))
        if pair[0] is not pair[1]
    ]
    assert max(changed) < 5
