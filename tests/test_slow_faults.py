"""Faults that wait: really, and never at the cost of an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
import requests
import schemas
import trio
from eventually import eventually
from published_errors import SERVER_ERROR
from token_requests import ask, call, fields, get_token
from transports_under_test import TLS, Send, Transport

from pytest_optum_auth import Clock, FakeOptum, faults


def succeed(send: Send, optum_auth: FakeOptum) -> dict[str, Any]:
    content: dict[str, Any] = ask(send, optum_auth).json()
    content.pop("access_token", None)
    return content


@pytest.mark.parametrize("frozen", [False, True], ids=["running", "frozen"])
def test_slow_waits_really_and_then_gives_the_right_answer(
    frozen: bool, send: Send, optum_auth: FakeOptum, request: pytest.FixtureRequest
) -> None:
    perf_counter = time.perf_counter
    optum_auth.inject(faults.slow(0.1))
    if frozen:
        request.getfixturevalue("optum_clock")

    started = perf_counter()
    spoiled = ask(send, optum_auth)
    waited = perf_counter() - started

    assert waited >= 0.1
    schemas.check(spoiled.json(), schemas.SUCCESS)
    assert optum_auth.token_requests[0].outcome == "fault: slow(0.1), issued token #1"


def test_an_answer_may_come_after_a_wait(send: Send, optum_auth: FakeOptum) -> None:
    fault = faults.server_error().after(0.05)
    optum_auth.inject(fault)

    started = time.perf_counter()
    answer = ask(send, optum_auth)

    assert time.perf_counter() - started >= 0.05
    assert (answer.status, answer.json()) == (500, SERVER_ERROR)
    assert repr(fault) == "server_error().after(0.05)"


def test_a_broken_success_may_come_after_a_wait(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.without("scope").after(0.05))

    assert "scope" not in succeed(send, optum_auth)


def test_a_clients_shorter_timeout_strikes(transport: Transport, optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.slow(30))

    with pytest.raises(transport.timeout_error):
        transport.send("POST", optum_auth.token_url, data=fields(optum_auth), timeout=0.2)

    # Over a real connection the end of the client is seen a moment later.
    assert eventually(lambda: optum_auth.token_requests)
    [exchange] = optum_auth.token_requests
    assert (exchange.status, exchange.token) == (None, None)
    assert exchange.outcome == "the client gave up during fault: slow(30)"
    assert injection.hits == 1
    assert ask(transport.send, optum_auth).status == 200
    assert optum_auth.tokens[0].number == 1


@pytest.mark.parametrize(("timeout", "strikes"), [(0.1, True), (5.0, False)])
def test_a_hold_and_a_slow_answer_are_one_silence_to_the_client(
    timeout: float, strikes: bool, transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(0.07))
    hold = optum_auth.hold()

    def release() -> None:
        # However long the client takes to begin.
        hold.wait_for(1)
        time.sleep(0.07)
        hold.release()

    releasing = threading.Thread(target=release)
    releasing.start()

    with pytest.raises(transport.timeout_error) if strikes else contextlib.nullcontext():
        transport.send("POST", optum_auth.token_url, data=fields(optum_auth), timeout=timeout)
    releasing.join()

    assert eventually(lambda: len(optum_auth.token_requests) == 1)


def test_a_longer_timeout_does_not_strike(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.slow(0.05))

    answer = send("POST", optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert answer.status == 200


def test_what_changes_during_a_wait_counts(
    send: Send, optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1").inject(faults.slow(0.05))
    token = optum_auth.issue_token(expires_in=1)
    # The last for the Date of the answer.
    readings = iter([token.issued_at, token.expires_at, token.expires_at])
    monkeypatch.setattr(optum_auth._state, "server_now", lambda: next(readings))

    assert call(send, token).status == 401


def test_a_success_that_became_a_refusal_during_a_wait_is_not_broken(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(faults.without("scope").after(0.1))

    async def rotate() -> tuple[int, int]:
        asking = asyncio.create_task(asyncio.to_thread(ask, transport.send, optum_auth))
        while injection.claimed == 0:
            await asyncio.sleep(0.001)
        optum_auth.rotate_secret()
        return (await asking).status, injection.hits

    assert asyncio.run(rotate()) == (401, 0)
    assert "scope" not in succeed(transport.send, optum_auth)


ASYNC = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)


@ASYNC
def test_a_slow_answer_does_not_block_the_event_loop(
    library: ModuleType, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(0.1))

    async def turns_meanwhile() -> int:
        turns = 0
        async with library.AsyncClient(verify=TLS) as client:
            request = client.post(optum_auth.token_url, data=fields(optum_auth))
            asking = asyncio.create_task(request)
            while not asking.done():
                turns += 1
                await asyncio.sleep(0.001)
            assert (await asking).status_code == 200
        return turns

    # A loop that is blocked takes one turn.
    assert asyncio.run(turns_meanwhile()) > 3


@ASYNC
def test_nor_that_of_trio(library: ModuleType, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.slow(0.1))
    turns = 0
    done = False

    async def ask_slowly() -> None:
        nonlocal done
        async with library.AsyncClient(verify=TLS) as client:
            answer = await client.post(optum_auth.token_url, data=fields(optum_auth))
        assert answer.status_code == 200
        done = True

    async def main() -> None:
        nonlocal turns
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_slowly)
            while not done:
                turns += 1
                await trio.sleep(0.001)

    trio.run(main)

    assert turns > 3


@ASYNC
def test_under_trio_a_shorter_timeout_strikes_too(
    library: ModuleType, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(30))

    async def main() -> None:
        async with library.AsyncClient(verify=TLS, timeout=0.05) as client:
            with pytest.raises(library.ReadTimeout):
                await client.post(optum_auth.token_url, data=fields(optum_auth))

    trio.run(main)

    assert len(optum_auth.token_requests) == 1


@ASYNC
def test_a_coroutine_that_is_cancelled_during_a_wait_is_in_the_journal(
    library: ModuleType, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(30))

    async def main() -> None:
        async with library.AsyncClient(verify=TLS) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(
                    client.post(optum_auth.token_url, data=fields(optum_auth)), 0.05
                )

    asyncio.run(main())

    assert [e.outcome for e in optum_auth.token_requests] == [
        "the client gave up during fault: slow(30)"
    ]


def test_the_clock_stands_still_while_a_fault_waits(
    send: Send, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    before = optum_clock.now
    optum_auth.inject(faults.slow(0.05))
    get_token(send, optum_auth)

    assert optum_clock.now == before
    assert optum_auth.exchanges[0].at == before


def test_requests_waits_no_longer_than_its_connect_and_read_timeouts(
    optum_auth: FakeOptum,
) -> None:
    optum_auth.inject(faults.slow(30))

    with pytest.raises(requests.ReadTimeout):
        requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=(30, 0.05))
