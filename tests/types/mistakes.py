"""Mistakes that a type checker must find in a test, and types that a test may rely on.

Never run: `tox -e types` reads it. mypy in its strict mode complains of an `ignore` that is not
needed, and so of each mistake here that it has not found.
"""
# ruff: noqa: B018, F401, I001

from __future__ import annotations

import datetime as dt
from typing import TypedDict

from typing_extensions import assert_type

import pytest_optum_auth
from pytest_optum_auth import (
    ApiRoute,
    ClientCheck,
    Clock,
    Credentials,
    Exchange,
    Exchanges,
    FakeOptum,
    Injection,
    LiveSandbox,
    Reply,
    Server,
    Target,
    Token,
    faults,
)
from pytest_optum_auth import Clok  # type: ignore[attr-defined]

pytest_optum_auth.NoSuchName  # type: ignore[attr-defined]


def a_fake(optum_auth: FakeOptum) -> None:
    optum_auth.expires_in = 5
    optum_auth.expire_in = 5  # type: ignore[attr-defined]
    optum_auth.expires_in = "5"  # type: ignore[assignment]
    optum_auth.error_format = "rfc"  # type: ignore[assignment]
    optum_auth.tokens = []  # type: ignore[misc]
    FakeOptum(expire_in=5)  # type: ignore[call-arg]
    FakeOptum(strict="no")  # type: ignore[arg-type]
    optum_auth.inject("server_error")  # type: ignore[arg-type]
    optum_auth.inject(faults.server_error)  # type: ignore[arg-type]
    optum_auth.protect("GET")  # type: ignore[call-arg]
    optum_auth.protect("GET", "/thing", json={1, 2})  # type: ignore[arg-type]
    optum_auth.protect("GET", "/thing", json=dt.datetime.now())  # type: ignore[arg-type]
    optum_auth.protect("GET", "/thing", json=lambda: {})  # type: ignore[arg-type, misc]
    optum_auth.protect("GET", "/thing", text=b"bytes")  # type: ignore[arg-type]
    optum_auth.protect("GET", "/thing").then(content="text")  # type: ignore[arg-type]
    Reply(json=object())  # type: ignore[arg-type]
    faults.http_error(500, json={1})  # type: ignore[arg-type]
    optum_auth.issue_token(scope=["openid"])  # type: ignore[arg-type]
    optum_auth.credentials.secret  # type: ignore[attr-defined]
    optum_auth.protect("GET", "/thing").status = 500  # type: ignore[attr-defined]
    optum_auth.revoke("token")  # type: ignore[arg-type]
    faults.server_errors()  # type: ignore[attr-defined]


class Claim(TypedDict):
    number: int


async def answer(exchange: Exchange) -> Reply:
    return Reply(201, json={"path": exchange.path})


def what_a_fake_takes(optum_auth: FakeOptum, claim: Claim, answers: dict[str, object]) -> None:
    for json in ({"a": [1, None]}, [1.5], "text", 3, None, True, claim, [claim], answers):
        optum_auth.protect("GET", "/thing", json=json).then(json=json)
    optum_auth.protect("GET", "/thing", json=lambda exchange: {"member": exchange.path_params})
    optum_auth.protect("GET", "/thing", json=lambda exchange: Reply(404)).then(json=answer)
    optum_auth.protect("GET", "/thing", text=lambda exchange: exchange.url).then(content=b"%PDF")


def what_a_fake_has(optum_auth: FakeOptum) -> None:
    assert_type(optum_auth.expires_in, int)
    assert_type(optum_auth.lifetime, int | None)
    assert_type(optum_auth.credentials, Credentials)
    assert_type(optum_auth.credentials[0], str)
    assert_type(optum_auth.credentials["client_secret"], str)
    assert_type({**optum_auth.credentials}, dict[str, str])
    assert_type(optum_auth.last_token, Token | None)
    assert_type(optum_auth.token_requests, Exchanges)
    assert_type(optum_auth.token_requests[0], Exchange)
    assert_type(optum_auth.token_requests[0].status, int | None)
    assert_type(optum_auth.protect("GET", "/thing"), ApiRoute)
    assert_type(optum_auth.inject(faults.timeout()), Injection)
    assert_type(optum_auth.protect("GET", "/thing").requests, Exchanges)


def a_clock(optum_clock: Clock) -> None:
    optum_clock.now = dt.datetime.now()  # type: ignore[misc]
    optum_clock.tick("1 s")  # type: ignore[arg-type]
    optum_clock.expire_token(7200)  # type: ignore[arg-type]
    optum_clock.ticks(1)  # type: ignore[attr-defined]

    assert_type(optum_clock.now, dt.datetime)
    assert_type(optum_clock.time, float)


def the_rest(
    server: Server, live: LiveSandbox, target: Target, check: ClientCheck, token: Token
) -> None:
    server.url  # type: ignore[attr-defined]
    live.token  # type: ignore[attr-defined]
    target.live  # type: ignore[attr-defined]
    check(1)  # type: ignore[arg-type]

    assert_type(server.base_url, str)
    assert_type(live.access_token, str)
    assert_type(target.is_live, bool)
    assert_type(token.expires_at, dt.datetime)
    client_id, client_secret = target.credentials
    assert_type((client_id, client_secret), tuple[str, str])
