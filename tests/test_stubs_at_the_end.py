"""What a test is told at its end of its stubs, and where it takes them from."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
import respx
from responses import RequestsMock
from stubbed_apis import BASE, bearer, get
from transports_under_test import send_with_requests
from whole_message import whole

from pytest_optum_auth import FakeOptum


def test_a_stub_that_nobody_asked_is_told_once(
    optum_auth: FakeOptum, optum_responses: RequestsMock, optum_respx: respx.Router
) -> None:
    optum_responses.post(f"{BASE}/claims")
    optum_responses.get(re.compile(".*"))
    optum_respx.get("/claims")
    optum_respx.route(host__in=("a.example.com", "b.example.com"))

    message = (
        f"the stub POST {BASE}/claims of optum_responses was never asked: the test does not test "
        "it\n"
        "the stub GET .* of optum_responses was never asked: the test does not test it\n"
        f"the stub GET {BASE}/claims of optum_respx was never asked: the test does not test it\n"
        "the stub any method https://('a.example.com', 'b.example.com') of optum_respx was never "
        "asked: the test does not test it"
    )
    with pytest.raises(AssertionError, match=whole(message)):
        optum_auth.verify()
    optum_auth.verify()


def test_a_stub_for_another_host_is_told_as_such(
    optum_auth: FakeOptum, optum_responses: RequestsMock, optum_respx: respx.Router
) -> None:
    optum_responses.get("https://example.com/claims")
    optum_respx.get("https://example.com/plans")

    assert optum_auth.problems().splitlines() == [
        f"the stub GET https://example.com/{path} of {stubs} was never asked: example.com is no "
        f"gateway, and {stubs} answers for the gateway alone; stub other hosts with the tool you "
        "use for them"
        for path, stubs in (("claims", "optum_responses"), ("plans", "optum_respx"))
    ]


def test_a_test_may_say_that_it_does_not_mind(
    optum_auth: FakeOptum, optum_responses: RequestsMock
) -> None:
    optum_responses.get(f"{BASE}/claims")
    optum_responses.assert_all_requests_are_fired = False

    assert optum_auth.problems() == ""


@pytest.mark.respx(assert_all_called=False)
def test_the_marker_of_respx_counts(optum_auth: FakeOptum, optum_respx: respx.Router) -> None:
    optum_respx.get("/claims")

    assert optum_auth.problems() == ""


@pytest.mark.respx(base_url="https://example.com")
def test_the_marker_of_respx_without_that_word(
    optum_auth: FakeOptum, optum_respx: respx.Router
) -> None:
    optum_respx.get("/claims")

    assert "was never asked" in optum_auth.problems()


def test_a_stub_that_a_failed_test_did_not_come_to_is_not_told(run: Any) -> None:
    result = run(
        """
        def test_it(optum_respx):
            optum_respx.get("/claims")
            raise ValueError("too early")
        """
    )

    result.assert_outcomes(failed=1)


@pytest.mark.parametrize(
    "stub",
    [
        'optum_auth.respx.get("/claims").mock(side_effect=lambda request: pytest.fail("wrong"))',
        'optum_auth.responses.add_callback("GET", URL, lambda request: pytest.fail("wrong"))',
        'optum_auth.protect("GET", "/claims", json=lambda exchange: pytest.fail("wrong"))',
    ],
)
@pytest.mark.parametrize("served", [False, True], ids=["in-process", "https"])
def test_a_callable_that_fails_the_test(stub: str, served: bool, run: Any) -> None:
    fixtures = "optum_auth, optum_server" if served else "optum_auth"
    base = "optum_server" if served else "optum_auth"
    ca = "optum_server.ca_bundle" if served else "True"
    result = run(
        f"""
        import pytest, requests
        URL = "{BASE}/claims"

        def test_it({fixtures}):
            {stub}
            headers = {{"Authorization": f"Bearer {{optum_auth.issue_token()}}"}}
            requests.get({base}.base_url + "/claims", headers=headers, verify={ca}, timeout=5)
        """
    )

    if served:
        result.assert_outcomes(passed=1, errors=1)
    else:
        result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Failed: wrong"])
    result.stdout.fnmatch_lines(["*GET /claims*"])


def test_a_failure_that_the_client_swallows_fails_the_test(run: Any) -> None:
    result = run(
        """
        import requests

        def wrong(request):
            assert request.method == "POST", "the method is wrong"

        def test_it(optum_auth):
            optum_auth.respx.get("/claims").mock(side_effect=wrong)
            headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
            try:
                requests.get(optum_auth.base_url + "/claims", headers=headers)
            except Exception:
                pass
        """
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["GET /claims, answered by optum_respx: AssertionError: *"])


# The fixtures.


def test_the_fixtures_are_those_of_the_fake(
    optum_auth: FakeOptum, optum_responses: RequestsMock, optum_respx: respx.Router
) -> None:
    assert optum_responses is optum_auth.responses
    assert optum_respx is optum_auth.respx


def test_stubs_that_nobody_has_written_change_nothing(
    optum_auth: FakeOptum, optum_responses: RequestsMock, optum_respx: respx.Router
) -> None:
    optum_auth.strict = False

    with pytest.raises(requests.ConnectionError, match=r"no protect\(\) covers it; add"):
        get(send_with_requests, optum_auth, "/claims")


def test_a_base_url_with_a_path() -> None:
    with FakeOptum(base_url="https://proxy.example.com/optum") as optum:
        optum.respx.get("/claims").respond(text="claims")
        headers = bearer(optum)
        got = send_with_requests("GET", "https://proxy.example.com/optum/claims", headers=headers)

    assert got.content == b"claims"


@pytest.mark.parametrize("library", ["responses", "respx"])
def test_without_the_library_the_fixture_says_what_to_install(
    library: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"pytest_optum_auth.stubs.{library}_", raising=False)

    result = run(f"def test_it(optum_{library}): ...")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"optum_{library} needs the library {library} (import of {library} halted; None*"]
    )
