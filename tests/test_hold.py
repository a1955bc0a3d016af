"""Holding token requests at the endpoint: how many callers there are at once."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import trio
from eventually import eventually
from inner_runs import Run, part
from token_requests import ask, call, fields
from transports_under_test import Send, Transport
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import FakeOptum, faults


@contextmanager
def asking(send: Send, optum_auth: FakeOptum, count: int) -> Iterator[list[int]]:
    """``count`` threads that ask for a token; afterwards the statuses they got."""
    got: list[int] = []
    threads = [
        threading.Thread(target=lambda: got.append(ask(send, optum_auth).status))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    yield got
    for thread in threads:
        thread.join()


def test_threads_wait_until_the_release(send: Send, optum_auth: FakeOptum) -> None:
    with optum_auth.hold() as hold, asking(send, optum_auth, 3) as got:
        hold.wait_for(3)
        assert (hold.waiting, got, len(optum_auth.token_requests)) == (3, [], 0)
        hold.release()

    assert (hold.waiting, got) == (0, [200] * 3)
    assert len(optum_auth.token_requests) == 3


def test_the_end_of_the_block_releases(send: Send, optum_auth: FakeOptum) -> None:
    hold = optum_auth.hold()
    with asking(send, optum_auth, 2) as got, hold:
        hold.wait_for(2)

    assert got == [200, 200]
    assert hold.released


def test_after_the_release_nobody_waits(send: Send, optum_auth: FakeOptum) -> None:
    with optum_auth.hold() as hold:
        hold.release()
        hold.release()
        assert ask(send, optum_auth).status == 200

    assert ask(send, optum_auth).status == 200


def test_wait_for_is_content_with_more_than_asked(optum_auth: FakeOptum) -> None:
    hold = optum_auth.hold()
    with asking(send, optum_auth, 3), hold:
        hold.wait_for(3)
        hold.wait_for(1)
        hold.wait_for()
        assert hold.waiting == 3


def test_an_api_call_passes_a_hold(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")

    with optum_auth.hold():
        assert call(send, optum_auth.issue_token()).status == 200


def test_a_request_waits_at_every_hold(optum_auth: FakeOptum) -> None:
    first, second = optum_auth.hold(), optum_auth.hold()

    with asking(send, optum_auth, 1) as got:
        first.wait_for(1)
        assert second.waiting == 0
        first.release()
        second.wait_for(1)
        assert got == []
        second.release()

    assert got == [200]


def test_a_fault_is_met_after_the_hold(optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.http_error(503))

    hold = optum_auth.hold()
    with asking(send, optum_auth, 1) as got, hold:
        hold.wait_for(1)
        assert injection.hits == 0

    assert (got, injection.hits) == ([503], 1)


def test_what_changes_during_a_hold_counts(send: Send, optum_auth: FakeOptum) -> None:
    hold = optum_auth.hold()
    with asking(send, optum_auth, 1) as got, hold:
        hold.wait_for(1)
        secret = optum_auth.credentials.client_secret
        optum_auth.rotate_secret()

    assert secret != optum_auth.credentials.client_secret
    assert got == [401]


def test_a_clients_timeout_strikes_at_a_hold(transport: Transport, optum_auth: FakeOptum) -> None:
    with optum_auth.hold() as hold:
        with pytest.raises(transport.timeout_error):
            transport.send("POST", optum_auth.token_url, data=fields(optum_auth), timeout=0.2)
        # Over a real connection the end of the client is seen a moment later.
        assert eventually(lambda: hold.waiting == 0)
        assert eventually(lambda: optum_auth.token_requests)

    assert [e.outcome for e in optum_auth.token_requests] == ["the client gave up during hold()"]


@pytest.mark.parametrize("frozen", [False, True], ids=["running", "frozen"])
def test_too_few_arrivals_say_how_many_of_how_many(
    frozen: bool, optum_auth: FakeOptum, request: pytest.FixtureRequest
) -> None:
    if frozen:
        request.getfixturevalue("optum_clock")
    message = whole("1 of 3 token requests arrived at the hold within 0.05 s")

    hold = optum_auth.hold()
    with asking(send, optum_auth, 1), hold:
        hold.wait_for(1)
        with pytest.raises(TimeoutError, match=message):
            hold.wait_for(3, timeout=0.05)


def test_too_few_arrivals_in_a_coroutine_say_the_same(optum_auth: FakeOptum) -> None:
    message = whole("0 of 2 token requests arrived at the hold within 0.05 s")
    hold = optum_auth.hold()

    async def main() -> None:
        await hold.wait_for_async(2, timeout=0.05)

    for run in (lambda: asyncio.run(main()), lambda: trio.run(main)):
        with pytest.raises(TimeoutError, match=message):
            run()


@pytest.mark.parametrize("count", [0, -1, 1.0, True, "2"])
def test_a_count_that_makes_no_sense_is_refused(count: Any, optum_auth: FakeOptum) -> None:
    message = whole(f"count={count!r}: count must be a whole number of at least 1")
    hold = optum_auth.hold()

    with pytest.raises(ValueError, match=message):
        hold.wait_for(count)
    with pytest.raises(ValueError, match=message):
        asyncio.run(hold.wait_for_async(count))


@pytest.mark.parametrize("timeout", [None, -1, "2", float("nan"), 3601])
def test_a_timeout_that_would_never_strike_is_refused(timeout: Any, optum_auth: FakeOptum) -> None:
    message = whole(
        f"a wait of {timeout!r}: a wait is a number of seconds from 0 to 3600, and it is real"
    )
    hold = optum_auth.hold()

    with pytest.raises(ValueError, match=message):
        hold.wait_for(timeout=timeout)
    with pytest.raises(ValueError, match=message):
        asyncio.run(hold.wait_for_async(timeout=timeout))


def test_a_hold_tells_what_it_is(optum_auth: FakeOptum) -> None:
    hold = optum_auth.hold()
    with asking(send, optum_auth, 1), hold:
        hold.wait_for(1)
        assert repr(hold) == "<Hold with 1 waiting>"

    assert repr(hold) == "<Hold released>"


def test_a_hold_that_a_test_forgets_ends_with_it() -> None:
    with FakeOptum() as fake, ThreadPoolExecutor(1) as pool:
        hold = fake.hold()
        answer = pool.submit(ask, send, fake)
        hold.wait_for(1)
        fake.__exit__(None, None, None)

        assert answer.result(5).status == 200
    assert hold.released


def test_a_hold_that_waits_in_vain_fails_the_test_with_its_count_and_the_traffic(run: Run) -> None:
    result = run(
        """
import pytest
import requests

@pytest.mark.optum_clock(0)
def test_it(optum_auth, optum_clock):
    requests.post(optum_auth.token_url)
    optum_clock.tick(5)
    with optum_auth.hold() as hold:
        hold.wait_for(2, timeout=0.05)
"""
    )

    result.assert_outcomes(failed=1)
    told = [line[1:].strip() for line in part(result, "test_it") if line.startswith("E")]
    assert told == ["TimeoutError: 0 of 2 token requests arrived at the hold within 0.05 s"]
    assert part(result, "Optum traffic") == [
        "+0 s  requests  POST …/sntl/v1/token  415  refused: no Content-Type",
        "+5 s  -- clock +5 s",
    ]


def test_a_hold_that_was_released_is_not_kept(optum_auth: FakeOptum) -> None:
    released, waiting = (weakref.ref(optum_auth.hold()) for _ in range(2))
    for hold in (released(),):
        assert hold is not None
        hold.release()
        hold.release()
    del hold
    gc.collect()

    assert released() is None
    assert waiting() is not None


def test_a_forgotten_hold_does_not_outlive_its_test(run: Run) -> None:
    result = run(
        """
import threading
import weakref
import pytest
import requests

@pytest.fixture
def threads():
    started = []
    yield started
    for thread in started:
        thread.join(5)
        assert not thread.is_alive()

def test_it(threads, optum_auth):
    hold = optum_auth.hold()
    threads.append(threading.Thread(target=requests.post, args=(optum_auth.token_url,)))
    threads[0].start()
    hold.wait_for(1)
"""
    )

    result.assert_outcomes(passed=1)
