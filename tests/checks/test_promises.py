"""Each promise and each client: who keeps all of them, and who breaks one and no other."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import trio
from promising_clients import (
    API,
    BREAKING,
    KEEPING,
    POST,
    POST_ASYNC,
    Flow,
    GoodClient,
    Refused,
    Send,
    in_tasks,
    in_threads,
    post_with_aiohttp,
    post_with_httpx_async,
    post_with_requests,
    told_of,
)
from transports_under_test import Answer, send_over_https

from pytest_optum_auth import ClientCheck, Clock, FakeOptum, Server
from pytest_optum_auth.checks.client_check import BrokenPromise
from pytest_optum_auth.checks.promises import PROMISES


def verdict(promise: str, kind: type[GoodClient], library: str) -> str:
    """What the check of ``promise`` says of a client on ``library``."""

    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        client = kind(fake)
        if library in POST:
            check(in_threads(client, POST[library]))
        else:
            asyncio.run(check.run_async(in_tasks(client, POST_ASYNC[library])))

    return told_of(promise, try_it)


@pytest.mark.parametrize("library", [*POST, *POST_ASYNC])
def test_a_good_client_keeps_every_promise(library: str) -> None:
    told = {promise: verdict(promise, GoodClient, library) for promise in PROMISES}

    assert told == dict.fromkeys(PROMISES, "kept")


@pytest.mark.parametrize("library", ["requests", "httpx-async"])
@pytest.mark.parametrize("broken", PROMISES)
def test_a_client_that_breaks_one_is_told_of_that_one(broken: str, library: str) -> None:
    told = {promise: verdict(promise, BREAKING[broken], library) for promise in PROMISES}

    assert [promise for promise, said in told.items() if said != "kept"] == [broken]
    assert told[broken].startswith(f"{broken} is broken. {PROMISES[broken].check}. The client ")


@pytest.mark.parametrize("library", ["requests", "aiohttp"])
@pytest.mark.parametrize("kind", KEEPING)
def test_a_promise_may_be_kept_in_another_way(kind: type[GoodClient], library: str) -> None:
    told = {promise: verdict(promise, kind, library) for promise in PROMISES}

    assert told == dict.fromkeys(PROMISES, "kept")


def test_a_queue_keeps_them_too() -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        call = in_threads(GoodClient(fake), post_with_requests)
        with ThreadPoolExecutor(1) as queue:
            check(lambda: queue.submit(call).result())

    told = {promise: told_of(promise, try_it) for promise in PROMISES}

    assert told == dict.fromkeys(PROMISES, "kept")


def test_one_that_renews_in_the_background_keeps_them_too() -> None:
    async def renew_in_time(client: GoodClient) -> None:
        while True:
            await asyncio.sleep(max(1.0, client.replace_at - time.time()))
            with contextlib.suppress(Refused):
                client.keep(await post_with_aiohttp(Send(client.token_url, form=client.form)))

    async def check_it(check: ClientCheck, fake: FakeOptum) -> None:
        client = GoodClient(fake)
        background: list[asyncio.Task[None]] = []
        call = in_tasks(client, post_with_aiohttp)

        async def first_starts_it() -> None:
            await call()
            if not background:
                background.append(asyncio.create_task(renew_in_time(client)))

        try:
            await check.run_async(first_starts_it)
        finally:
            for task in background:
                task.cancel()

    told = {
        promise: told_of(promise, lambda check, fake: asyncio.run(check_it(check, fake)))
        for promise in PROMISES
    }

    assert told == dict.fromkeys(PROMISES, "kept")


def test_a_thread_that_sleeps_in_the_background_does_not_move_the_clock() -> None:
    over = threading.Event()

    class SleepsBesides(GoodClient):
        def __init__(self, fake: FakeOptum) -> None:
            super().__init__(fake)
            threading.Thread(target=self.sleep_on, daemon=True).start()

        def sleep_on(self) -> None:
            while not over.is_set():
                time.sleep(0.001)

    try:
        told = verdict("reuses-token", SleepsBesides, "requests")
    finally:
        over.set()

    assert told == "kept"


def test_under_trio_a_sleep_cannot_be_judged() -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        client = GoodClient(fake)
        trio.run(check.run_async, in_tasks(client, post_with_httpx_async, trio.Lock))

    told = {promise: told_of(promise, try_it) for promise in PROMISES}

    skipped = "rate-limit: under trio a sleep of the client cannot be made a move of the clock"
    assert told == {**dict.fromkeys(PROMISES, "kept"), "rate-limit": skipped}


def test_under_trio_a_client_without_a_lock_is_told() -> None:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        client = BREAKING["single-flight"](fake)
        trio.run(check.run_async, in_tasks(client, post_with_httpx_async, trio.Lock))

    assert "made 8 token requests for 8 callers" in told_of("single-flight", try_it)


class OneTokenAThread(GoodClient):
    """Such a client is known to break single-flight, and nothing else."""

    def __init__(self, fake: FakeOptum) -> None:
        self.of_thread = threading.local()
        super().__init__(fake)

    def call(self) -> Flow:
        if not hasattr(self.of_thread, "client"):
            self.of_thread.client = GoodClient.__new__(GoodClient)
            vars(self.of_thread.client).update(vars(self))
        yield from GoodClient.call(self.of_thread.client)


def test_one_token_a_thread_breaks_single_flight_alone() -> None:
    told = {promise: verdict(promise, OneTokenAThread, "requests") for promise in PROMISES}

    assert [promise for promise, said in told.items() if said != "kept"] == ["single-flight"]


def posting_to(server: Server) -> Callable[[Send], Answer]:
    """POST over real HTTPS."""

    def post(wish: Send) -> Answer:
        return send_over_https(server, "POST", wish.url, data=wish.form, headers=wish.headers)

    return post


def test_over_https_timeouts_cannot_be_seen(
    optum_auth: FakeOptum,
    optum_server: Server,
    optum_clock: Clock,
) -> None:
    optum_auth.strict = False
    optum_auth.protect("POST", API)

    check = ClientCheck(PROMISES["sets-timeout"], optum_auth, optum_clock)
    with pytest.raises(pytest.skip.Exception, match="over real HTTPS the client's timeouts"):
        check(in_threads(GoodClient(optum_auth), posting_to(optum_server)))


@pytest.mark.parametrize("promise", [name for name in PROMISES if name != "sets-timeout"])
@pytest.mark.parametrize("kind", [GoodClient, None])
def test_over_https_promises_are_judged_as_in_process(
    promise: str,
    kind: type[GoodClient] | None,
    optum_auth: FakeOptum,
    optum_server: Server,
    optum_clock: Clock,
) -> None:
    optum_auth.strict = False
    optum_auth.protect("POST", API)

    check = ClientCheck(PROMISES[promise], optum_auth, optum_clock)
    told = "kept"
    try:
        check(in_threads((kind or BREAKING[promise])(optum_auth), posting_to(optum_server)))
    except BrokenPromise:
        told = "BROKEN"

    assert told == ("kept" if kind else "BROKEN")
