"""Which request meets which fault: times, order, hits, taking back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from token_requests import API, ask, call, fields
from transports_under_test import IN_PROCESS, Send, Transport
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import FakeOptum, faults

PATH = "/oihub/claim/inquiry/v1"


def statuses(send: Send, optum_auth: FakeOptum, count: int) -> list[int]:
    return [ask(send, optum_auth).status for _ in range(count)]


def test_a_fault_is_met_once_by_default(send: Send, optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.http_error(503))

    assert statuses(send, optum_auth, 3) == [503, 200, 200]
    assert injection.hits == 1


def test_a_fault_is_met_as_often_as_asked(send: Send, optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.http_error(503), times=2)

    assert statuses(send, optum_auth, 3) == [503, 503, 200]
    assert injection.hits == 2


def test_times_none_means_every_request(send: Send, optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.http_error(503), times=None)

    assert statuses(send, optum_auth, 4) == [503] * 4
    assert injection.hits == 4


def test_times_none_expects_nothing(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.http_error(503), times=None)

    assert optum_auth.problems() == ""


def test_faults_are_met_in_the_order_of_injection(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.http_error(503), times=2)
    optum_auth.inject(faults.http_error(504))
    optum_auth.inject(faults.http_error(505))

    assert statuses(send, optum_auth, 5) == [503, 503, 504, 505, 200]


def test_what_stands_behind_a_broken_success_waits_with_it(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.empty_body())
    behind = optum_auth.inject(faults.http_error(503))

    refused = ask(send, optum_auth, client_secret="wrong").status
    hits = behind.hits

    assert (refused, hits) == (401, 0)
    assert statuses(send, optum_auth, 3) == [200, 503, 200]


def test_a_cancelled_fault_is_met_no_more_and_expected_no_more(optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.http_error(503), times=2)
    first = statuses(send, optum_auth, 1)

    injection.cancel()
    injection.cancel()

    assert (first, statuses(send, optum_auth, 2)) == ([503], [200, 200])
    assert injection.hits == 1
    assert optum_auth.problems() == ""


def test_a_fault_behind_a_cancelled_one_moves_up(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.http_error(503)).cancel()
    optum_auth.inject(faults.http_error(504))

    assert statuses(send, optum_auth, 2) == [504, 200]


def test_a_fault_ends_with_its_block(optum_auth: FakeOptum) -> None:
    with optum_auth.inject(faults.http_error(503), times=None) as injection:
        inside = statuses(send, optum_auth, 2)
    outside = statuses(send, optum_auth, 1)

    assert (inside, outside, injection.hits) == ([503, 503], [200], 2)


def test_a_fault_that_its_block_did_not_meet_is_still_told(optum_auth: FakeOptum) -> None:
    with optum_auth.inject(faults.http_error(503)):
        pass

    assert statuses(send, optum_auth, 1) == [200]
    assert optum_auth.problems() == (
        "http_error(503) on the token endpoint was injected 1x and met 0x: the test does not test "
        "it"
    )


def test_entering_a_fault_that_has_ended_is_refused(optum_auth: FakeOptum) -> None:
    cancelled = optum_auth.inject(faults.server_error())
    cancelled.cancel()
    with optum_auth.inject(faults.server_error(), times=None) as ended:
        pass

    for injection, shown in (
        (cancelled, "<server_error() on the token endpoint, 1x, met 0x, cancelled>"),
        (ended, "<server_error() on the token endpoint, every time, met 0x>"),
    ):
        message = f"{shown} has ended: inject the fault again"
        with pytest.raises(RuntimeError, match=whole(message)):
            injection.__enter__()


def test_the_handle_tells_what_it_is(optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.rate_limited(5), times=2)
    ask(send, optum_auth)

    assert repr(injection) == "<rate_limited(retry_after=5) on the token endpoint, 2x, met 1x>"
    injection.cancel()


def test_a_fault_on_a_v2_request_counts_too(send: Send, optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.http_error(503))

    answer = send("POST", f"{optum_auth.base_url}/apip/auth/v2/token", json={})

    assert (answer.status, injection.hits) == (503, 1)


@pytest.mark.parametrize("times", [0, -1, 1.0, "2", True])
def test_times_that_make_no_sense_are_refused(times: Any, optum_auth: FakeOptum) -> None:
    message = whole(
        f"times={times!r}: times must be a whole number of at least 1, or None for every request"
    )
    route = optum_auth.protect("GET", PATH)

    with pytest.raises(ValueError, match=message):
        optum_auth.inject(faults.server_error(), times=times)
    with pytest.raises(ValueError, match=message):
        route.inject(faults.server_error(), times=times)


@pytest.mark.parametrize("thing", [503, "server_error", None, ValueError("x"), dict])
def test_what_is_no_fault_is_refused(thing: Any, optum_auth: FakeOptum) -> None:
    message = whole(
        f"{thing!r} is not a fault: use one of pytest_optum_auth.faults, for example "
        "faults.server_error()"
    )

    with pytest.raises(TypeError, match=message):
        optum_auth.inject(thing)
    with pytest.raises(TypeError, match=message):
        optum_auth.protect("GET", PATH).inject(thing)


def test_a_fault_that_is_not_called_is_told_so(optum_auth: FakeOptum) -> None:
    uncalled: Any = faults.timeout
    message = "faults.timeout makes a fault when it is called: write faults.timeout(...)"

    with pytest.raises(TypeError, match=whole(message)):
        optum_auth.inject(uncalled)


# On a protected API.


def test_a_route_has_faults_of_its_own(send: Send, optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", PATH, json={"plan": "gold"})
    other = optum_auth.protect("GET", "/other")
    injection = route.inject(faults.http_error(503), times=2)
    token = optum_auth.issue_token()

    spared = call(send, token, f"{optum_auth.base_url}/other")
    answers = [call(send, token) for _ in range(3)]

    assert spared.status == 200
    assert [answer.status for answer in answers] == [503, 503, 200]
    assert injection.hits == 2
    assert [e.outcome for e in route.requests] == [
        "fault: http_error(503)",
        "fault: http_error(503)",
        "token #1 accepted",
    ]
    assert len(other.requests) == 1


def test_a_broken_success_of_an_api(send: Send, optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", PATH, json={"plan": "gold", "member": 7})
    route.inject(faults.without("plan"))
    route.inject(faults.replacing(member="7"))
    token = optum_auth.issue_token()

    wrong = call(send, "abc").status
    contents = [call(send, token).json() for _ in range(3)]

    assert wrong == 401
    assert contents == [
        {"member": 7},
        {"plan": "gold", "member": "7"},
        {"plan": "gold", "member": 7},
    ]
    assert optum_auth.api_requests[1].outcome == "fault: without('plan'), token #1 accepted"


def test_a_callable_body_can_be_broken_too(optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", PATH, json=lambda _: {"plan": "gold", "member": 7})
    route.inject(faults.without("plan", "anything"))

    assert call(send, optum_auth.issue_token()).json() == {"member": 7}


def test_an_answer_that_is_no_object_cannot_lack_a_key(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    route = optum_auth.protect("GET", PATH, json=[1])
    route.inject(faults.without("plan"))
    message = "without('plan') needs an answer that is a JSON object"

    with pytest.raises(ValueError, match=whole(message)):
        call(send, optum_auth.issue_token())

    assert optum_auth.problems() == f"GET {PATH}: ValueError: {message}"


def test_an_answer_without_a_body_cannot_hold_another_value(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    route = optum_auth.protect("GET", PATH, status=204)
    route.inject(faults.replacing(plan="gold"))
    message = "replacing(plan='gold') needs an answer that is a JSON object"

    with pytest.raises(ValueError, match=whole(message)):
        call(send, optum_auth.issue_token())


@pytest.mark.parametrize(("content", "keys"), [({"plan": "gold"}, "'plan'"), ({}, "none")])
def test_an_answer_that_lacks_the_key_is_refused_when_injected(
    content: dict[str, str], keys: str, optum_auth: FakeOptum
) -> None:
    route = optum_auth.protect("GET", PATH, json=content)
    message = f"without('nonsense'): the answer has no key 'nonsense'; it has {keys}"

    with pytest.raises(ValueError, match=whole(message)):
        route.inject(faults.without("nonsense"))


def test_a_key_that_v2_never_has_cannot_be_missing_there(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    optum_auth.inject(faults.without("scope"))
    message = (
        "without('scope'): the answer has no key 'scope'; it has 'access_token', 'expires_in', "
        "'token_type'"
    )

    with pytest.raises(ValueError, match=whole(message)):
        send("POST", f"{optum_auth.base_url}/apip/auth/v2/token", json=fields(optum_auth))

    assert not optum_auth.tokens
    assert optum_auth.problems() == f"the token endpoint: ValueError: {message}"


def test_a_key_that_both_versions_have_is_missing_at_v2(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.without("expires_in"))
    url = f"{optum_auth.base_url}/apip/auth/v2/token"

    assert "expires_in" not in send("POST", url, json=fields(optum_auth)).json()


def test_a_published_error_of_an_api_follows_the_error_format(
    send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.error_format = "rfc6749"
    optum_auth.protect("GET", PATH).inject(faults.server_error())

    assert call(send, optum_auth.issue_token()).json()["error"] == "server_error"


def test_an_unmet_fault_of_a_route_is_told(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", PATH).inject(faults.timeout(), times=3)
    optum_auth.protect("GET", PATH)

    assert optum_auth.problems() == (
        f"timeout() on GET {PATH} was injected 3x and met 0x: the test does not test it"
    )


@IN_PROCESS
def test_a_clients_timeout_strikes_at_an_api_too(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    route = optum_auth.protect("GET", PATH)
    injection = route.inject(faults.slow(30))

    with pytest.raises(transport.timeout_error):
        call(transport.send, optum_auth.issue_token(), API, timeout=0.05)

    assert [e.outcome for e in route.requests] == ["the client gave up during fault: slow(30)"]
    assert injection.hits == 1


def test_each_of_many_threads_meets_a_fault_at_most_once(optum_auth: FakeOptum) -> None:
    injection = optum_auth.inject(faults.http_error(503).after(0.01), times=7)

    with ThreadPoolExecutor(16) as pool:
        met = list(pool.map(lambda _: ask(send, optum_auth).status, range(16)))

    assert sorted(met) == [200] * 9 + [503] * 7
    assert injection.hits == 7
