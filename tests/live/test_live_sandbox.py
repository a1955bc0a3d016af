"""``LiveSandbox``: one token while it is good, no second try after a refusal."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from stand_in import CLIENT_SECRET, StandIn

from pytest_optum_auth.live.sandbox import LiveSandbox
from pytest_optum_auth.live.sandbox.environment import read_environment
from pytest_optum_auth.live.sandbox.http import LiveError
from pytest_optum_auth.live.sandbox.refused import Refused

Open = Callable[[], LiveSandbox]


@pytest.fixture
def learned() -> list[str]:
    """The tokens that the sandbox told to be masked."""
    return []


@pytest.fixture
def open_sandbox(live_credentials: dict[str, str], learned: list[str]) -> Open:
    """The sandbox of the environment, as it is then."""
    return lambda: LiveSandbox(read_environment(os.environ), learned.append, Refused(None))


def test_it_says_where_and_as_whom_without_a_request(open_sandbox: Open, stand_in: StandIn) -> None:
    sandbox = open_sandbox()

    assert sandbox.base_url == stand_in.base_url
    assert sandbox.token_url == stand_in.token_url
    assert tuple(sandbox.credentials) == ("stand-in-client", CLIENT_SECRET)
    assert repr(sandbox) == f"<LiveSandbox {stand_in.token_url}>"
    assert stand_in.requests == []


def test_a_token_is_fetched_once_and_learned_at_once(
    open_sandbox: Open, stand_in: StandIn, learned: list[str]
) -> None:
    sandbox = open_sandbox()

    tokens = [sandbox.access_token, sandbox.access_token]
    headers = sandbox.headers

    assert tokens == stand_in.tokens * 2
    assert headers == {"Authorization": f"Bearer {tokens[0]}"}
    assert learned == stand_in.tokens


def test_threads_share_one_token(open_sandbox: Open, stand_in: StandIn) -> None:
    sandbox = open_sandbox()

    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: sandbox.access_token, range(16)))

    assert tokens == stand_in.tokens * 16


@pytest.mark.parametrize(("expires_in", "requests"), [(50, 2), (70, 1)])
def test_a_token_with_less_than_a_minute_left_is_replaced(
    open_sandbox: Open, stand_in: StandIn, expires_in: int, requests: int
) -> None:
    stand_in.expires_in = expires_in
    sandbox = open_sandbox()

    last = [sandbox.access_token, sandbox.access_token][-1]

    assert len(stand_in.tokens) == requests
    assert last == stand_in.tokens[-1]


def test_a_refusal_is_not_tried_again(
    open_sandbox: Open, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "some other secret")
    sandbox = open_sandbox()

    for _ in range(3):
        with pytest.raises(LiveError, match=r"^localhost refused the credentials \(401\): check "):
            _ = sandbox.access_token

    assert len(stand_in.requests) == 1


def test_a_server_that_was_down_is_tried_again(open_sandbox: Open, stand_in: StandIn) -> None:
    stand_in.deviation = "down"
    sandbox = open_sandbox()
    with pytest.raises(LiveError, match=r"^localhost answered 503: "):
        _ = sandbox.access_token

    stand_in.deviation = None

    assert sandbox.access_token == stand_in.tokens[0]
