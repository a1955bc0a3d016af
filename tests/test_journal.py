"""The lists of exchanges, and what an exchange keeps of its request."""

from __future__ import annotations

import pytest
from token_requests import ask, get_token
from transports_under_test import send_with_requests as send

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.core.messages import Headers, Request, Response, host_of


@pytest.fixture
def three(optum_auth: FakeOptum) -> FakeOptum:
    for secret in ("wrong", optum_auth.credentials.client_secret, "wrong"):
        ask(send, optum_auth, client_secret=secret)
    return optum_auth


def test_the_exchanges_are_a_sequence(three: FakeOptum) -> None:
    seen = three.exchanges

    assert len(seen) == 3
    assert [seen[0], seen[1], seen[-1]] == list(seen)
    assert seen[1:] == list(seen)[1:]
    assert seen[::-1] == list(reversed(seen))
    assert seen.index(seen[1]) == 1
    assert seen[0] in seen
    with pytest.raises(IndexError):
        seen[3]


def test_they_are_a_snapshot(three: FakeOptum) -> None:
    before = three.exchanges
    get_token(send, three)

    assert (len(before), len(three.exchanges)) == (3, 4)
    assert list(before) == list(three.exchanges)[:3]


def test_they_are_compared_by_what_they_hold(three: FakeOptum) -> None:
    assert three.exchanges == three.token_requests
    assert three.exchanges == list(three.exchanges)
    assert three.exchanges == tuple(three.exchanges)
    assert three.exchanges != three.api_requests
    assert three.exchanges != 3
    assert three.api_requests == []


def test_they_show_three_requests_and_count_the_rest(three: FakeOptum) -> None:
    get_token(send, three)

    assert repr(three.exchanges) == (
        "[POST …/sntl/v1/token: 401, refused: client_secret is wrong | "
        "POST …/sntl/v1/token: 200, issued token #1 | "
        "POST …/sntl/v1/token: 401, refused: client_secret is wrong | 1 more]"
    )
    assert repr(three.api_requests) == "[]"


def test_an_exchange_is_one_line(three: FakeOptum) -> None:
    assert repr(three.exchanges[1]) == "<Exchange POST …/sntl/v1/token: 200, issued token #1>"


def test_an_exchange_without_an_answer_says_so(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    with pytest.raises(OSError, match="no protect"):
        send("GET", f"{optum_auth.base_url}/plans")

    assert repr(optum_auth.exchanges[0]) == (
        "<Exchange GET /plans: no answer, refused: no protect() covers the path>"
    )


def test_headers_are_a_mapping_in_any_case() -> None:
    headers = Headers([("Accept", "a"), ("X-A", "1"), ("ACCEPT", "b")])

    assert dict(headers) == {"accept": "a, b", "x-a": "1"}
    assert (len(headers), headers["Accept"], headers.get("none")) == (2, "a, b", None)
    assert "x-A" in headers
    assert 7 not in headers


def test_a_request_and_an_answer_show_no_body_in_their_repr() -> None:
    headers = Headers([("Authorization", "Bearer hush")])
    url = "https://apigw.optum.com/x?client_secret="
    request = Request("requests", "POST", f"{url}hush", headers, b"hush")

    assert repr(request) == f"<Request POST {url}***, 4 bytes>"
    assert repr(Response(200, (("Set-Cookie", "hush"),), b"hush")) == "<Response 200, 4 bytes>"


@pytest.mark.parametrize("name", ["Authorization", "proxy-authorization", "COOKIE"])
def test_headers_hide_credentials_in_their_repr(name: str) -> None:
    assert repr(Headers([(name, "hush"), ("Accept", "a")])) == (
        f"Headers({{'{name.lower()}': '***', 'accept': 'a'}})"
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://APIGW.optum.com./x", "apigw.optum.com"),
        ("https://user:pw@apigw.optum.com:443/", "apigw.optum.com"),
        ("https://apigw.optum.com@evil.example.com/", "evil.example.com"),
        ("https://[::1]/", "::1"),
        ("https://[::1", ""),
        ("https://", ""),
        ("apigw.optum.com", ""),
        ("https://apigw.optum.com\\@evil.example.com/", "evil.example.com"),
    ],
)
def test_the_host_of_a_url_is_what_a_resolver_sees(url: str, host: str) -> None:
    assert host_of(url) == host
