"""Which route a request leads to, and what ``protect`` refuses."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from token_requests import call
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import ApiRoute, FakeOptum

GATEWAY = "https://sandbox-apigw.optum.com"
# Where APIs are: the issuer has none.
HOSTS = (
    "apigw.changehealthcare.com, apigw.optum.com, apis.changehealthcare.com, "
    "sandbox-apigw.optum.com, sandbox.apigw.changehealthcare.com, sandbox.apis.changehealthcare.com"
)


def get(optum_auth: FakeOptum, path: str, method: str = "GET") -> int:
    return call(send, optum_auth.issue_token(), f"{GATEWAY}{path}", method).status


def answered(route: ApiRoute) -> list[dict[str, str]]:
    return [exchange.path_params for exchange in route.requests]


def test_a_name_takes_one_whole_segment(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    route = optum_auth.protect("GET", "/a/{x}/b/{y_2}")

    assert get(optum_auth, "/a/1/b/two%20words") == 200
    for other in ("/a/1/2/b/3", "/a/1/b", "/a/1/b/", "/a//b/2", "/A/1/b/2", "/a/1/b/2/"):
        with pytest.raises(requests.ConnectionError):
            get(optum_auth, other)

    assert answered(route) == [{"x": "1", "y_2": "two words"}]


def test_a_fixed_segment_wins_over_a_name_in_either_order(optum_auth: FakeOptum) -> None:
    named = optum_auth.protect("GET", "/members/{id}")
    fixed = optum_auth.protect("GET", "/members/me")
    fixed_first = optum_auth.protect("GET", "/plans/all")
    named_second = optum_auth.protect("GET", "/plans/{id}")

    for path in ("/members/me", "/members/7", "/plans/all", "/plans/7"):
        get(optum_auth, path)

    assert [len(r.requests) for r in (named, fixed, fixed_first, named_second)] == [1, 1, 1, 1]


def test_the_earlier_fixed_segment_decides(optum_auth: FakeOptum) -> None:
    late = optum_auth.protect("GET", "/{a}/fixed")
    early = optum_auth.protect("GET", "/fixed/{b}")

    get(optum_auth, "/fixed/fixed")

    assert (len(late.requests), answered(early)) == (0, [{"b": "fixed"}])


def test_a_dead_end_behind_a_fixed_segment_leads_back_to_the_name(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/members/me/plan")
    route = optum_auth.protect("GET", "/members/{id}/claims")

    get(optum_auth, "/members/me/claims")

    assert answered(route) == [{"id": "me"}]


def test_a_name_answers_a_method_that_the_fixed_path_lacks(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/members/me")
    route = optum_auth.protect("DELETE", "/members/{id}")

    get(optum_auth, "/members/me", "DELETE")

    assert answered(route) == [{"id": "me"}]


def test_two_routes_name_the_same_segment_differently(optum_auth: FakeOptum) -> None:
    reading = optum_auth.protect("GET", "/members/{id}")
    writing = optum_auth.protect("PUT", "/members/{member}")

    get(optum_auth, "/members/7")
    get(optum_auth, "/members/8", "PUT")

    assert (answered(reading), answered(writing)) == ([{"id": "7"}], [{"member": "8"}])


def test_the_same_method_and_path_replace_the_earlier_route(optum_auth: FakeOptum) -> None:
    earlier = optum_auth.protect("GET", "/members", status=200)
    later = optum_auth.protect("get", "/members", status=202)

    assert get(optum_auth, "/members") == 202
    assert (len(earlier.requests), len(later.requests)) == (0, 1)


def test_the_method_may_be_written_in_any_case(optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("pOsT", "/members")

    assert get(optum_auth, "/members", "POST") == 200
    assert route.method == "POST"


def test_escapes_in_the_path_are_compared_decoded(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/größe/a b")
    optum_auth.protect("GET", "/c%2Fd")

    assert get(optum_auth, "/gr%C3%B6%C3%9Fe/a%20b") == 200
    assert get(optum_auth, "/c%2fd") == 200


def test_a_full_url_of_the_gateway_stands_for_its_path(optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", "https://apigw.optum.com/members")
    root = optum_auth.protect("GET", "https://apigw.optum.com")

    assert (route.path, root.path) == ("/members", "/")
    assert get(optum_auth, "/members") == 200
    assert get(optum_auth, "/") == 200


def test_a_route_tells_what_it_is(optum_auth: FakeOptum) -> None:
    route = optum_auth.protect("GET", "/members/{id}")
    get(optum_auth, "/members/7")

    assert repr(route) == "<ApiRoute GET /members/{id}, 1 requests>"


GOOD: dict[str, Any] = {"method": "GET", "path": "/members"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": ""}, "method '': a method is a word such as 'GET' or 'POST'"),
        ({"method": "GET /x"}, "method 'GET /x': a method is a word such as 'GET' or 'POST'"),
        ({"method": None}, "method None: a method is a word such as 'GET' or 'POST'"),
        (
            {"path": "members"},
            "path 'members': a path starts with a slash: '/members'",
        ),
        (
            {"path": "https://example.com/members"},
            f"path 'https://example.com/members': only the gateway hosts are answered ({HOSTS}); "
            "give the path alone, and mock other hosts with the tool you use for them",
        ),
        (
            {"path": "/members?page=1"},
            "path '/members?page=1': a path has no query and no fragment, requests match with any: "
            "'/members'",
        ),
        (
            {"path": "/members#top"},
            "path '/members#top': a path has no query and no fragment, requests match with any: "
            "'/members'",
        ),
        (
            {"path": None},
            "path None: a path is a string such as '/oihub/claim/inquiry/v1'",
        ),
        (
            {"path": "/members/{id}/claims/{id}"},
            "path '/members/{id}/claims/{id}': every {name} stands once",
        ),
        *(
            (
                {"path": f"/members/{segment}"},
                f"path '/members/{segment}': '{segment}' is not a segment; a {{name}} takes a "
                "whole segment, as in '/members/{member_id}'",
            )
            for segment in ("m-{id}", "{id", "id}", "{}", "{1}", "{a b}", "{a}{b}")
        ),
        (
            {"path": "/apip/auth/sntl/v1/token"},
            "path '/apip/auth/sntl/v1/token': that is the token endpoint, which answers itself",
        ),
        (
            {"path": "/auth/sntl/v1/token"},
            "path '/auth/sntl/v1/token': that is the token endpoint, which answers itself",
        ),
        *(
            ({"status": status}, f"status={status!r}: a status is a whole number from 200 to 599")
            for status in (199, 600, "200", True, 200.0)
        ),
        (
            {"scope": "openid  email"},
            "scope='openid  email': scope must be scope names separated by single spaces, for "
            "example 'openid email'",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    changes: dict[str, Any], message: str, optum_auth: FakeOptum
) -> None:
    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.protect(**GOOD | changes)

    optum_auth.protect(**GOOD)


@pytest.mark.parametrize(("keyword", "where"), [("json", ""), ("unauthorized", " of GET /members")])
def test_a_body_that_is_no_json_is_refused(keyword: str, where: str, optum_auth: FakeOptum) -> None:
    message = (
        f"{keyword}={where} cannot be sent as JSON: Object of type bytes is not JSON serializable"
    )

    with pytest.raises(TypeError, match=whole(message)):
        optum_auth.protect("GET", "/members", **{keyword: {"x": b"bytes"}})
