"""aiohttp: an unchanged client with the real URLs, and everything of its own around it."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import pytest
from aiohttp.client_middlewares import ClientHandlerType
from aiohttp.client_proto import ResponseHandler
from aiohttp_oauth2_client.grant.client_credentials import ClientCredentialsGrant
from aiohttp_oauth2_client.middleware import OAuth2Middleware
from aiohttp_retry import ExponentialRetry, RetryClient
from aioresponses import aioresponses
from loopback_servers import FAILING
from token_requests import API, bearer, fields

from pytest_optum_auth import Clock, FakeOptum, faults
from pytest_optum_auth.transports.aiohttp_connection import GatewayConnection

PATH = "/oihub/claim/inquiry/v1"
T = TypeVar("T")


def run(make: Callable[[aiohttp.ClientSession], Awaitable[T]], **settings: Any) -> T:
    """What ``make(session)`` returns, in an event loop of its own."""

    async def main() -> T:
        async with aiohttp.ClientSession(**settings) as session:
            return await make(session)

    return asyncio.run(main())


async def ask(session: aiohttp.ClientSession, optum_auth: FakeOptum, **options: Any) -> int:
    async with session.post(optum_auth.token_url, data=fields(optum_auth), **options) as answer:
        await answer.read()
        return answer.status


# Clients as people have them.


class PublicClient:
    """As in public code: one session a call, a token kept until a minute before its end."""

    URL = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"

    def __init__(self, client_id: str, client_secret: str) -> None:
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._token = ""
        self._expiry = 0.0

    async def token(self) -> str:
        if self._token and time.time() < self._expiry - 60:
            return self._token
        form = {"grant_type": "client_credentials", **self._credentials}
        url = os.environ.get("OPTUM_TOKEN_URL", self.URL)
        async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
            answer.raise_for_status()
            content = await answer.json()
        self._token = content["access_token"]
        self._expiry = time.time() + content["expires_in"]
        return self._token

    async def inquire(self) -> int:
        headers = {"Authorization": f"Bearer {await self.token()}"}
        async with aiohttp.ClientSession() as session, session.get(API, headers=headers) as answer:
            return answer.status


def test_an_unchanged_client_refreshes_a_minute_before_the_end(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.protect("GET", PATH)
    client = PublicClient(*optum_auth.credentials)

    async def main() -> list[int]:
        counts = []
        for margin in (None, 61, 60):
            if margin is not None:
                optum_clock.nearly_expire_token(margin=margin)
            assert await client.inquire() == 200
            counts.append(len(optum_auth.token_requests))
        return counts

    assert asyncio.run(main()) == [1, 1, 2]
    assert {exchange.transport for exchange in optum_auth.exchanges} == {"aiohttp"}


def test_the_oauth2_middleware_gets_and_renews_its_token(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.protect("GET", PATH)

    async def main() -> list[int]:
        async with (
            ClientCredentialsGrant(optum_auth.token_url, *optum_auth.credentials) as grant,
            aiohttp.ClientSession(middlewares=[OAuth2Middleware(grant)]) as session,
        ):
            statuses = []
            for _ in range(2):
                async with session.get(API) as answer:
                    statuses.append(answer.status)
            optum_clock.expire_token()
            async with session.get(API) as answer:
                statuses.append(answer.status)
            return statuses

    assert asyncio.run(main()) == [200, 200, 200]
    assert len(optum_auth.token_requests) == 2


@pytest.mark.parametrize(
    "fault", [faults.http_error(503), faults.connect_error(), faults.disconnect()], ids=repr
)
def test_aiohttp_retry_tries_again(fault: Any, optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(fault, times=2)
    options = ExponentialRetry(
        attempts=3, start_timeout=0.001, statuses={503}, exceptions={aiohttp.ClientError}
    )

    async def main() -> int:
        async with (
            RetryClient(retry_options=options) as session,
            session.post(optum_auth.token_url, data=fields(optum_auth)) as answer,
        ):
            return answer.status

    assert asyncio.run(main()) == 200
    assert injection.hits == 2
    assert len(optum_auth.token_requests) == 3


# What is aiohttp's own still runs.


def test_a_middleware_of_the_user_runs(optum_auth: FakeOptum) -> None:
    async def mark(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> Any:
        request.headers["X-Mark"] = "seen"
        return await handler(request)

    assert run(lambda session: ask(session, optum_auth), middlewares=[mark]) == 200
    assert optum_auth.token_requests[0].headers["X-Mark"] == "seen"


def test_a_connector_of_the_user_limits_how_many_connect(optum_auth: FakeOptum) -> None:
    async def main() -> list[int]:
        connector = aiohttp.TCPConnector(limit=2)
        async with aiohttp.ClientSession(connector=connector) as session:
            with optum_auth.hold() as hold:
                asking = [asyncio.create_task(ask(session, optum_auth)) for _ in range(5)]
                await hold.wait_for_async(2)
                await asyncio.sleep(0.02)
                waiting = hold.waiting
            return [waiting, *await asyncio.gather(*asking)]

    assert asyncio.run(main()) == [2, 200, 200, 200, 200, 200]


def test_a_connection_is_kept_alive_and_traced(optum_auth: FakeOptum) -> None:
    seen: list[str] = []
    traces = aiohttp.TraceConfig()
    for name in ("connection_create_end", "connection_reuseconn", "request_end"):

        async def note(*_: Any, name: str = name) -> None:
            seen.append(name)

        getattr(traces, f"on_{name}").append(note)

    async def twice(session: aiohttp.ClientSession) -> None:
        for _ in range(2):
            await ask(session, optum_auth)

    run(twice, trace_configs=[traces])

    assert seen == ["connection_create_end", "request_end", "connection_reuseconn", "request_end"]


def test_a_connection_that_is_closed_twice_ends_once(optum_auth: FakeOptum) -> None:
    connections: list[Any] = []

    class Response(aiohttp.ClientResponse):
        async def start(self, connection: Any) -> Any:
            connections.append(connection.transport)
            return await super().start(connection)

    async def twice(session: aiohttp.ClientSession) -> list[int]:
        statuses = [await ask(session, optum_auth)]
        connections[0].close()
        connections[0].close()
        return [*statuses, await ask(session, optum_auth)]

    assert run(twice, response_class=Response) == [200, 200]
    assert connections[0].is_closing()
    assert connections[1] is not connections[0]


def test_cookies_come_back(optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", PATH, headers={"Set-Cookie": "seat=7; Path=/"})

    async def twice(session: aiohttp.ClientSession) -> None:
        for _ in range(2):
            async with session.get(API, headers=bearer(optum_auth)):
                pass

    run(twice)

    assert [request.headers.get("cookie") for request in route.requests] == [None, "seat=7"]


def test_a_redirect_is_followed(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/old", status=302, headers={"Location": PATH})
    optum_auth.protect("GET", PATH, json={"plan": "gold"})

    async def follow(session: aiohttp.ClientSession) -> Any:
        url = f"{optum_auth.base_url}/old"
        async with session.get(url, headers=bearer(optum_auth)) as answer:
            return str(answer.url), await answer.json()

    assert run(follow) == (API, {"plan": "gold"})


async def _pieces() -> AsyncIterator[bytes]:
    for piece in (b"one ", b"two ", b"three"):
        yield piece


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ({"data": b"x" * 300_000}, b"x" * 300_000),
        ({"data": b"x" * 300_000, "expect100": True}, b"x" * 300_000),
        ({"data": b"x" * 300_000, "chunked": True}, b"x" * 300_000),
        ({"data": "pieces"}, b"one two three"),
        ({"json": {"a": 1}}, b'{"a": 1}'),
        ({}, b""),
    ],
    ids=["long", "expect100", "chunked", "pieces", "json", "none"],
)
def test_a_body_arrives_whole(
    options: dict[str, Any], received: bytes, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("POST", PATH)

    async def send(session: aiohttp.ClientSession) -> int:
        given = {**options, "data": _pieces()} if options.get("data") == "pieces" else options
        async with session.post(API, headers=bearer(optum_auth), **given) as answer:
            return answer.status

    assert run(send) == 200
    assert optum_auth.api_requests[0].body == received


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        (aiohttp.ClientTimeout(sock_read=5), aiohttp.SocketTimeoutError),
        (aiohttp.ClientTimeout(total=5), asyncio.TimeoutError),
    ],
    ids=["sock_read", "total"],
)
def test_a_timeout_is_the_one_that_the_client_has_set(
    timeout: aiohttp.ClientTimeout, error: type[Exception], optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.timeout())

    with pytest.raises(asyncio.TimeoutError) as caught:
        run(lambda session: ask(session, optum_auth), timeout=timeout)

    assert caught.type is error


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        (aiohttp.ClientTimeout(sock_read=0.05), aiohttp.SocketTimeoutError),
        (aiohttp.ClientTimeout(total=0.05), asyncio.TimeoutError),
    ],
    ids=["sock_read", "total"],
)
def test_a_timeout_shorter_than_a_slow_answer_strikes(
    timeout: aiohttp.ClientTimeout, error: type[Exception], optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(30))

    async def main(session: aiohttp.ClientSession) -> str:
        with pytest.raises(asyncio.TimeoutError) as caught:
            await ask(session, optum_auth)
        assert caught.type is error
        return optum_auth.token_requests[0].outcome

    assert run(main, timeout=timeout) == "the client gave up during fault: slow(30)"


def test_aiohttp_sends_a_get_again_when_the_server_disconnects(optum_auth: FakeOptum) -> None:
    injection = optum_auth.protect("GET", PATH).inject(faults.disconnect())

    async def get(session: aiohttp.ClientSession) -> int:
        async with session.get(API, headers=bearer(optum_auth)) as answer:
            return answer.status

    assert run(get) == 200
    assert (injection.hits, len(optum_auth.api_requests)) == (1, 2)


def test_but_not_when_nobody_listens(optum_auth: FakeOptum) -> None:
    injection = optum_auth.protect("GET", PATH).inject(faults.connect_error(), times=None)

    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        run(lambda session: session.get(API, headers=bearer(optum_auth)))

    assert injection.hits == 1
    assert str(caught.value) == (
        "Cannot connect to host sandbox-apigw.optum.com:443 ssl:default "
        "[connect_error() of pytest-optum-auth]"
    )


def test_an_answer_that_lies_about_its_end_is_cut(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.http_error(200, json={}, headers={"Content-Length": "50"}))

    async def twice(session: aiohttp.ClientSession) -> int:
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(session, optum_auth)
        return await ask(session, optum_auth)

    assert run(twice) == 200


def test_a_request_that_is_no_request_is_refused(optum_auth: FakeOptum) -> None:
    async def send(session: aiohttp.ClientSession) -> int:
        headers = {"Content-Length": "3", "Transfer-Encoding": "gzip"}
        url, body = optum_auth.token_url, b"a=b"
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status

    assert run(send) == 400
    assert len(optum_auth.exchanges) == 0


@pytest.mark.parametrize("error", [ValueError("of the test"), pytest.fail.Exception("no")])
def test_an_exception_of_a_callable_reaches_the_caller(
    error: BaseException, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False

    def answer(_: object) -> None:
        raise error

    optum_auth.protect("GET", PATH, json=answer)

    with pytest.raises(type(error), match=str(error)):
        run(lambda session: session.get(API, headers=bearer(optum_auth)))


# Sharing the process.


async def get_elsewhere(session: aiohttp.ClientSession, url: str) -> str:
    """What a request tells that nobody answers."""
    with pytest.raises(aiohttp.ClientError) as caught:
        await session.get(url)
    return str(caught.value)


@pytest.mark.parametrize("ours_first", [True, False], ids=["ours-first", "theirs-first"])
@pytest.mark.parametrize("new_session", [True, False], ids=["new-session", "old-session"])
def test_aioresponses_answers_for_the_other_hosts(ours_first: bool, new_session: bool) -> None:
    fake, theirs = FakeOptum(), aioresponses()
    first, second = (fake, theirs) if ours_first else (theirs, fake)
    genuine = aiohttp.ClientSession._request

    async def go(session: aiohttp.ClientSession) -> list[Any]:
        theirs.get("https://example.com/", exception=aiohttp.ClientError("theirs"))
        return [
            await ask(session, fake),
            await get_elsewhere(session, "https://example.com/"),
            await ask(session, fake),
        ]

    async def main() -> list[Any]:
        async with aiohttp.ClientSession() as old:
            with first, second:
                if not new_session:
                    return await go(old)
                async with aiohttp.ClientSession() as new:
                    return await go(new)

    assert asyncio.run(main()) == [200, "theirs", 200]
    assert len(theirs.requests) == 1
    assert len(fake.token_requests) == 2
    assert aiohttp.ClientSession._request is genuine


def test_the_function_of_aiohttp_works_beneath_a_mock(optum_auth: FakeOptum) -> None:
    async def main() -> int:
        with aioresponses():
            form = fields(optum_auth)
            async with aiohttp.request("POST", optum_auth.token_url, data=form) as answer:
                return answer.status

    assert asyncio.run(main()) == 200


def test_a_request_to_another_host_goes_to_the_network(optum_auth: FakeOptum) -> None:
    with FAILING["connect"]() as url:
        told = run(lambda session: get_elsewhere(session, url))

    assert "Cannot connect to host 127.0.0.1" in told
    assert len(optum_auth.exchanges) == 0


class Nowhere(aiohttp.abc.AbstractResolver):
    """Knows no host: whoever asks is on the way to the network."""

    async def resolve(self, host: str, *_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOENT, f"asked for {host}")

    async def close(self) -> None:
        """Nothing is open."""


def test_a_session_that_outlives_a_fake_meets_the_next_one_and_then_the_network() -> None:
    first, second = FakeOptum(), FakeOptum()

    async def main() -> str:
        connector = aiohttp.TCPConnector(resolver=Nowhere())
        async with aiohttp.ClientSession(connector=connector) as session:
            for fake in (first, second):
                with fake:
                    assert await ask(session, fake) == 200
            return await get_elsewhere(session, API)

    assert "asked for sandbox-apigw.optum.com" in asyncio.run(main())
    assert [len(fake.token_requests) for fake in (first, second)] == [1, 1]


def test_a_fake_that_ends_while_a_request_is_on_its_way_disconnects() -> None:
    fake = FakeOptum()

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            with fake:
                asking = asyncio.create_task(ask(session, fake))
                await until_written()
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await asking

    asyncio.run(main())

    assert len(fake.exchanges) == 0


async def until_written() -> None:
    """Wait until a request is with us, and not answered yet."""
    turns = 0
    while not any("_answer" in repr(task) for task in asyncio.all_tasks()):
        turns += 1
        assert turns < 1000, "no request has come"
        await asyncio.sleep(0)


def test_a_request_that_is_cancelled_before_it_is_seen_was_never_there(
    optum_auth: FakeOptum,
) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        asking = asyncio.create_task(ask(session, optum_auth))
        await until_written()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    run(main)

    assert len(optum_auth.exchanges) == 0


@pytest.mark.parametrize("end", ["close", "abort"])
def test_what_is_written_after_the_end_is_dropped(end: str, optum_auth: FakeOptum) -> None:
    async def main() -> tuple[bool, int]:
        protocol = ResponseHandler(asyncio.get_running_loop())
        transport = GatewayConnection(optum_auth.base_url, None, protocol)
        protocol.connection_made(transport)
        getattr(transport, end)()
        transport.write(b"POST /auth/sntl/v1/token HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.01)
        return transport.is_closing(), transport.get_write_buffer_size()

    assert asyncio.run(main()) == (True, 0)
    assert len(optum_auth.exchanges) == 0


def test_a_request_that_is_cancelled_leaves_nothing_behind(optum_auth: FakeOptum) -> None:
    async def main() -> list[str]:
        async with aiohttp.ClientSession() as session:
            with optum_auth.hold() as hold:
                asking = asyncio.create_task(ask(session, optum_auth))
                await hold.wait_for_async(1)
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
                assert hold.waiting == 0
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        return [repr(task) for task in tasks]

    assert asyncio.run(main()) == []
    gc.collect()
    assert [e.outcome for e in optum_auth.exchanges] == ["the client gave up during hold()"]


def test_the_user_gets_aiohttp_back_as_it_was() -> None:
    def names() -> dict[str, Any]:
        return {**vars(aiohttp.ClientSession), **vars(aiohttp.TCPConnector)}

    before = names()
    with FakeOptum(), aioresponses():
        assert names() != before

    assert names() == before
