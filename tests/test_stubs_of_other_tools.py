"""Stubs of tools that the test has started itself, behind its token check."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from other_mocks import functions
from stub_forms import API, FORMS, NOT_NESTED, STUBBED, Form, Stub
from token_requests import ask

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.transports import TRANSPORTS, load

for library in TRANSPORTS:
    load(library)

Headers = dict[str, str]
Test = Callable[[FakeOptum, Stub], None]
Order = Callable[[Form, Test], None]


@pytest.fixture(autouse=True)
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Nobody tries to look up or to open anything; what he tried is told."""
    tried: list[object] = []

    def refuse(*asked: object, **_: object) -> object:
        tried.append(asked)
        raise OSError("nothing may leave")

    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield tried
    assert tried == []


@pytest.fixture(autouse=True)
def genuine(nothing_leaves: object) -> Iterator[None]:
    """Nobody's replacement is left behind."""
    before = functions()
    yield
    assert functions() == before


@pytest.fixture
def tool(name: str) -> str:
    return name.partition(",")[0]


@pytest.fixture
def form(name: str) -> Form:
    return FORMS[name]


def theirs_first(form: Form, body: Test) -> None:
    def within(stub: Stub) -> None:
        with FakeOptum() as fake:
            body(fake, stub)

    form(within)


def ours_first(form: Form, body: Test) -> None:
    with FakeOptum() as fake:
        form(lambda stub: body(fake, stub))


def between_two_of_theirs(form: Form, body: Test) -> None:
    def within(outer: Stub) -> None:
        # By their own rules the inner one answers, or the outer one.
        def calls(inner: Stub) -> int:
            return inner.calls() + (outer.calls() if outer.mock is not inner.mock else 0)

        ours_first(form, lambda fake, inner: body(fake, replace(inner, calls=lambda: calls(inner))))

    form(within)


ORDERS: list[Order] = [theirs_first, ours_first, between_two_of_theirs]
IN_EVERY_ORDER = pytest.mark.parametrize(
    ("name", "order"),
    [
        pytest.param(name, order, id=f"{name}, {order.__name__}")
        for name in FORMS
        for order in ORDERS
        if name not in NOT_NESTED or order is not between_two_of_theirs
    ],
)


def none(fake: FakeOptum) -> Headers:
    return {}


def good(fake: FakeOptum) -> Headers:
    return {"Authorization": f"Bearer {fake.issue_token()}"}


def expired(fake: FakeOptum) -> Headers:
    return {"Authorization": f"Bearer {fake.issue_token(expires_in=0)}"}


def revoked(fake: FakeOptum) -> Headers:
    headers = good(fake)
    fake.revoke()
    return headers


def unknown(fake: FakeOptum) -> Headers:
    return good(FakeOptum())


@IN_EVERY_ORDER
def test_a_good_token_comes_to_the_stub(form: Form, tool: str, order: Order) -> None:
    def body(fake: FakeOptum, stub: Stub) -> None:
        assert ask(stub.send, fake).status == 200
        answer = stub.send("GET", API, headers=good(fake))

        assert (answer.status, answer.content, stub.calls()) == (200, STUBBED, 1)
        [exchange] = fake.api_requests
        assert (exchange.status, exchange.outcome) == (
            200,
            f"token #2 accepted, answered by {tool}",
        )
        assert ask(stub.send, fake).status == 200

    order(form, body)


@IN_EVERY_ORDER
@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        (none, "refused: no bearer token"),
        (expired, "token #1 expired"),
        (revoked, "token #1 was revoked"),
        (unknown, "refused: the token is unknown (kept from another test?)"),
    ],
)
def test_no_other_token_does(
    form: Form,
    tool: str,
    order: Order,
    token: Callable[[FakeOptum], Headers],
    outcome: str,
) -> None:
    def body(fake: FakeOptum, stub: Stub) -> None:
        answer = stub.send("GET", API, headers=token(fake))

        assert (answer.status, stub.calls()) == (401, 0)
        assert answer.json()["failureReason"] == "InvalidToken"
        [exchange] = fake.api_requests
        assert (exchange.status, exchange.outcome[: len(outcome)]) == (401, outcome)

    order(form, body)
