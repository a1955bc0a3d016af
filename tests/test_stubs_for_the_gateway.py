"""Stubs of APIs written with responses and respx: the fake asks them, for every client library."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import respx
from responses import PassthroughResponse, RequestsMock, matchers
from stubbed_apis import BASE, bearer, get
from token_requests import call, get_token
from transports_under_test import IN_PROCESS, Send, Transport, send_with_requests

from pytest_optum_auth import FakeOptum, faults

X12 = "ISA*00*          *00*          *ZZ*1234567~"


# What both libraries can do: the same answer through every client library.


def test_a_stub_of_responses_answers(
    transport: Transport, optum_auth: FakeOptum, optum_responses: RequestsMock
) -> None:
    stub = optum_responses.get(f"{BASE}/claims", json={"claims": 2}, headers={"X-Trace": "1"})

    answer = get(transport.send, optum_auth, "/claims")

    assert (answer.status, answer.json(), answer.headers["X-Trace"]) == (200, {"claims": 2}, "1")
    [exchange] = optum_auth.api_requests
    assert exchange.outcome == "token #1 accepted, answered by optum_responses"
    assert (exchange.kind, exchange.status, exchange.token) == ("api", 200, optum_auth.last_token)
    assert stub.call_count == 1
    [recorded] = optum_responses.calls
    assert recorded.request.url == f"{BASE}/claims"
    assert recorded.response.status_code == 200


def test_a_stub_of_respx_answers(
    transport: Transport, optum_auth: FakeOptum, optum_respx: respx.Router
) -> None:
    route = optum_respx.get("/claims").respond(json={"claims": 2}, headers={"X-Trace": "1"})

    answer = get(transport.send, optum_auth, "/claims")

    assert (answer.status, answer.json(), answer.headers["X-Trace"]) == (200, {"claims": 2}, "1")
    [exchange] = optum_auth.api_requests
    assert exchange.outcome == "token #1 accepted, answered by optum_respx"
    assert (exchange.kind, exchange.status, exchange.token) == ("api", 200, optum_auth.last_token)
    assert route.call_count == optum_respx.calls.call_count == 1
    assert route.calls.last.request.url == f"{BASE}/claims"
    assert route.calls.last.response.status_code == 200


class Both:
    """The same stub in either library: ``add`` takes method, path, body and status."""

    def __init__(self, name: str, optum_auth: FakeOptum) -> None:
        self.name = name
        self._optum = optum_auth

    def add(
        self, method: str, path: str, body: bytes | Exception = b"stub", status: int = 200
    ) -> Any:
        """Returns what counts its calls."""
        if self.name == "optum_responses":
            url = f"{BASE}{path}"
            return self._optum.responses.add(method, url, body=body, status=status)
        route = self._optum.respx.request(method, path)
        if isinstance(body, Exception):
            return route.mock(side_effect=body)
        return route.respond(status, content=body)


@pytest.fixture(params=["optum_responses", "optum_respx"])
def stubs(request: pytest.FixtureRequest, optum_auth: FakeOptum) -> Both:
    return Both(request.param, optum_auth)


def test_the_bearer_token_is_looked_at_first(
    stubs: Both, send: Send, optum_auth: FakeOptum
) -> None:
    stub = stubs.add("GET", "/claims")
    token = optum_auth.issue_token()

    missing = send("GET", f"{BASE}/claims")
    good = call(send, token, f"{BASE}/claims")
    optum_auth.revoke()
    revoked = call(send, token, f"{BASE}/claims")

    assert [a.status for a in (missing, good, revoked)] == [401, 200, 401]
    assert missing.headers["WWW-Authenticate"] == "Bearer"
    assert stub.call_count == 1
    assert [exchange.outcome for exchange in optum_auth.api_requests] == [
        "refused: no bearer token",
        f"token #1 accepted, answered by {stubs.name}",
        "token #1 was revoked",
    ]


@pytest.mark.parametrize("name", ["optum_responses", "optum_respx"])
def test_a_gateway_at_an_address_of_ipv6_has_its_stubs(name: str) -> None:
    with FakeOptum(base_url="https://[::1]:8443") as fake:
        url = f"{fake.base_url}/claims"
        if name == "optum_responses":
            fake.responses.get(url, body="stub")
        else:
            fake.respx.get("/claims").respond(content=b"stub")

        assert call(send_with_requests, fake.issue_token(), url).content == b"stub"


@IN_PROCESS
@pytest.mark.parametrize("port", ["", ":443"])
def test_a_host_with_the_dot_of_the_root_is_the_same_host(
    port: str, transport: Transport, stubs: Both, optum_auth: FakeOptum
) -> None:
    stubs.add("GET", "/claims")

    answer = call(transport.send, optum_auth.issue_token(), f"{BASE}.{port}/claims?page=2")

    assert answer.content == b"stub"


@pytest.mark.parametrize("written", ["", "?page=2", ":443/", "/#claims"])
def test_an_address_is_what_is_sent_of_it(
    written: str, send: Send, stubs: Both, optum_auth: FakeOptum
) -> None:
    stubs.add("GET", "/")

    answer = call(send, optum_auth.issue_token(), f"{BASE}{written}")

    assert answer.content == b"stub"
    assert optum_auth.exchanges[0].path == "/"
    assert "#" not in optum_auth.exchanges[0].url


def test_a_request_without_a_good_token_uses_no_answer_up(
    stubs: Both, send: Send, optum_auth: FakeOptum
) -> None:
    for body in (b"first", b"second"):
        if stubs.name == "optum_responses":
            stubs.add("GET", "/claims", body)
    if stubs.name == "optum_respx":
        optum_auth.respx.get("/claims").mock(
            side_effect=[httpx.Response(200, text=text) for text in ("first", "second")]
        )

    refused = send("GET", f"{BASE}/claims")
    answers = [get(send, optum_auth, "/claims") for _ in range(2)]

    assert refused.status == 401
    assert [answer.content for answer in answers] == [b"first", b"second"]


@pytest.mark.parametrize("body", [b"", b"%PDF-1.7\x00\xff", X12.encode()])
def test_any_bytes(body: bytes, stubs: Both, send: Send, optum_auth: FakeOptum) -> None:
    stubs.add("GET", "/claims", body, status=201)

    answer = get(send, optum_auth, "/claims")

    assert (answer.status, answer.content) == (201, body)


def test_a_path_that_is_protected_is_not_the_stubs(
    stubs: Both, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False
    optum_auth.protect("GET", "/claims", text="protected")
    stubs.add("GET", "/claims")
    stubs.add("POST", "/claims")

    answers = [call(send, optum_auth.issue_token(), f"{BASE}/claims", m) for m in ("GET", "POST")]

    assert [answer.content for answer in answers] == [b"protected", b"stub"]


def test_responses_is_asked_before_respx(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    optum_auth.respx.get("/claims").respond(text="respx")
    optum_auth.respx.get("/plans").respond(text="respx")
    optum_auth.responses.get(f"{BASE}/claims", body="responses")

    answers = [get(send, optum_auth, tail) for tail in ("/claims", "/plans")]

    assert [answer.content for answer in answers] == [b"responses", b"respx"]


def test_the_token_endpoint_is_never_a_stub(stubs: Both, send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    stub = stubs.add("POST", "/apip/auth/sntl/v1/token")

    assert get_token(send, optum_auth)
    assert stub.call_count == 0


def test_a_head_request(stubs: Both, send: Send, optum_auth: FakeOptum) -> None:
    stubs.add("HEAD", "/claims")

    answer = call(send, optum_auth.issue_token(), f"{BASE}/claims", "HEAD")

    assert (answer.status, answer.content) == (200, b"")


# Faults, and what the network does.


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        ("connect", requests.ConnectionError("x")),
        ("connect", requests.exceptions.SSLError("x")),
        ("connect", httpx.ConnectError("x")),
        ("connect", ConnectionRefusedError("x")),
        ("timeout", requests.ReadTimeout("x")),
        ("timeout", requests.Timeout("x")),
        ("timeout", httpx.ReadTimeout("x")),
        ("timeout", httpx2.ReadTimeout("x")),
        ("timeout", TimeoutError("x")),
        pytest.param("timeout", asyncio.TimeoutError("x"), id="timeout-asyncio"),
        ("disconnect", requests.exceptions.ChunkedEncodingError("x")),
        ("disconnect", httpx.RemoteProtocolError("x")),
        ("disconnect", ConnectionResetError("x")),
        ("disconnect", aiohttp.ServerDisconnectedError("x")),
        # What each library derives its failures from, and what stands below all of them.
        ("disconnect", requests.RequestException("x")),
        ("disconnect", httpx.TransportError("x")),
        ("disconnect", httpx2.RequestError("x")),
        ("disconnect", aiohttp.ClientError("x")),
        ("connect", OSError("x")),
        ("connect", socket.gaierror("x")),
        ("connect", ssl.SSLError("x")),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(type(value)).split("'")[1],
)
@IN_PROCESS
def test_each_client_meets_its_own_librarys_exception(
    failure: str, raised: Exception, stubs: Both, transport: Transport, optum_auth: FakeOptum
) -> None:
    # Not GET, which aiohttp would send a second time.
    stub = stubs.add("POST", "/claims", raised)
    own = type(raised).__module__.partition(".")[0] == transport.name

    with pytest.raises(type(raised) if own else transport.raises(failure)) as caught:
        call(transport.send, optum_auth.issue_token(), f"{BASE}/claims", "POST")

    assert (caught.value is raised) == own
    [exchange] = optum_auth.api_requests
    assert exchange.outcome == f"token #1 accepted, raised by {stubs.name}"
    assert (exchange.status, exchange.response, stub.call_count) == (None, None, 1)


@pytest.mark.parametrize("raised", [requests.ConnectTimeout("x"), httpx.ConnectTimeout("x")])
@IN_PROCESS
def test_a_connection_that_takes_too_long(
    raised: Exception, stubs: Both, transport: Transport, optum_auth: FakeOptum
) -> None:
    stubs.add("GET", "/claims", raised)
    errors = {
        "requests": requests.ConnectTimeout,
        "httpx": httpx.ConnectTimeout,
        "httpx2": httpx2.ConnectTimeout,
        "aiohttp": aiohttp.ConnectionTimeoutError,
    }

    with pytest.raises(errors[transport.name]):
        get(transport.send, optum_auth, "/claims")


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        ("connect", httpx.ConnectError("x")),
        ("connect", requests.ConnectTimeout("x")),
        ("disconnect", httpx.ReadError("x")),
    ],
)
def test_over_https_the_connection_fails(
    failure: str, raised: Exception, stubs: Both, optum_auth: FakeOptum, https: Transport
) -> None:
    stubs.add("GET", "/claims", raised)

    with pytest.raises(https.raises(failure)):
        get(https.send, optum_auth, "/claims")


@IN_PROCESS
def test_any_other_exception_reaches_the_caller(
    stubs: Both, transport: Transport, optum_auth: FakeOptum
) -> None:
    raised = LookupError("of the stub")
    stubs.add("GET", "/claims", raised)

    with pytest.raises(LookupError) as caught:
        get(transport.send, optum_auth, "/claims")

    assert caught.value is raised
    assert optum_auth.api_requests[0].outcome == f"token #1 accepted, raised by {stubs.name}"
    assert optum_auth.problems() == ""


@pytest.mark.parametrize("library", [requests, httpx, httpx2], ids=lambda x: x.__name__)
@pytest.mark.parametrize(
    "raised",
    [
        FileNotFoundError("of the stub"),
        requests.HTTPError("of the stub"),
        requests.TooManyRedirects("of the stub"),
        httpx.UnsupportedProtocol("of the stub"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_an_exception_that_no_network_raises_is_not_made_one(
    raised: Exception, library: ModuleType, stubs: Both, optum_auth: FakeOptum
) -> None:
    stubs.add("GET", "/claims", raised)

    with pytest.raises(type(raised)) as caught:
        library.get(f"{BASE}/claims", headers=bearer(optum_auth))

    assert caught.value is raised


@pytest.fixture
def https(request: pytest.FixtureRequest, optum_auth: FakeOptum) -> Transport:
    from transports_under_test import TRANSPORTS

    return TRANSPORTS[-1].served_by(request.getfixturevalue("optum_server"))


def test_any_other_exception_is_a_500_over_https_and_told(
    stubs: Both, https: Transport, optum_auth: FakeOptum
) -> None:
    stubs.add("GET", "/claims", LookupError("of the stub"))

    answer = get(https.send, optum_auth, "/claims")

    assert answer.status == 500
    assert optum_auth.problems() == (
        f"GET /claims, answered by {stubs.name}: LookupError: of the stub"
    )


def test_a_fault_of_any_api_comes_before_the_stub(
    stubs: Both, send: Send, optum_auth: FakeOptum
) -> None:
    stub = stubs.add("GET", "/claims", b'{"claims": 2}')
    outage = optum_auth.inject_api(faults.http_error(503))
    broken = optum_auth.inject_api(faults.replacing(claims="two"))

    answers = [send("GET", f"{BASE}/claims"), *(get(send, optum_auth, "/claims") for _ in range(3))]

    assert [answer.status for answer in answers] == [401, 503, 200, 200]
    assert [answer.json() for answer in answers[2:]] == [{"claims": "two"}, {"claims": 2}]
    assert (outage.hits, broken.hits, stub.call_count) == (1, 1, 2)
    assert [exchange.outcome for exchange in optum_auth.api_requests] == [
        "refused: no bearer token",
        "fault: http_error(503)",
        f"fault: replacing(claims='two'), token #1 accepted, answered by {stubs.name}",
        f"token #1 accepted, answered by {stubs.name}",
    ]


def test_a_fault_of_any_api_that_is_not_met_is_told(optum_auth: FakeOptum) -> None:
    optum_auth.inject_api(faults.timeout(), times=2)

    assert optum_auth.problems() == (
        "timeout() on an API was injected 2x and met 0x: the test does not test it"
    )


# What does not match.


@IN_PROCESS
def test_the_refusal_tells_why_no_stub_matches(
    transport: Transport,
    optum_auth: FakeOptum,
    optum_responses: RequestsMock,
    optum_respx: respx.Router,
) -> None:
    optum_auth.strict = False
    optum_responses.get(f"{BASE}/claims", match=[matchers.query_param_matcher({"page": "1"})])
    optum_responses.get(re.compile(f"{BASE}/plans/.*"))
    optum_respx.post("/claims", json={"member": "1"})
    optum_respx.get("/claims").pass_through()

    with pytest.raises(transport.connect_error):
        get(transport.send, optum_auth, "/claims?page=2")

    assert optum_auth.api_requests[0].outcome == (
        "refused: no protect() covers the path and no stub matches"
    )
    wanted = """'{"member": "1"}'"""
    told = optum_auth.problems().splitlines()[:9]
    assert told == [
        "GET /claims was refused and not sent: no protect() covers it and no stub matches it",
        '  add optum_auth.protect("GET", "/claims")',
        "  stubs of optum_responses, nearest first:",
        f"    GET {BASE}/claims: Parameters do not match. {{'page': '2'}} doesn't match "
        "{'page': '1'}",
        f"    GET {BASE}/plans/.*: URL does not match",
        "  stubs of optum_respx, nearest first:",
        f"    GET {BASE}/claims: it passes requests through, and nothing leaves the machine",
        f"    POST {BASE}/claims with json eq {wanted}: method eq 'POST' and json eq {wanted} does "
        "not match",
        f"the stub GET {BASE}/claims of optum_responses was never asked: the test does not test it",
    ]


def test_over_https_it_is_a_404_with_the_reasons(
    stubs: Both, https: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False
    stubs.add("GET", "/claims")

    answer = get(https.send, optum_auth, "/plans")

    assert answer.status == 404
    assert f"stubs of {stubs.name}, nearest first: GET {BASE}/claims: " in answer.json()["message"]


def test_the_refusal_tells_of_ten_stubs_and_counts_the_rest(
    stubs: Both, optum_auth: FakeOptum
) -> None:
    optum_auth.strict = False
    for number in range(12):
        stubs.add("GET", f"/members/{number}")

    with pytest.raises(requests.ConnectionError, match=r"/members/\d: .*; and 2 more'"):
        get(send_with_requests, optum_auth, "/claims")


def test_a_refusal_does_not_tell_the_token(
    optum_auth: FakeOptum, optum_responses: RequestsMock
) -> None:
    optum_auth.strict = False
    token = optum_auth.issue_token()
    optum_responses.get(
        f"{BASE}/claims", match=[matchers.header_matcher({"Authorization": "Bearer other"})]
    )

    with pytest.raises(requests.ConnectionError) as caught:
        get(send_with_requests, optum_auth, "/claims")

    told = optum_auth.problems()
    assert "'Bearer ***'" in told
    assert not any(token.value[:30] in text for text in (told, str(caught.value)))


def test_what_responses_would_let_through_does_not_leave(
    optum_auth: FakeOptum, optum_responses: RequestsMock
) -> None:
    optum_auth.strict = False
    optum_responses.add_passthru(BASE)
    optum_responses.add(PassthroughResponse("GET", f"{BASE}/claims"))

    with pytest.raises(requests.ConnectionError, match="it passes requests through"):
        get(send_with_requests, optum_auth, "/claims")


def test_responses_that_the_test_starts_answers_other_hosts_too(
    optum_auth: FakeOptum, optum_responses: RequestsMock
) -> None:
    other = "https://other.example.com/thing"
    with optum_responses:
        optum_responses.get(other, body="theirs")
        optum_responses.get(f"{BASE}/claims", body="ours")

        assert send_with_requests("GET", other).content == b"theirs"
        assert get(send_with_requests, optum_auth, "/claims").content == b"ours"
        with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
            get(send_with_requests, optum_auth, "/plans")

    outcomes = [exchange.outcome.partition(", ")[2] for exchange in optum_auth.api_requests]
    assert outcomes == ["answered by optum_responses", "no stub of responses matched"]


def test_a_side_effect_that_leaves_the_request_to_others(
    optum_auth: FakeOptum, optum_respx: respx.Router
) -> None:
    optum_auth.strict = False
    optum_respx.get("/claims").mock(side_effect=lambda request: None)

    with pytest.raises(requests.ConnectionError, match="has left the request to others"):
        get(send_with_requests, optum_auth, "/claims")

    assert len(optum_auth.api_requests) == 1


def test_a_matcher_of_the_only_stub_is_asked_once(
    send: Send, optum_responses: RequestsMock, optum_auth: FakeOptum
) -> None:
    asked = []

    def matcher(request: Any) -> tuple[bool, str]:
        asked.append(request.url)
        return True, ""

    optum_responses.get(f"{BASE}/claims", match=[matcher])

    assert [get(send, optum_auth, "/claims").status for _ in range(2)] == [200, 200]
    assert asked == [f"{BASE}/claims"] * 2


def test_a_matcher_that_raises_is_in_the_journal(
    optum_auth: FakeOptum, optum_responses: RequestsMock
) -> None:
    optum_auth.strict = False

    def matcher(request: object) -> tuple[bool, str]:
        raise AssertionError("of the matcher")

    optum_responses.get(f"{BASE}/claims", match=[matcher])

    with pytest.raises(AssertionError, match="of the matcher"):
        get(send_with_requests, optum_auth, "/claims")

    assert optum_auth.api_requests[0].outcome == "AssertionError in a matcher of optum_responses"


def test_a_body_that_is_a_form_and_no_utf8(
    optum_auth: FakeOptum, optum_responses: RequestsMock
) -> None:
    optum_responses.post(f"{BASE}/claims")
    headers = {**bearer(optum_auth), "Content-Type": "application/x-www-form-urlencoded"}

    answer = send_with_requests("POST", f"{BASE}/claims", headers=headers, content=b"a=\xff")

    assert answer.status == 200


# The private side of the two libraries.


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (RequestsMock, "_find_match"),
        (RequestsMock().get_registry(), "_responses"),
        (respx.Router(), "_assert_all_called"),
    ],
    ids=lambda value: value if isinstance(value, str) else "of",
)
def test_a_name_that_is_not_public_is_still_there(owner: object, name: str) -> None:
    assert hasattr(owner, name)


def test_many_threads_are_each_given_an_answer_of_their_own(
    optum_auth: FakeOptum, optum_responses: RequestsMock
) -> None:
    for number in range(24):
        optum_responses.get(f"{BASE}/claims", body=str(number))
    token = optum_auth.issue_token()

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: call(send_with_requests, token, f"{BASE}/claims"), range(24))
        )

    assert sorted(int(answer.content) for answer in answers) == list(range(24))


def test_a_fixture_for_which_no_stub_was_written_has_no_say_in_a_refusal(
    optum_auth: FakeOptum, optum_responses: RequestsMock, optum_respx: respx.Router
) -> None:
    with pytest.raises(requests.ConnectionError) as refusal:
        requests.get(f"{optum_auth.base_url}/claims", timeout=5)

    assert "no protect() covers it; add optum_auth.protect" in str(refusal.value)
    assert "no stub" not in str(refusal.value)
    assert "GET /claims was refused and not sent" in optum_auth.problems()
