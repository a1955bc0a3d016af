"""A process that is forked has a copy of the fake, in which no test could see anything."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import requests
from token_requests import ask, fields
from transports_under_test import IN_PROCESS, Transport

from pytest_optum_auth import FakeOptum, Server
from pytest_optum_auth.core.gateway import ForkedProcess

FORKED = (
    "this process was forked from the one that has the fake, and no test sees what is asked here: "
    "ask for the fixture optum_server and let the client call optum_server.base_url, which answers "
    "forked processes as well"
)
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="there is no fork"),
    # Python 3.12 and newer warn of threads; those of the suite's server keep no lock.
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
]


@IN_PROCESS
def test_another_process_is_told_where_it_can_be_answered(
    transport: Transport, optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = os.getpid()
    with monkeypatch.context() as another:
        another.setattr(os, "getpid", lambda: process + 1)
        with pytest.raises(ForkedProcess) as caught, optum_auth.hold():
            ask(transport.send, optum_auth)

    assert str(caught.value) == FORKED
    assert ask(transport.send, optum_auth).status == 200
    assert len(optum_auth.token_requests) == 1


def fetch(url: str, form: dict[str, str], verify: str | bool = True) -> int:
    return requests.post(url, data=form, verify=verify, timeout=10).status_code


def fetch_from_a_fake_of_its_own() -> int:
    with FakeOptum() as fake:
        return fetch(fake.token_url, fields(fake))


def in_a_fork(call: Callable[..., Any], *arguments: Any) -> Any:
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        done = pool.submit(call, *arguments)
        return done.exception(timeout=30) or done.result()


@pytest.mark.parametrize("where", ["here", "forked"])
@pytest.mark.parametrize("fixture", ["optum_auth", "optum_server"])
def test_a_forked_process_is_answered_by_the_server_alone(
    where: str, fixture: str, optum_auth: FakeOptum, request: pytest.FixtureRequest
) -> None:
    target: FakeOptum | Server = request.getfixturevalue(fixture)
    verify = str(target.ca_bundle) if isinstance(target, Server) else True
    arguments = (target.token_url, fields(optum_auth), verify)

    answer = fetch(*arguments) if where == "here" else in_a_fork(fetch, *arguments)

    unseen = where == "forked" and fixture == "optum_auth"
    assert str(answer) == (FORKED if unseen else "200")
    assert len(optum_auth.token_requests) == (0 if unseen else 1)


def test_a_fake_that_starts_in_the_forked_process_answers_there() -> None:
    assert in_a_fork(fetch_from_a_fake_of_its_own) == 200
    assert fetch_from_a_fake_of_its_own() == 200
