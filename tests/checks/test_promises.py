"""Each promise and each client: who keeps all of them, and who breaks one and no other."""

from __future__ import annotations

import asyncio

import pytest
from promising_clients import (
    API,
    BREAKING,
    POST,
    POST_ASYNC,
    GoodClient,
    in_tasks,
    in_threads,
)

from pytest_optum_auth import ClientCheck, Clock, FakeOptum
from pytest_optum_auth.checks.client_check import BrokenPromise
from pytest_optum_auth.checks.promises import PROMISES


def verdict(promise: str, kind: type[GoodClient], library: str) -> str:
    """What the check of ``promise`` says of a client on ``library``."""
    with Clock() as clock, FakeOptum(strict=False) as fake:
        fake.protect("POST", API, json={"covered": True})
        check = ClientCheck(PROMISES[promise], fake, clock)
        client = kind(fake)
        try:
            if library in POST:
                check(in_threads(client, POST[library]))
            else:
                asyncio.run(check.run_async(in_tasks(client, POST_ASYNC[library])))
        except BrokenPromise as broken:
            return " ".join(str(broken).split())
    return "kept"


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
