"""The same of the client on httpx, its APIs stubbed with pytest-httpx."""

from __future__ import annotations

import asyncio
import datetime
import json
import re

import httpx
import pytest
from pytest_httpx import HTTPXMock

from team_suites.by_hand import Freeze, StubToken
from team_suites.clients import BASE, HttpxClient, Rejected

MEMBER = "/oihub/eligibility/v1/pre-service/member"
CLAIMS = "/oihub/claim/inquiry/v1"


def test_a_member_is_covered(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(httpx_mock)
    httpx_mock.add_response(
        method="POST", url=BASE + MEMBER, match_json={"memberId": "1"}, json={"covered": True}
    )

    answer = httpx_client.call("POST", MEMBER, json={"memberId": "1"})

    assert answer.json() == {"covered": True}
    assert len(httpx_mock.get_requests(url=BASE + MEMBER)) == 1


def test_the_page_is_asked_for_in_the_query(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(httpx_mock)
    httpx_mock.add_response(url=f"{BASE}{CLAIMS}?page=1", json=["a"])
    httpx_mock.add_response(url=f"{BASE}{CLAIMS}?page=2", json=[])

    assert httpx_client.call("GET", CLAIMS, params={"page": 1}).json() == ["a"]
    assert httpx_client.call("GET", CLAIMS, params={"page": 2}).json() == []


def test_the_tenant_is_in_a_header(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(httpx_mock)
    httpx_mock.add_response(url=BASE + CLAIMS, match_headers={"X-Tenant": "north"}, json={})

    assert httpx_client.call("GET", CLAIMS, headers={"X-Tenant": "north"}).status_code == 200


def test_a_claim_is_named_in_the_path(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(httpx_mock)
    httpx_mock.add_response(url=re.compile(rf"{BASE}{CLAIMS}/\d+$"), json={"paid": True})

    assert httpx_client.call("GET", f"{CLAIMS}/17").json() == {"paid": True}


def test_a_member_without_a_birthday_is_rejected(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        complete = "birthday" in json.loads(request.content)
        return httpx.Response(200 if complete else 422, headers={"X-Checked": "yes"})

    stub_token(httpx_mock)
    httpx_mock.add_callback(answer, url=BASE + MEMBER, is_reusable=True)

    with pytest.raises(Rejected):
        httpx_client.call("POST", MEMBER, json={"memberId": "1"})
    answered = httpx_client.call("POST", MEMBER, json={"memberId": "1", "birthday": "1990-01-01"})
    assert answered.headers["X-Checked"] == "yes"


def test_a_claim_is_polled_until_it_is_done(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(httpx_mock)
    httpx_mock.add_response(url=f"{BASE}{CLAIMS}/7", status_code=202)
    httpx_mock.add_response(url=f"{BASE}{CLAIMS}/7", text="done")

    answers = [httpx_client.call("GET", f"{CLAIMS}/7") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]


def test_a_broken_connection_is_told(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(httpx_mock)
    httpx_mock.add_exception(httpx.ConnectError("broken"), url=BASE + CLAIMS)

    with pytest.raises(httpx.ConnectError, match=r"^broken$"):
        httpx_client.call("GET", CLAIMS)


def test_a_report_as_csv_and_a_letter_as_pdf(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(httpx_mock)
    csv = {"Content-Type": "text/csv"}
    httpx_mock.add_response(url=f"{BASE}/report", text="id,paid\n", headers=csv)
    httpx_mock.add_response(url=f"{BASE}/letter", content=b"%PDF-1.7\x00\xff")

    assert httpx_client.call("GET", "/report").text == "id,paid\n"
    assert httpx_client.call("GET", "/letter").content == b"%PDF-1.7\x00\xff"


def test_the_service_date_is_today(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient, freeze: Freeze
) -> None:
    stub_token(httpx_mock)
    httpx_mock.add_response(url=BASE + MEMBER, json={})

    with freeze("2026-01-31T00:00:00Z"):
        httpx_client.call("POST", MEMBER, json={"date": datetime.date.today().isoformat()})

    [sent] = httpx_mock.get_requests(url=BASE + MEMBER)
    assert json.loads(sent.content) == {"date": "2026-01-31"}


def test_a_question_in_graphql_in_a_coroutine(
    httpx_mock: HTTPXMock, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    question = {"query": "{member(id: 1) {covered}}"}
    stub_token(httpx_mock)
    httpx_mock.add_response(url=f"{BASE}/graphql", match_json=question, json={"data": {}})

    answer = asyncio.run(httpx_client.acall("POST", "/graphql", json=question))

    assert answer.json() == {"data": {}}
