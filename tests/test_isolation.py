"""Nothing survives a test: a snapshot of the process before it and after it is the same."""

from __future__ import annotations

import pytest
from inner_runs import Run

# Compares in every process of the inner run, also on the workers of xdist.
CONFTEST = """
import gc, os, socket, sys, threading, time

import aiohttp, asyncio, httpx, httpx2, requests, urllib3
import freezegun.api
import http.client
import pytest

from pytest_optum_auth import transports

PLACES = [
    (requests.Session, "send"), (requests.adapters.HTTPAdapter, "send"),
    (urllib3.connectionpool.HTTPConnectionPool, "urlopen"),
    (httpx.Client, "send"), (httpx.Client, "_transport_for_url"),
    (httpx.HTTPTransport, "handle_request"), (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpx2.Client, "send"), (httpx2.HTTPTransport, "handle_request"),
    (aiohttp.TCPConnector, "_create_connection"), (aiohttp.ClientSession, "_request"),
    (socket, "getaddrinfo"), (socket.socket, "connect"), (socket.socket, "connect_ex"),
    (http.client.HTTPConnection, "set_tunnel"),
    (asyncio.BaseEventLoop, "call_at"), (asyncio.BaseEventLoop, "call_later"),
    (asyncio.BaseEventLoop, "call_soon"), (asyncio.BaseEventLoop, "run_in_executor"),
    (time, "time"), (time, "monotonic"), (time, "perf_counter"), (freezegun.api, "sys"),
]


def snapshot():
    # What stays for the next test is put in place by none.
    transports.release()
    return {
        "environment": dict(os.environ),
        "methods": [getattr(owner, name) for owner, name in PLACES],
        "own names": [name in vars(owner) for owner, name in PLACES],
        "threads": {t.name for t in threading.enumerate() if not t.name.startswith("optum-https")},
        "import hooks": list(sys.meta_path),
        "freezers": list(freezegun.api.freeze_factories),
        "stack limit": freezegun.api.call_stack_inspection_limit,
        "path hooks": list(sys.path_hooks),
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    before = snapshot()
    before["environment"].pop("PYTEST_CURRENT_TEST", None)
    result = yield
    after = snapshot()
    after["environment"].pop("PYTEST_CURRENT_TEST", None)
    different = [name for name in before if before[name] != after[name]]
    assert not different, (item.nodeid, [(before[n], after[n]) for n in different])
    return result
"""

# Each kind ends in another way.
SUITE = """
import asyncio, threading

import httpx, pytest, requests

from pytest_optum_auth import Clock, FakeOptum, faults


def ask(optum, post=requests.post):
    client_id, client_secret = optum.credentials
    form = {"grant_type": "client_credentials", "client_id": client_id,
            "client_secret": client_secret}
    return post(optum.token_url, data=form)


many = pytest.mark.parametrize("number", range(COUNT))


@many
def test_passes(number, optum_auth, optum_clock, optum_env):
    assert ask(optum_auth).status_code == 200
    optum_clock.expire_token()


@many
def test_fails(number, optum_auth, optum_clock):
    assert ask(optum_auth, httpx.post).status_code == 500


@many
@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
def test_fails_at_its_end(number, optum_auth):
    optum_auth.inject(faults.server_error())


@many
def test_is_skipped_in_the_middle(number, optum_auth, optum_clock):
    ask(optum_auth)
    pytest.skip("midway")


@many
def test_holds_a_caller(number, optum_auth):
    hold = optum_auth.hold()
    caller = threading.Thread(target=ask, args=(optum_auth,))
    caller.start()
    hold.wait_for(1)
    hold.release()
    caller.join()


@many
def test_leaves_a_coroutine_that_is_cancelled_at_a_hold(number, optum_auth, optum_clock):
    async def main():
        async with httpx.AsyncClient(verify=False) as client:
            caller = asyncio.ensure_future(ask(optum_auth, client.post))
            await optum_auth.hold().wait_for_async(1)
            caller.cancel()

    asyncio.run(main())


@many
def test_leaves_context_managers_by_an_error(number):
    with FakeOptum() as optum, Clock("2026-01-01T00:00:00Z"):
        ask(optum)
        raise KeyError("on the way out")


@many
def test_fails_over_https(number, optum_server, optum_env):
    assert ask(optum_server).status_code == 500
"""

EACH = 125


def test_a_thousand_tests_in_random_order_leave_nothing_behind(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_many=SUITE.replace("COUNT", str(EACH)))

    result = pytester.runpytest_subprocess(
        "-p",
        "xdist",
        "-p",
        "randomly",
        "-n",
        "4",
        "-q",
        "-p",
        "no:asyncio",
        "-p",
        "no:socket",
        "--tb=no",
    )

    # Of the test that fails at its end, the call has passed.
    result.assert_outcomes(passed=4 * EACH, failed=3 * EACH, errors=EACH, skipped=EACH)


def test_a_test_that_leaves_something_behind_is_found(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
        from pytest_optum_auth import FakeOptum

        def test_never_leaves():
            FakeOptum().__enter__()
        """
    )

    result = pytester.runpytest_subprocess("-q", "--tb=no", "-p", "no:asyncio")

    result.stdout.fnmatch_lines(
        ["*AssertionError: (*::test_never_leaves*", "*assert not *methods*"]
    )


def test_a_fake_is_forgotten_after_its_test_has_been_reported(run: Run) -> None:
    result = run(
        """
import gc, weakref

fakes = []

def test_first(optum_auth):
    fakes.append(weakref.ref(optum_auth))
    assert fakes[0]() is optum_auth

def test_second():
    gc.collect()
    assert fakes[0]() is None
"""
    )

    result.assert_outcomes(passed=2)
