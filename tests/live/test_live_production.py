"""A live run never reaches production, not even by an address in the code under test."""

from __future__ import annotations

import pytest
from live_runs import LiveRuns

SENTENCE = (
    "The code under test looked up the production host {}, which a live run never calls: take its "
    "URL from OPTUM_BASE_URL or OPTUM_TOKEN_URL, or run this test with --optum-live=off."
)
CALLS = {
    "urllib": "urllib.request.urlopen('https://apigw.optum.com/x', timeout=1)",
    "requests": "requests.get('https://APIGW.optum.com/x', timeout=1)",
    "httpx": "httpx.get('https://apigw.optum.com./x', timeout=1)",
    "asyncio": "asyncio.run(asyncio.open_connection('apigw.optum.com', 443))",
    "bytes": "socket.create_connection((b'apigw.optum.com', 443), timeout=1)",
}
IMPORTS = "import asyncio, socket, urllib.request, httpx, pytest, requests\n"


@pytest.mark.parametrize("call", CALLS)
def test_a_look_up_of_production_fails_the_test(
    inner: LiveRuns, live_credentials: dict[str, str], call: str
) -> None:
    inner.pytester.makepyfile(test_inner=f"{IMPORTS}def test_it(): {CALLS[call]}")

    result = inner.run()

    result.assert_outcomes(failed=1)
    assert SENTENCE.format("apigw.optum.com") in result.outlines


def test_a_client_that_swallows_everything_fails_its_test_all_the_same(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(
        """
        import socket

        def test_it():
            try:
                socket.getaddrinfo("apis.changehealthcare.com", 443)
            except BaseException:
                pass
        """
    )

    result = inner.run()

    result.assert_outcomes(passed=1, errors=1)
    assert SENTENCE.format("apis.changehealthcare.com") in result.outlines


@pytest.mark.parametrize("host", ["'localhost'", "b'localhost'", "None"])
def test_other_look_ups_are_left_alone(
    inner: LiveRuns, live_credentials: dict[str, str], host: str
) -> None:
    inner.tests(f"import socket\ndef test_it(): assert socket.getaddrinfo({host}, 80)")

    inner.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(("mode", "watched"), [("auto", True), ("off", False)])
def test_nothing_is_watched_when_live_tests_are_off(
    mode: str, watched: bool, inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.tests(
        f"""
        from pytest_optum_auth import network_watch

        def test_it(): assert bool(network_watch._looks) is {watched}
        """
    )

    inner.run(f"--optum-live={mode}").assert_outcomes(passed=1)


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("swallows", [True, False])
def test_a_fixture_that_calls_production_fails_its_test(
    place: str, swallows: bool, inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    call = "call()" if place == "before" else "pass"
    inner.tests(
        f"""
        import contextlib, socket, pytest

        def call():
            with contextlib.suppress(Exception if {swallows} else ()):
                socket.gethostbyname("apigw.optum.com")

        @pytest.fixture
        def client():
            {call}
            yield
            {"call()" if place == "after" else "pass"}

        def test_it(client):
            pass
        """
    )

    result = inner.run()

    # What was not swallowed before the test keeps it from running.
    ran = place == "after" or swallows
    result.assert_outcomes(passed=int(ran), errors=1)
    assert SENTENCE.format("apigw.optum.com") in result.outlines
