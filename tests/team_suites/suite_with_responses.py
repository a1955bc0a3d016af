"""What a team asserts of its client on requests, its APIs stubbed with responses."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from responses import matchers
from responses.registries import OrderedRegistry

from team_suites.by_hand import Freeze, StubToken
from team_suites.clients import BASE, Client, Rejected

MEMBER = "/oihub/eligibility/v1/pre-service/member"
CLAIMS = "/oihub/claim/inquiry/v1"
X12 = "ISA*00*          *00*          *ZZ*OPTUM~GS*HB*OPTUM~ST*271*0001~SE*2*0001~"


@responses.activate
def test_a_member_is_covered(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.post(
        BASE + MEMBER,
        json={"covered": True},
        match=[matchers.json_params_matcher({"memberId": "1"})],
    )

    assert client.call("POST", MEMBER, json={"memberId": "1"}).json() == {"covered": True}


@responses.activate
def test_the_page_is_asked_for_in_the_query(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    for page, claims in (("1", ["a"]), ("2", [])):
        match = [matchers.query_param_matcher({"page": page})]
        responses.get(BASE + CLAIMS, json=claims, match=match)

    assert client.call("GET", CLAIMS, params={"page": 1}).json() == ["a"]
    assert client.call("GET", CLAIMS, params={"page": 2}).json() == []


@responses.activate
def test_the_tenant_is_in_a_header(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    match = [matchers.header_matcher({"X-Tenant": "north"})]
    responses.get(BASE + CLAIMS, json={}, match=match)

    assert client.call("GET", CLAIMS, headers={"X-Tenant": "north"}).status_code == 200


@responses.activate
def test_a_claim_is_named_in_the_path(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.get(re.compile(rf"{BASE}{CLAIMS}/\d+$"), json={"paid": True})

    assert client.call("GET", f"{CLAIMS}/17").json() == {"paid": True}


@responses.activate
def test_a_member_without_a_birthday_is_rejected(stub_token: StubToken, client: Client) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        complete = "birthday" in json.loads(request.body or "{}")
        return (200, {"X-Checked": "yes"}, "{}") if complete else (422, {}, "{}")

    stub_token(responses)
    responses.add_callback(responses.POST, BASE + MEMBER, callback=answer)

    with pytest.raises(Rejected):
        client.call("POST", MEMBER, json={"memberId": "1"})
    answered = client.call("POST", MEMBER, json={"memberId": "1", "birthday": "1990-01-01"})
    assert answered.headers["X-Checked"] == "yes"


@responses.activate(registry=OrderedRegistry)
def test_a_claim_is_polled_until_it_is_done(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.post(BASE + CLAIMS, json={"id": 7}, status=202)
    responses.get(f"{BASE}{CLAIMS}/7", json={"state": "pending"})
    responses.get(f"{BASE}{CLAIMS}/7", json={"state": "done"})

    claim = client.call("POST", CLAIMS, json={}).json()["id"]
    states = [client.call("GET", f"{CLAIMS}/{claim}").json()["state"] for _ in range(2)]
    assert states == ["pending", "done"]


@responses.activate
def test_a_broken_connection_is_told(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.get(BASE + CLAIMS, body=requests.ConnectionError("broken"))

    with pytest.raises(requests.ConnectionError, match=r"^broken$"):
        client.call("GET", CLAIMS)


@responses.activate
def test_a_slow_gateway_is_told(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.get(BASE + CLAIMS, body=requests.ReadTimeout("slow"))

    with pytest.raises(requests.ReadTimeout, match=r"^slow$"):
        client.call("GET", CLAIMS)


@responses.activate
def test_a_report_as_csv(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.get(f"{BASE}/report", body="id,paid\n1,yes\n", content_type="text/csv")

    answer = client.call("GET", "/report")
    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.text.splitlines() == ["id,paid", "1,yes"]


@responses.activate
def test_a_letter_as_pdf(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.get(f"{BASE}/letter", body=b"%PDF-1.7\x00\xff", content_type="application/pdf")

    with client.call("GET", "/letter", stream=True) as answer:
        assert b"".join(answer.iter_content(4)) == b"%PDF-1.7\x00\xff"


@responses.activate
def test_eligibility_as_x12(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.post(f"{BASE}/x12", body=X12, content_type="application/edi-x12")

    answer = client.call("POST", "/x12", data=X12.replace("271", "270"))
    assert answer.text.split("~")[2] == "ST*271*0001"


@responses.activate
def test_a_question_in_graphql(stub_token: StubToken, client: Client) -> None:
    question = {"query": "{member(id: 1) {covered}}"}
    stub_token(responses)
    responses.post(
        f"{BASE}/graphql",
        json={"data": {"member": {"covered": True}}},
        match=[matchers.json_params_matcher(question)],
    )

    answer = client.call("POST", "/graphql", json=question).json()
    assert answer["data"]["member"]["covered"]


@responses.activate
def test_what_was_sent(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    stub = responses.post(BASE + MEMBER, json={})

    client.call("POST", MEMBER, json={"memberId": "1"})

    sent = responses.calls[-1].request
    assert json.loads(sent.body or "") == {"memberId": "1"}
    assert sent.headers["Authorization"].startswith("Bearer ")
    assert [call.request.url for call in stub.calls] == [BASE + MEMBER]


@responses.activate
def test_each_member_is_asked_for_once(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    responses.get(f"{BASE}/members", json=[])

    for _ in range(3):
        client.call("GET", "/members")

    assert responses.assert_call_count(f"{BASE}/members", 3)


@responses.activate
def test_the_service_date_is_today(stub_token: StubToken, client: Client, freeze: Freeze) -> None:
    stub_token(responses)
    match = [matchers.json_params_matcher({"date": "2026-01-31"})]
    responses.post(BASE + MEMBER, json={}, match=match)

    with freeze("2026-01-31T00:00:00Z"):
        today = datetime.date.today().isoformat()
        assert client.call("POST", MEMBER, json={"date": today}).json() == {}


@responses.activate
def test_the_token_is_fetched_anew_after_two_hours(
    stub_token: StubToken, client: Client, freeze: Freeze
) -> None:
    stub_token(responses)
    responses.get(BASE + CLAIMS, json={})

    with freeze("2026-01-31T00:00:00Z") as frozen:
        for _ in range(2):
            client.call("GET", CLAIMS)
        fetched = [client.tokens.fetched]
        frozen.tick(7200)
        client.call("GET", CLAIMS)
        fetched.append(client.tokens.fetched)

    assert fetched == [1, 2]


@responses.activate
def test_a_busy_gateway_is_asked_again(stub_token: StubToken, client: Client) -> None:
    stub_token(responses)
    busy = responses.get(BASE + CLAIMS, status=503)
    done = responses.get(BASE + CLAIMS, json={})

    assert client.call("GET", CLAIMS).json() == {}
    assert (busy.call_count, done.call_count) == (1, 1)


def test_every_stub_is_used(stub_token: StubToken, client: Client) -> None:
    with responses.RequestsMock() as mock:
        stub_token(mock)
        mock.delete(f"{BASE}/members/1", status=204)
        mock.get(f"{BASE}/members/1", status=404)

        assert client.call("DELETE", "/members/1").content == b""
        with pytest.raises(Rejected):
            client.call("GET", "/members/1")


@pytest.fixture
def started() -> Iterator[Any]:
    responses.start()
    yield responses
    responses.stop()
    responses.reset()


def test_a_form_is_sent(started: Any, stub_token: StubToken, client: Client) -> None:
    stub_token(started)
    match = [matchers.urlencoded_params_matcher({"npi": "1234567893"})]
    started.post(f"{BASE}/providers", json={}, headers={"Set-Cookie": "a=b"}, match=match)

    client.call("POST", "/providers", data={"npi": "1234567893"})

    assert client.session.cookies.get_dict() == {"a": "b"}


def test_a_request_that_no_stub_expects(stub_token: StubToken, client: Client) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        stub_token(mock)
        mock.get(BASE + CLAIMS, match=[matchers.query_param_matcher({"page": "1"})])

        with pytest.raises(requests.ConnectionError, match="doesn't match any registered mock"):
            client.call("GET", CLAIMS, params={"page": "2"})
