"""Mistakes of the first hour: each is answered by a sentence that shows the way out."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
import trio
from inner_runs import Run, part
from token_requests import ask, fields
from transports_under_test import send_with_requests as send
from whole_message import whole

import pytest_optum_auth
from pytest_optum_auth import Clock, FakeOptum, Server, faults, plugin

V2 = "https://sandbox-apigw.optum.com/apip/auth/v2/token"
FORM = "application/x-www-form-urlencoded"


def told(optum_auth: FakeOptum) -> list[str]:
    """What the timeline tells beside the exchanges."""
    return [
        line.partition("-- ")[2] for line in optum_auth.timeline().splitlines() if "-- " in line
    ]


# An unknown client.

UNKNOWN = (
    "'billing' was sent, known is 'optum-test-client-1': give the client those of "
    "optum_auth.credentials, or the fake the client's own by "
    "@pytest.mark.optum_auth(client_id='billing', client_secret=...)"
)


@pytest.mark.parametrize("error_format", ["optum", "rfc6749", "keycloak"])
def test_an_unknown_client_is_told_which_was_sent_and_which_is_known(
    error_format: str, optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = error_format

    ask(send, optum_auth, client_id="billing")

    assert told(optum_auth) == [UNKNOWN]


def test_it_is_told_once(optum_auth: FakeOptum) -> None:
    for client_id in ("billing", "billing", "other"):
        ask(send, optum_auth, client_id=client_id)

    assert [text[:9] for text in told(optum_auth)] == ["'billing'", "'other' w"]


def test_it_is_in_the_report(run: Run) -> None:
    result = run(
        """
import requests

def test_it(optum_auth):
    form = {"grant_type": "client_credentials", "client_id": "billing", "client_secret": "x"}
    requests.post(optum_auth.token_url, data=form).raise_for_status()
"""
    )

    assert part(result, "Optum traffic")[1].endswith(UNKNOWN)


def test_of_many_clients_some_are_named(optum_auth: FakeOptum) -> None:
    for number in range(2, 8):
        optum_auth.add_client(f"client-{number}")

    ask(send, optum_auth, client_id="billing")

    known = "'optum-test-client-1', 'client-2', 'client-3', 'client-4', 'client-5' and others"
    assert f"known are {known}: give" in told(optum_auth)[0]


def test_a_secret_that_was_sent_as_the_id_is_not_shown(optum_auth: FakeOptum) -> None:
    secret = optum_auth.credentials.client_secret

    ask(send, optum_auth, client_id=secret, client_secret="x")

    assert told(optum_auth) == ["a client_secret was sent as client_id: are the two exchanged?"]


@pytest.mark.parametrize("changes", [{"client_secret": "x"}, {"client_id": None}, {"scope": "x"}])
def test_nothing_is_told_of_what_the_refusal_says_itself(
    changes: dict[str, str | None], optum_auth: FakeOptum
) -> None:
    ask(send, optum_auth, **changes)

    assert told(optum_auth) == []


# JSON where a form is meant, and the other way round.


@pytest.mark.parametrize(
    ("url", "media_type", "is_json", "advice"),
    [
        (
            None,
            "application/json",
            True,
            "the body is JSON, and Content-Type says 'application/json': v3 takes a form, send the "
            "fields with data=, not json=",
        ),
        (
            None,
            FORM,
            True,
            f"the body is JSON, and Content-Type says '{FORM}': v3 takes a form, send the fields "
            "with data=, not json=",
        ),
        (
            None,
            "",
            True,
            "the body is JSON, and no Content-Type says so: v3 takes a form, send the fields with "
            "data=, not json=",
        ),
        (
            V2,
            "",
            True,
            "the body is JSON, and no Content-Type says so: /apip/auth/v2/token takes JSON or a "
            "form, send it with json=",
        ),
        (
            V2,
            "application/json",
            False,
            f"the body is a form, and Content-Type says 'application/json': send it as {FORM}",
        ),
        (
            None,
            "text/plain",
            False,
            f"the body is a form, and Content-Type says 'text/plain': send it as {FORM}",
        ),
        (None, "", False, f"the body is a form, and no Content-Type says so: send it as {FORM}"),
    ],
)
def test_a_body_of_the_other_kind_is_told(
    url: str | None, media_type: str, is_json: bool, advice: str, optum_auth: FakeOptum
) -> None:
    body = json.dumps(fields(optum_auth)) if is_json else "grant_type=client_credentials"
    headers = {"Content-Type": media_type} if media_type else {}

    send("POST", url or optum_auth.token_url, headers=headers, content=body.encode())

    assert told(optum_auth) == [advice]


def test_nothing_is_told_of_a_body_that_is_neither(optum_auth: FakeOptum) -> None:
    send("POST", optum_auth.token_url, headers={"Content-Type": "text/plain"}, content=b"x")

    assert told(optum_auth) == []


# Names that are looked for elsewhere.


@pytest.mark.parametrize("name", ["expire_token", "tick", "now"])
def test_what_the_clock_has_is_not_looked_for_at_the_fake(name: str, optum_auth: FakeOptum) -> None:
    message = (
        f"a FakeOptum has no {name!r}: time is moved by the fixture optum_clock, optum_clock.{name}"
    )

    with pytest.raises(AttributeError, match=re.escape(message)):
        getattr(optum_auth, name)


def test_another_name_that_it_has_not_is_told_as_ever(optum_auth: FakeOptum) -> None:
    with pytest.raises(AttributeError, match="a FakeOptum has no attribute 'tokenz'"):
        _ = optum_auth.tokenz


@pytest.mark.parametrize("name", ["protect", "inject", "token_requests", "expires_in"])
def test_what_the_fake_has_is_not_looked_for_at_the_server(name: str, optum_server: Server) -> None:
    message = (
        f"a Server has no {name!r}: it serves the fake of the fixture optum_auth, optum_auth.{name}"
    )

    with pytest.raises(AttributeError, match=whole(message)):
        getattr(optum_server, name)
    with pytest.raises(AttributeError, match=whole("a Server has no attribute 'port'")):
        _ = optum_server.port


@pytest.mark.parametrize(
    "find",
    [
        lambda fake, clock, server: fake.protect("GET", "/claims"),
        lambda fake, clock, server: fake.inject(faults.timeout(), times=None),
        lambda fake, clock, server: fake.hold(),
        lambda fake, clock, server: fake.issue_token(),
        lambda fake, clock, server: clock,
        lambda fake, clock, server: server,
    ],
    ids=["route", "injection", "hold", "token", "clock", "server"],
)
def test_nothing_is_set_that_changes_nothing(
    find: Any, optum_auth: FakeOptum, optum_clock: Clock, optum_server: Server
) -> None:
    found = find(optum_auth, optum_clock, optum_server)

    with pytest.raises(AttributeError, match="status"):
        found.status = 500


@pytest.mark.parametrize("index", [0, 1, -1])
def test_of_exchanges_that_are_not_there_the_number_is_told(
    index: int, optum_auth: FakeOptum
) -> None:
    message = whole(f"there is no [{index}] of 0 exchanges")

    with pytest.raises(IndexError, match=message):
        _ = optum_auth.token_requests[index]


@pytest.mark.parametrize("method", ["protect", "inject", "issue_token", "add_client", "revoke_all"])
def test_a_wrong_argument_is_told_of_the_class_that_a_test_knows(
    method: str, optum_auth: FakeOptum
) -> None:
    # Not every Python names the class.
    with pytest.raises(TypeError, match=rf"^(FakeOptum\.)?{method}\(\) "):
        getattr(optum_auth, method)(1, 2, 3, 4, 5)


FIXTURES = [name for name in vars(plugin) if name.startswith("optum_")]


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_is_not_imported(name: str) -> None:
    message = (
        f"{name} is a fixture: a test takes it as an argument, def test_it({name}):, and nothing "
        "is imported"
    )

    with pytest.raises(ImportError, match=re.escape(message)):
        exec(f"from pytest_optum_auth import {name}")


def test_a_name_that_is_nowhere_is_told_as_ever() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'optum_nothing'"):
        _ = pytest_optum_auth.optum_nothing


@pytest.mark.parametrize("content", [{"member": "1"}, ["1"], {}])
def test_the_json_of_an_exchange_is_a_property(content: object, optum_auth: FakeOptum) -> None:
    api = optum_auth.protect("POST", "/claims")
    headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
    send("POST", f"{optum_auth.base_url}/claims", json=content, headers=headers)

    assert api.requests[0].json == content
    assert json.dumps(api.requests[0].json) == json.dumps(content)
    message = "the json of an Exchange is a property: write exchange.json, without ()"
    with pytest.raises(TypeError, match=re.escape(message)):
        api.requests[0].json()


# Credentials as a pair and as fields.


def test_credentials_are_a_pair_by_index_and_fields_by_name(optum_auth: FakeOptum) -> None:
    credentials = optum_auth.credentials
    client_id, client_secret = credentials

    assert (credentials[0], credentials[1], credentials[-1]) == (
        client_id,
        client_secret,
        client_secret,
    )
    assert {**credentials} == dict(credentials)
    assert {**credentials} == {"client_id": client_id, "client_secret": client_secret}
    form = {"grant_type": "client_credentials", **credentials}
    assert send("POST", optum_auth.token_url, data=form).status == 200
    assert client_secret not in repr(credentials)


@pytest.mark.parametrize(
    ("key", "error"), [("secret", KeyError), (2, IndexError), (None, KeyError)]
)
def test_credentials_have_no_other_key(
    key: object, error: type[Exception], optum_auth: FakeOptum
) -> None:
    with pytest.raises(error):
        optum_auth.credentials[key]


# The wait of threads in a coroutine.


@pytest.mark.parametrize("run_loop", [asyncio.run, lambda main: trio.run(lambda: main)])
def test_wait_for_in_a_coroutine_names_its_async_form(
    run_loop: object, optum_auth: FakeOptum
) -> None:
    async def main() -> None:
        with optum_auth.hold() as hold:
            hold.wait_for(timeout=0.01)

    message = (
        "0 of 1 token requests arrived at the hold within 0.01 s: in a coroutine use await "
        "hold.wait_for_async(), this one stops the event loop in which they would arrive"
    )
    with pytest.raises(TimeoutError, match=re.escape(message)):
        run_loop(main())


def test_wait_for_in_a_thread_does_not(optum_auth: FakeOptum) -> None:
    with optum_auth.hold() as hold, pytest.raises(TimeoutError, match=r"within 0.01 s$"):
        hold.wait_for(timeout=0.01)
