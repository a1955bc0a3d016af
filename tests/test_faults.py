"""Each fault, as each client library meets it; beside it the same call without the fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
import requests
import schemas
import trio
from eventually import eventually
from loopback_servers import FAILING
from token_requests import API, ask, call, fields, get_token
from transports_under_test import IN_PROCESS, TLS, Answer, Send, Transport
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum, Fault, faults

PAGE = b"<html><head><title>502</title></head><body><h1>502</h1></body></html>"


def optum_error(status: int, reason: str, text: str) -> dict[str, Any]:
    return {"status": str(status), "failureReason": reason, "Errors": [text]}


SERVER_ERROR = optum_error(
    500,
    "ServerError",
    "An unexpected error occurred while generating the token. Please retry.",
)
RATE_LIMITED = optum_error(429, "TooManyRequests", "Too many requests. Please retry later.")
INVALID_CLIENT = optum_error(
    401, "InvalidClient", "Client authentication failed: invalid client_secret."
)


@dataclass(frozen=True)
class Row:
    """A fault that answers: what it is called, and the answer."""

    fault: Fault
    shown: str
    status: int
    content: Any
    headers: dict[str, str | None] = field(default_factory=dict)


ANSWERS = [
    Row(faults.http_error(503), "http_error(503)", 503, b"", {"Content-Type": None}),
    Row(faults.http_error(599, json={"a": [1]}), "http_error(599)", 599, {"a": [1]},
        {"Content-Type": "application/json"}),
    Row(faults.http_error(400, json=False), "http_error(400)", 400, False),
    Row(faults.http_error(404, text="né"), "http_error(404)", 404, "né".encode(),
        {"Content-Type": "text/plain; charset=utf-8"}),
    Row(faults.http_error(404, text=""), "http_error(404)", 404, b""),
    Row(faults.http_error(418, json={}, headers={"content-type": "application/tea", "X-A": "1"}),
        "http_error(418)", 418, b"{}", {"Content-Type": "application/tea", "X-A": "1"}),
    Row(faults.server_error(), "server_error()", 500, SERVER_ERROR,
        {"Content-Type": "application/json", "Cache-Control": "no-store"}),
    Row(faults.rate_limited(), "rate_limited()", 429, RATE_LIMITED, {"Retry-After": None}),
    Row(faults.rate_limited(7), "rate_limited(retry_after=7)", 429, RATE_LIMITED,
        {"Retry-After": "7"}),
    Row(faults.rate_limited(retry_after=0), "rate_limited(retry_after=0)", 429, RATE_LIMITED,
        {"Retry-After": "0"}),
    Row(faults.gateway_error(), "gateway_error(502)", 502, PAGE,
        {"Content-Type": "text/html; charset=utf-8"}),
    Row(faults.gateway_error(504), "gateway_error(504)", 504, PAGE.replace(b"502", b"504")),
    Row(faults.invalid_client(), "invalid_client()", 401, INVALID_CLIENT),
]  # fmt: skip


def content_of(answer: Answer, expected: Any) -> Any:
    return answer.content if isinstance(expected, bytes) else answer.json()


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row.shown)
def test_a_fault_that_answers_replaces_the_answer(
    row: Row, send: Send, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(row.fault)

    spoiled, control = ask(send, optum_auth), ask(send, optum_auth)

    assert (spoiled.status, content_of(spoiled, row.content)) == (row.status, row.content)
    assert {name: spoiled.headers.get(name) for name in row.headers} == row.headers
    assert repr(row.fault) == row.shown
    assert optum_auth.token_requests[0].outcome == f"fault: {row.shown}"
    assert injection.hits == 1
    assert control.status == 200
    schemas.check(control.json(), schemas.SUCCESS)
    assert len(optum_auth.tokens) == 1


@pytest.mark.parametrize(
    ("fault", "error", "description"),
    [
        (faults.server_error(), "server_error", SERVER_ERROR["Errors"][0]),
        (faults.rate_limited(), "temporarily_unavailable", RATE_LIMITED["Errors"][0]),
        (faults.invalid_client(), "invalid_client", INVALID_CLIENT["Errors"][0]),
    ],
)
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_a_published_error_follows_the_error_format(
    version: str, fault: Fault, error: str, description: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = "rfc6749" if version == "v3" else "optum"
    optum_auth.inject(fault)

    if version == "v3":
        answer = ask(send, optum_auth)
    else:
        url = f"{optum_auth.base_url}/apip/auth/v2/token"
        answer = send("POST", url, json=fields(optum_auth))

    assert answer.json() == {"error": error, "error_description": description}


# A success that is broken.


def succeed(send: Send, optum_auth: FakeOptum) -> dict[str, Any]:
    content: dict[str, Any] = ask(send, optum_auth).json()
    content.pop("access_token", None)
    return content


@pytest.mark.parametrize(
    ("fault", "shown", "content", "media_type"),
    [
        (
            faults.not_json(),
            "not_json()",
            b"<html><body>OK</body></html>",
            "text/html; charset=utf-8",
        ),
        (faults.empty_body(), "empty_body()", b"", "application/json"),
    ],
    ids=["not_json", "empty_body"],
)
def test_a_success_may_come_with_a_body_that_is_none(
    fault: Fault, shown: str, content: bytes, media_type: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(fault)

    spoiled, control = ask(send, optum_auth), ask(send, optum_auth)

    assert (spoiled.status, spoiled.content) == (200, content)
    assert spoiled.headers["Content-Type"] == media_type
    assert optum_auth.token_requests[0].outcome == f"fault: {shown}"
    assert repr(fault) == shown
    schemas.check(control.json(), schemas.SUCCESS)
    # The client never learnt of a token: none counts as held.
    assert len(optum_auth.tokens) == 1
    assert len(optum_auth.needless_token_requests) == 0


@pytest.mark.parametrize("keys", [("expires_in",), ("scope", "not-before-policy")])
def test_a_success_may_lack_keys(keys: tuple[str, ...], send: Send, optum_auth: FakeOptum) -> None:
    fault = faults.without(*keys)
    optum_auth.inject(fault)

    spoiled, control = succeed(send, optum_auth), succeed(send, optum_auth)

    assert spoiled == {key: value for key, value in control.items() if key not in keys}
    shown = ", ".join(map(repr, keys))
    assert repr(fault) == f"without({shown})"
    assert optum_auth.token_requests[0].outcome == f"fault: without({shown}), issued token #1"


def test_a_success_may_hold_other_values(send: Send, optum_auth: FakeOptum) -> None:
    fault = faults.replacing(expires_in="7200", token_type="bearer", extra=None)
    optum_auth.inject(fault)

    spoiled, control = succeed(send, optum_auth), succeed(send, optum_auth)

    changed = {"expires_in": "7200", "token_type": "bearer", "extra": None}
    assert spoiled == control | changed
    assert repr(fault) == "replacing(expires_in='7200', token_type='bearer', extra=None)"


@pytest.mark.parametrize(
    "fault", [faults.without("access_token"), faults.replacing(access_token="hush")]
)
def test_a_token_that_the_client_never_learns_is_not_issued(
    fault: Fault, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(fault)

    spoiled = ask(send, optum_auth)
    ask(send, optum_auth)

    assert spoiled.status == 200
    assert len(optum_auth.tokens) == 1
    assert "hush" not in repr(fault)
    assert len(optum_auth.needless_token_requests) == 0


@pytest.mark.parametrize("fault", [faults.not_json(), faults.replacing(expires_in=1)])
def test_a_broken_success_waits_for_a_request_that_would_succeed(
    fault: Fault, send: Send, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(fault)

    refused = ask(send, optum_auth, client_secret="wrong")
    hits = injection.hits
    ask(send, optum_auth)

    assert (refused.status, hits, injection.hits) == (401, 0, 1)


@pytest.mark.parametrize("fault", [faults.server_error(), faults.disconnect()])
def test_every_other_fault_is_met_by_a_wrong_request_too(
    fault: Fault, transport: Transport, optum_auth: FakeOptum
) -> None:
    injection = optum_auth.inject(fault)

    try:
        status = ask(transport.send, optum_auth, client_secret="wrong").status
    except transport.disconnect_error:
        status = 0

    assert status in (0, 500)
    assert injection.hits == 1


# The network.

NETWORK = {
    "connect": faults.connect_error,
    "timeout": faults.timeout,
    "disconnect": faults.disconnect,
}


def caught(send: Send, url: str, timeout: float = 0.1) -> BaseException:
    with pytest.raises(Exception) as info:  # noqa: PT011 -- its class is compared
        send("POST", url, data={"a": "b"}, timeout=timeout)
    return info.value


def chain(error: BaseException | None) -> list[type]:
    """The classes of an exception and of what it says it was caused by."""
    classes: list[type] = []
    while error is not None and type(error).__module__.partition(".")[0] in ("requests", "urllib3"):
        classes.append(type(error))
        inner = error.args[0] if error.args else None
        reason = getattr(inner, "reason", inner)
        error = reason if isinstance(reason, BaseException) else None
    return classes


@IN_PROCESS
@pytest.mark.parametrize("failure", NETWORK)
def test_a_network_fault_raises_what_a_real_socket_makes_the_library_raise(
    failure: str, transport: Transport, optum_auth: FakeOptum
) -> None:
    fault = NETWORK[failure]()
    injection = optum_auth.inject(fault)
    with FAILING[failure]() as url:
        genuine = caught(transport.send, url)

    faked = caught(transport.send, optum_auth.token_url)
    control = ask(transport.send, optum_auth)

    assert type(faked) is type(genuine) is transport.raises(failure)
    assert chain(faked) == chain(genuine)
    # urllib3 words a timeout itself.
    assert repr(fault) in str(faked) or "Read timed out. (read timeout=0.1)" in str(faked)
    # aiohttp's exceptions do not know their request.
    assert type(getattr(faked, "request", None)) is type(getattr(genuine, "request", None))
    [faulted, answered] = optum_auth.token_requests
    assert (faulted.status, faulted.outcome, faulted.token) == (None, f"fault: {fault!r}", None)
    assert injection.hits == 1
    assert (control.status, answered.status) == (200, 200)


@pytest.mark.parametrize("failure", NETWORK)
def test_a_network_fault_is_a_network_fault_of_a_protected_api_too(
    failure: str, transport: Transport, optum_auth: FakeOptum
) -> None:
    # POST, since aiohttp sends a GET again by itself when the server disconnects.
    route = optum_auth.protect("POST", "/oihub/claim/inquiry/v1")
    route.inject(NETWORK[failure]())
    token = optum_auth.issue_token()

    with pytest.raises(transport.raises(failure)):
        call(transport.send, token, method="POST", timeout=0.3)

    assert call(transport.send, token, method="POST").status == 200


# Waits.


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


@pytest.mark.parametrize("failure", NETWORK)
def test_a_network_fault_may_come_after_a_wait(
    failure: str, transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(NETWORK[failure]().after(0.05))

    started = time.perf_counter()
    with pytest.raises(transport.raises(failure)):
        transport.send("POST", optum_auth.token_url, data=fields(optum_auth), timeout=0.3)

    assert time.perf_counter() - started >= 0.05


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


def test_a_longer_timeout_does_not_strike(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.slow(0.05))

    answer = send("POST", optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert answer.status == 200


def test_what_changes_during_a_wait_counts(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1").inject(faults.slow(0.05))
    token = optum_auth.issue_token(expires_in=1)
    optum_auth.clock_skew = 0

    real = optum_auth._gateway.server_now
    readings = iter([real(), token.expires_at])
    optum_auth._gateway.server_now = lambda: next(readings)  # type: ignore[method-assign]

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


# What makes no sense.

WAIT = "a wait is a number of seconds from 0 to 3600, and it is real"


@pytest.mark.parametrize("value", [-1, -0.1, 3601, float("nan"), float("inf"), "1", None, True])
@pytest.mark.parametrize("make", [faults.slow, faults.server_error().after])
def test_a_wait_that_makes_no_sense_is_refused(make: Callable[[Any], Fault], value: Any) -> None:
    with pytest.raises(ValueError, match=whole(f"a wait of {value!r}: {WAIT}")):
        make(value)


@pytest.mark.parametrize("value", [0, 0.5, 3600])
def test_a_wait_within_an_hour_is_accepted(value: float) -> None:
    assert repr(faults.slow(value)) == f"slow({value})"


@pytest.mark.parametrize(
    ("make", "least", "bad"),
    [
        (faults.http_error, 100, [99, 600, 0, -1, "500", 500.0, True, None]),
        (faults.gateway_error, 500, [499, 600, 200]),
    ],
    ids=["http_error", "gateway_error"],
)
def test_a_status_that_is_none_is_refused(
    make: Callable[[Any], Fault], least: int, bad: list[Any]
) -> None:
    for status in bad:
        message = f"status {status!r}: a status is a whole number from {least} to 599"
        with pytest.raises(ValueError, match=whole(message)):
            make(status)


@pytest.mark.parametrize("value", [-1, 1.5, "60", True])
def test_a_retry_after_that_makes_no_sense_is_refused(value: Any) -> None:
    message = (
        f"retry_after={value!r}: retry_after must be a whole number of seconds, 0 or more, or None"
    )
    with pytest.raises(ValueError, match=whole(message)):
        faults.rate_limited(value)


def test_two_bodies_are_refused() -> None:
    with pytest.raises(ValueError, match=whole("http_error takes json= or text=, not both")):
        faults.http_error(500, json={}, text="x")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            faults.without,
            "without() takes at least one key, for example without('expires_in')",
        ),
        (
            faults.replacing,
            "replacing() takes at least one key, for example replacing(expires_in='7200')",
        ),
        (lambda: faults.without(7), "without(7): a key must be a string"),  # type: ignore[arg-type]
    ],
    ids=["without", "replacing", "not-a-string"],
)
def test_a_fault_that_changes_nothing_is_refused(make: Callable[[], Fault], message: str) -> None:
    with pytest.raises(ValueError, match=whole(message)):
        make()


def test_a_key_that_the_answer_never_has_is_refused_when_injected(optum_auth: FakeOptum) -> None:
    keys = (
        "'access_token', 'expires_in', 'refresh_expires_in', 'token_type', 'not-before-policy', "
        "'scope'"
    )
    message = f"without('nonsense'): the answer has no key 'nonsense'; it has {keys}"

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.inject(faults.without("nonsense"))

    assert optum_auth.problems() == ""


def test_a_value_that_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        faults.replacing(expires_in=b"7200")
    with pytest.raises(TypeError):
        faults.http_error(500, json=b"x")


def test_the_clock_stands_still_while_a_fault_waits(
    send: Send, optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    before = optum_clock.now
    optum_auth.inject(faults.slow(0.05))
    get_token(send, optum_auth)

    assert optum_clock.now == before
    assert optum_auth.exchanges[0].at == before


def test_requests_names_the_host_and_port_as_it_always_does(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.timeout())

    with pytest.raises(requests.ReadTimeout, match=r"host='sandbox-apigw.optum.com', port=443"):
        requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)


def test_requests_waits_no_longer_than_its_connect_and_read_timeouts(
    optum_auth: FakeOptum,
) -> None:
    optum_auth.inject(faults.slow(30))

    with pytest.raises(requests.ReadTimeout):
        requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=(30, 0.05))


def test_a_fault_on_an_api_does_not_touch_the_token_endpoint(
    send: Send, optum_auth: FakeOptum
) -> None:
    route = optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    injection = route.inject(faults.server_error())

    token = get_token(send, optum_auth)
    hits = injection.hits
    answer = call(send, token, API)

    assert (hits, answer.status, injection.hits) == (0, 500, 1)
