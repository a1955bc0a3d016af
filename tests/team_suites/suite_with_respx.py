"""What a team asserts of its client on httpx, its APIs stubbed with respx."""

from __future__ import annotations

import asyncio
import datetime
import json

import httpx
import pytest
import respx

from team_suites.by_hand import Freeze, StubToken
from team_suites.clients import BASE, HttpxClient, Rejected

MEMBER = "/oihub/eligibility/v1/pre-service/member"
CLAIMS = "/oihub/claim/inquiry/v1"


def test_a_member_is_covered(
    respx_mock: respx.MockRouter, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(respx_mock)
    member = respx_mock.post(BASE + MEMBER, json={"memberId": "1"})
    member.respond(json={"covered": True})

    answer = httpx_client.call("POST", MEMBER, json={"memberId": "1"})

    assert answer.json() == {"covered": True}
    assert member.call_count == 1


@respx.mock(base_url=BASE)
def test_the_page_is_asked_for_in_the_query(
    respx_mock: respx.MockRouter, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(respx_mock)
    respx_mock.get(CLAIMS, params={"page": "1"}).respond(json=["a"])
    respx_mock.get(CLAIMS, params={"page": "2"}).respond(json=[])

    assert httpx_client.call("GET", CLAIMS, params={"page": 1}).json() == ["a"]
    assert httpx_client.call("GET", CLAIMS, params={"page": 2}).json() == []


@respx.mock
def test_the_tenant_is_in_a_header(stub_token: StubToken, httpx_client: HttpxClient) -> None:
    stub_token(respx)
    respx.get(BASE + CLAIMS, headers={"X-Tenant": "north"}).respond(json={})

    assert httpx_client.call("GET", CLAIMS, headers={"X-Tenant": "north"}).status_code == 200


def test_a_claim_is_named_in_the_path(
    respx_mock: respx.MockRouter, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(respx_mock)
    respx_mock.get(path__regex=rf"^{CLAIMS}/(?P<number>\d+)$").mock(
        side_effect=lambda request, number: httpx.Response(200, json={"claim": number})
    )

    assert httpx_client.call("GET", f"{CLAIMS}/17").json() == {"claim": "17"}


def test_a_member_without_a_birthday_is_rejected(
    respx_mock: respx.MockRouter, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        complete = "birthday" in json.loads(request.content)
        return httpx.Response(200 if complete else 422, headers={"X-Checked": "yes"})

    stub_token(respx_mock)
    respx_mock.post(BASE + MEMBER).mock(side_effect=answer)

    with pytest.raises(Rejected):
        httpx_client.call("POST", MEMBER, json={"memberId": "1"})
    answered = httpx_client.call("POST", MEMBER, json={"memberId": "1", "birthday": "1990-01-01"})
    assert answered.headers["X-Checked"] == "yes"


def test_a_claim_is_polled_until_it_is_done(
    respx_mock: respx.MockRouter, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(respx_mock)
    respx_mock.get(f"{BASE}{CLAIMS}/7").mock(
        side_effect=[httpx.Response(202), httpx.Response(200, text="done")]
    )

    answers = [httpx_client.call("GET", f"{CLAIMS}/7") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 200]


def test_a_broken_connection_is_told(
    respx_mock: respx.MockRouter, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    stub_token(respx_mock)
    respx_mock.get(BASE + CLAIMS).mock(side_effect=httpx.ConnectError("broken"))

    with pytest.raises(httpx.ConnectError, match=r"^broken$"):
        httpx_client.call("GET", CLAIMS)


def test_a_report_as_csv_and_a_letter_as_pdf(
    stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    with respx.mock(using="httpx") as mock:
        stub_token(mock)
        mock.get(f"{BASE}/report").respond(text="id,paid\n", content_type="text/csv")
        mock.get(f"{BASE}/letter").respond(content=b"%PDF-1.7\x00\xff")

        assert httpx_client.call("GET", "/report").text == "id,paid\n"
        assert httpx_client.call("GET", "/letter").content == b"%PDF-1.7\x00\xff"


def test_the_service_date_is_today(
    respx_mock: respx.MockRouter, stub_token: StubToken, httpx_client: HttpxClient, freeze: Freeze
) -> None:
    stub_token(respx_mock)
    member = respx_mock.post(BASE + MEMBER).respond(json={})

    with freeze("2026-01-31T00:00:00Z"):
        httpx_client.call("POST", MEMBER, json={"date": datetime.date.today().isoformat()})

    assert json.loads(member.calls.last.request.content) == {"date": "2026-01-31"}


def test_a_question_in_graphql_in_a_coroutine(
    respx_mock: respx.MockRouter, stub_token: StubToken, httpx_client: HttpxClient
) -> None:
    question = {"query": "{member(id: 1) {covered}}"}
    stub_token(respx_mock)
    route = respx_mock.post(f"{BASE}/graphql", json=question).respond(json={"data": {}})

    answer = asyncio.run(httpx_client.acall("POST", "/graphql", json=question))

    assert answer.json() == {"data": {}}
    assert route.called
