"""Unmet faults and unexpected requests fail a test at its end, once, and say what to do."""

from __future__ import annotations

import re

import pytest
import requests
from inner_runs import Run, part, titles
from token_requests import ask
from transports_under_test import IN_PROCESS, Transport
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import FakeOptum, faults

IMPORTS = """
import pytest
import requests
from pytest_optum_auth import faults

def ask(fake):
    client_id, client_secret = fake.credentials
    form = {"grant_type": "client_credentials", "client_id": client_id,
            "client_secret": client_secret}
    return requests.post(fake.token_url, data=form)

def refused(method, url):
    with pytest.raises(requests.ConnectionError):
        requests.request(method, url)

GATEWAY = "https://sandbox-apigw.optum.com"
"""


def test_an_unmet_fault_fails_the_test_at_its_end(run: Run) -> None:
    result = run(
        IMPORTS
        + """
def test_it(optum_auth):
    optum_auth.inject(faults.server_error())
    optum_auth.inject(faults.rate_limited(5), times=3)
    ask(optum_auth)
    ask(optum_auth)
"""
    )

    result.assert_outcomes(passed=1, errors=1)
    assert part(result, "ERROR at teardown of test_it") == [
        "rate_limited(retry_after=5) on the token endpoint was injected 3x and met 1x: the test "
        "does not test it"
    ]


def test_a_fault_that_is_met_fails_nothing(run: Run) -> None:
    result = run(
        IMPORTS
        + """
def test_it(optum_auth):
    optum_auth.inject(faults.server_error())
    assert ask(optum_auth).status_code == 500
"""
    )

    result.assert_outcomes(passed=1)


def test_an_unexpected_request_lists_the_protected_routes_nearest_first(run: Run) -> None:
    result = run(
        IMPORTS
        + """
def test_it(optum_auth):
    optum_auth.protect("GET", "/unlike/anything")
    optum_auth.protect("POST", "/oihub/claim/inquiry/v1")
    optum_auth.protect("GET", "/oihub/claims/{claim_id}")
    refused("POST", f"{GATEWAY}/oihub/claim/inquiry/v2?page=1")
"""
    )

    result.assert_outcomes(passed=1, errors=1)
    assert part(result, "ERROR at teardown of test_it") == [
        "POST /oihub/claim/inquiry/v2 was refused and not sent: no protect() covers it",
        '  add optum_auth.protect("POST", "/oihub/claim/inquiry/v2")',
        "  protected are, nearest first:",
        "    POST /oihub/claim/inquiry/v1",
        "    GET /oihub/claims/{claim_id}",
        "    GET /unlike/anything",
    ]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/apip/auth/sntl/v2/token", "/apip/auth/sntl/v1/token"),
        ("/auth/sntl/v1/tokens", "/auth/sntl/v1/token"),
        ("/apip/auth/token", "/apip/auth/v2/token"),
    ],
)
def test_a_misspelt_token_endpoint_is_not_taken_for_an_api(path: str, meant: str) -> None:
    with FakeOptum(strict=False) as fake:
        fake.protect("POST", "/oihub/claim/inquiry/v1")
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{fake.base_url}{path}", timeout=10)

        assert fake.problems().splitlines() == [
            f"POST {path} was refused and not sent: no protect() covers it",
            f"  the token endpoint is POST {meant}",
        ]


def test_a_misspelt_token_endpoint_of_ones_own_is_told_as_well() -> None:
    with FakeOptum(token_path="/oauth/token", strict=False) as fake:
        hint = "; the token endpoint is POST /oauth/token"
        with pytest.raises(requests.ConnectionError, match=hint):
            requests.post(f"{fake.base_url}/oauth/tokens", timeout=10)


def test_a_client_reads_the_protected_apis_in_one_line() -> None:
    with FakeOptum(strict=False) as fake:
        fake.protect("GET", "/plans")
        fake.protect("GET", "/members/{id}")
        message = (
            "GET /member was refused and not sent: no protect() covers it; "
            'add optum_auth.protect("GET", "/member"); '
            "protected are, nearest first: GET /members/{id}; GET /plans"
        )

        with pytest.raises(requests.ConnectionError, match=re.escape(message)):
            requests.get(f"{fake.base_url}/member", timeout=10)


def test_what_only_resembles_the_token_endpoint_is_an_api() -> None:
    with FakeOptum(strict=False) as fake:
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{fake.base_url}/apip/auth/sntl/v1/introspect", timeout=10)

        assert fake.problems().splitlines() == [
            "POST /apip/auth/sntl/v1/introspect was refused and not sent: no protect() covers it",
            '  add optum_auth.protect("POST", "/apip/auth/sntl/v1/introspect")',
            "  nothing is protected yet",
        ]


def test_everything_is_told_in_one_message(run: Run) -> None:
    result = run(
        IMPORTS
        + """
def test_it(optum_auth):
    optum_auth.inject(faults.timeout())
    optum_auth.protect("GET", "/plans").inject(faults.server_error())
    refused("GET", f"{GATEWAY}/members")
    refused("GET", "http://apigw.optum.com/plans?client_secret=hush")
    requests.delete(f"{GATEWAY}/plans")
    refused("GET", f"{GATEWAY}/members")
"""
    )

    result.assert_outcomes(passed=1, errors=1)
    assert part(result, "ERROR at teardown of test_it") == [
        "timeout() on the token endpoint was injected 1x and met 0x: the test does not test it",
        "server_error() on GET /plans was injected 1x and met 0x: the test does not test it",
        "2 times: GET /members was refused and not sent: no protect() covers it",
        '  add optum_auth.protect("GET", "/members")',
        "  protected are, nearest first:",
        "    GET /plans",
        "GET http://apigw.optum.com/plans was refused: calls to Optum are HTTPS only, use https://",
        "DELETE /plans was refused: the path is protected for GET only",
        '  add optum_auth.protect("DELETE", "/plans")',
    ]


def test_a_test_that_failed_keeps_its_own_failure_and_no_error_follows(run: Run) -> None:
    result = run(
        IMPORTS
        + """
def test_it(optum_auth):
    optum_auth.inject(faults.timeout())
    refused("GET", f"{GATEWAY}/members")
    assert 1 == 2
"""
    )

    result.assert_outcomes(failed=1)
    assert titles(result)[1:5] == ["FAILURES", "test_it", "Optum strictness", "Optum traffic"]
    assert "E       assert 1 == 2" in part(result, "test_it")
    assert part(result, "Optum strictness") == [
        "timeout() on the token endpoint was injected 1x and met 0x: the test does not test it",
        "GET /members was refused and not sent: no protect() covers it",
        '  add optum_auth.protect("GET", "/members")',
        "  nothing is protected yet",
    ]


@pytest.mark.parametrize(
    ("how", "outcomes"),
    [("raise KeyError('mine')", {"errors": 1}), ("pytest.skip('not here')", {"skipped": 1})],
)
def test_a_test_whose_set_up_did_not_get_through_is_not_accused(
    how: str, outcomes: dict[str, int], run: Run
) -> None:
    result = run(
        IMPORTS
        + f"""
@pytest.fixture
def client(optum_auth):
    optum_auth.inject(faults.timeout())
    {how}

def test_it(client):
    pass
"""
    )

    result.assert_outcomes(**outcomes)


@pytest.mark.parametrize(
    "off",
    [
        "@pytest.mark.optum_auth(strict=False)\ndef test_it(optum_auth):\n    pass",
        "def test_it(optum_auth):\n    optum_auth.strict = False",
    ],
    ids=["marker", "attribute"],
)
def test_without_strict_nothing_fails(off: str, run: Run) -> None:
    result = run(
        IMPORTS
        + off
        + """
    optum_auth.inject(faults.timeout())
    refused("GET", f"{GATEWAY}/members")
"""
    )

    result.assert_outcomes(passed=1)


def test_without_strict_a_failing_test_shows_no_strictness(run: Run) -> None:
    result = run(
        IMPORTS
        + """
@pytest.mark.optum_auth(strict=False)
def test_it(optum_auth):
    optum_auth.inject(faults.timeout())
    assert False
"""
    )

    result.assert_outcomes(failed=1)
    assert "Optum strictness" not in titles(result)


def test_a_skip_inside_the_test_is_not_turned_into_an_error(run: Run) -> None:
    result = run(
        IMPORTS
        + """
def test_it(optum_auth):
    optum_auth.inject(faults.timeout())
    pytest.skip("not today")
"""
    )

    result.assert_outcomes(skipped=1)


def test_an_expected_failure_is_not_turned_into_an_error(run: Run) -> None:
    result = run(
        IMPORTS
        + """
@pytest.mark.xfail(strict=True)
def test_it(optum_auth):
    optum_auth.inject(faults.timeout())
    assert False
"""
    )

    result.assert_outcomes(xfailed=1)


def test_what_verify_said_the_teardown_does_not_repeat(run: Run) -> None:
    result = run(
        IMPORTS
        + """
def test_it(optum_auth):
    optum_auth.inject(faults.timeout())
    with pytest.raises(AssertionError):
        optum_auth.verify()
    optum_auth.verify()
"""
    )

    result.assert_outcomes(passed=1)


# The same without pytest: verify(), and the end of the block.

UNMET = "timeout() on the token endpoint was injected 1x and met 0x: the test does not test it"


def test_verify_says_it_now_and_once(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.timeout())

    with pytest.raises(AssertionError, match=whole(UNMET)):
        optum_auth.verify()
    optum_auth.verify()


def test_verify_is_content_with_a_test_that_is_right(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.server_error())
    ask(send, optum_auth)

    optum_auth.verify()


def test_the_end_of_the_block_is_as_strict_as_the_fixture() -> None:
    with pytest.raises(AssertionError, match=whole(UNMET)), FakeOptum() as fake:
        fake.inject(faults.timeout())


def test_an_exception_in_the_block_is_not_covered() -> None:
    fake = FakeOptum()
    fake.inject(faults.timeout())

    with pytest.raises(KeyError), fake:
        raise KeyError


def test_the_end_of_a_block_that_is_not_strict_is_silent() -> None:
    with FakeOptum(strict=False) as fake:
        injection = fake.inject(faults.timeout())

    assert injection.hits == 0
    # Nothing was raised, and nothing was forgotten either: whoever asks is told.
    with pytest.raises(AssertionError) as failure:
        fake.verify()
    assert str(failure.value) == (
        "timeout() on the token endpoint was injected 1x and met 0x: the test does not test it"
    )


@IN_PROCESS
def test_entering_and_leaving_twice_is_harmless(transport: Transport) -> None:
    fake = FakeOptum()
    with fake, fake:
        assert ask(transport.send, fake).status == 200
    fake.__exit__(None, None, None)

    with fake:
        pass
    assert len(fake.token_requests) == 1


def test_leaving_before_entering_is_harmless() -> None:
    fake = FakeOptum()
    fake.__exit__(None, None, None)

    with fake:
        assert ask(send, fake).status == 200


def test_the_latest_of_two_fakes_answers_and_then_the_earlier_one() -> None:
    with FakeOptum() as outer:
        with FakeOptum(client_id="inner", client_secret="s") as inner:
            assert ask(send, inner).status == 200
        assert ask(send, outer).status == 200

    assert (len(inner.token_requests), len(outer.token_requests)) == (1, 1)


def test_the_earlier_of_two_fakes_may_end_first() -> None:
    outer, inner = FakeOptum(), FakeOptum()
    with outer:
        inner.__enter__()
    try:
        assert ask(send, inner).status == 200
    finally:
        inner.__exit__(None, None, None)


def test_more_than_ten_routes_are_counted(optum_auth: FakeOptum) -> None:
    for number in range(12):
        optum_auth.protect("GET", f"/plans/{number:02}")

    with pytest.raises(OSError, match="no protect"):
        send("GET", f"{optum_auth.base_url}/plans")

    lines = optum_auth.problems().splitlines()
    assert len(lines) == 14
    assert lines[3] == "    GET /plans/00"
    assert lines[-1] == "    and 2 more"


def test_a_path_is_shown_without_control_characters_and_not_endlessly(
    optum_auth: FakeOptum,
) -> None:
    with pytest.raises(OSError, match="no protect"):
        send("GET", f"{optum_auth.base_url}/a%0A%1b[31m{'x' * 5000}")

    told = optum_auth.problems()
    assert "\x1b" not in told
    assert all(len(line) < 300 for line in told.splitlines())
