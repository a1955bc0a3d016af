"""Where the fake answers: Optum's hosts, newer and older, the issuer's, and one's own gateways."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from inner_runs import Run
from token_requests import call, fields
from transports_under_test import IN_PROCESS, Send, Transport, send_over_https
from transports_under_test import send_with_requests as send_here

from pytest_optum_auth import FakeOptum, Server

V2 = "/apip/auth/v2/token"
TOKEN_PATHS = ["/apip/auth/sntl/v1/token", "/auth/sntl/v1/token", V2]
REALM = "/auth/realms/developer-platform/protocol/openid-connect/token"
ISSUER = f"https://idx.linkhealth.com{REALM}"
OLDER = [
    "apis.changehealthcare.com",
    "apigw.changehealthcare.com",
    "sandbox.apis.changehealthcare.com",
    "sandbox.apigw.changehealthcare.com",
]
PROXIED = "https://gw.example.com/optum"


@pytest.mark.parametrize("host", ["sandbox-apigw.optum.com", "apigw.optum.com", *OLDER])
def test_every_host_of_the_gateway_issues_tokens_at_every_path_and_has_the_apis(
    host: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", "/medicalnetwork/eligibility/v3")
    answers = [
        send("POST", f"https://{host}{path}", data=fields(optum_auth)) for path in TOKEN_PATHS
    ]

    assert [answer.status for answer in answers] == [200, 200, 200]
    token = answers[0].json()["access_token"]
    assert call(send, token, f"https://{host}/medicalnetwork/eligibility/v3").status == 200
    assert len(optum_auth.token_requests) == 3


@pytest.mark.parametrize("end", ["", "/"])
def test_the_issuer_issues_tokens_of_v3_for_the_apis_on_the_gateway(
    end: str, send: Send, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", "/oihub/claims")

    answer = send("POST", f"{ISSUER}{end}", data=fields(optum_auth))

    assert answer.json()["expires_in"] == 7200
    token = answer.json()["access_token"]
    assert call(send, token, f"{optum_auth.base_url}/oihub/claims").status == 200
    assert len(optum_auth.token_requests) == 1


@IN_PROCESS
@pytest.mark.parametrize(
    "url", [f"https://idx.linkhealth.com{TOKEN_PATHS[0]}", "https://idx.linkhealth.com/claims"]
)
def test_the_issuer_has_nothing_else(url: str, transport: Transport, optum_auth: FakeOptum) -> None:
    optum_auth.protect("POST", "/claims")
    path = url.removeprefix("https://idx.linkhealth.com")

    with pytest.raises(transport.connect_error, match="issues tokens only"):
        transport.send("POST", url)

    assert optum_auth.api_requests[0].outcome == "refused: idx.linkhealth.com issues tokens only"
    assert optum_auth.problems() == (
        f"POST {path} was refused and not sent: idx.linkhealth.com issues tokens only\n"
        "  the APIs are at https://sandbox-apigw.optum.com"
    )


@responses.activate
def test_a_stub_of_another_tool_at_the_issuer_needs_no_token(optum_auth: FakeOptum) -> None:
    keys = "https://idx.linkhealth.com/auth/realms/developer-platform/certs"
    responses.get(keys, json={"keys": []})

    assert send_here("GET", keys).json() == {"keys": []}
    assert send_here("POST", ISSUER, data=fields(optum_auth)).status == 200
    assert optum_auth.api_requests[0].outcome == "answered by responses"


def test_the_path_of_the_issuer_is_none_of_the_gateway(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False

    with pytest.raises(Exception, match=r"no protect\(\) covers it"):
        send_here("POST", f"{optum_auth.base_url}{REALM}", data=fields(optum_auth))


def test_who_names_the_issuer_as_his_gateway_has_his_apis_there() -> None:
    with FakeOptum(base_url="https://idx.linkhealth.com") as fake:
        fake.protect("GET", "/claims")

        assert (
            call(send_here, fake.issue_token(), "https://idx.linkhealth.com/claims").status == 200
        )
        assert send_here("POST", ISSUER, data=fields(fake)).status == 200
        assert send_here("POST", fake.token_url, data=fields(fake)).status == 200


@pytest.mark.parametrize("path", [*TOKEN_PATHS, REALM])
def test_a_served_fake_stands_for_every_host(
    path: str, optum_server: Server, optum_auth: FakeOptum
) -> None:
    url = f"{optum_server.base_url}{path}"

    assert send_over_https(optum_server, "POST", url, data=fields(optum_auth)).status == 200


# Gateways of one's own.


def test_of_several_base_urls_the_first_is_the_one_that_is_told() -> None:
    urls = ["https://one.example.com/", "https://two.example.com"]
    with FakeOptum(base_url=urls) as fake:
        fake.protect("GET", "/claims")

        assert fake.base_url == "https://one.example.com"
        assert fake.token_url == f"https://one.example.com{TOKEN_PATHS[0]}"
        token = fake.issue_token()
        for host in ("one.example.com", "two.example.com", "sandbox-apigw.optum.com"):
            assert call(send_here, token, f"https://{host}/claims").status == 200
            url = f"https://{host}{TOKEN_PATHS[0]}"
            assert send_here("POST", url, data=fields(fake)).status == 200


@pytest.mark.parametrize("given", [[], ["https://one.example.com", "two.example.com"]])
def test_a_list_with_no_base_url_in_it_is_refused(given: list[str]) -> None:
    with pytest.raises(ValueError, match="a base URL is https:// and a host"):
        FakeOptum(base_url=given)


def test_the_configuration_lists_several(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\noptum_base_url = https://one.example.com https://two.example.com/optum"
    )

    result = run(
        """
        import requests

        def test_it(optum_auth):
            assert optum_auth.base_url == "https://one.example.com"
            url = "https://two.example.com/optum/apip/auth/v2/token"
            assert requests.post(url, json={}).status_code == 400
        """
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["optum-auth: fake of https://one.example.com, *"])


@pytest.mark.parametrize("path", ["/claims", "/claims/{id}", "/"])
def test_a_base_url_with_a_path_and_the_path_of_an_api_are_its_url(path: str) -> None:
    with FakeOptum(base_url=PROXIED) as fake:
        api = fake.protect("GET", path)

        url = fake.base_url + api.path.replace("{id}", "7")
        assert call(send_here, fake.issue_token(), url).status == 200
        assert len(api.requests) == 1


@pytest.mark.parametrize("path", ["/claims", "/optum/claims", f"{PROXIED}/claims"])
@pytest.mark.parametrize("asked", ["/claims", "/optum/claims"])
def test_the_path_of_the_base_url_may_stand_in_the_api_too(path: str, asked: str) -> None:
    with FakeOptum(base_url=PROXIED, strict=False) as fake:
        fake.protect("GET", path)
        found = {("/optum/claims", "/claims"): False}.get((path, asked), True)

        try:
            status = call(send_here, fake.issue_token(), f"https://gw.example.com{asked}").status
        except Exception:
            status = None

        assert (status == 200) is found


@pytest.mark.parametrize(
    "base_url",
    [
        "https://gw.example.com/%7Eteam",
        "https://gw.example.com/~team",
        "https://gw.example.com/the team",
        "https://gw.example.com/m%C3%BCnchen",
        "https://münchen.example.com",
    ],
)
@IN_PROCESS
def test_a_base_url_in_another_spelling_than_the_client_sends_it(
    base_url: str, transport: Transport
) -> None:
    # Some clients write %7E as ~, all escape the space and ask for a name in punycode.
    with FakeOptum(base_url=base_url, token_path="/the token") as fake:
        api = fake.protect("GET", f"{base_url}/claims/{{id}}", json=lambda e: e.path_params)
        token = transport.send("POST", fake.token_url, data=fields(fake)).json()["access_token"]

        answer = call(transport.send, token, f"{fake.base_url}/claims/a%2Fb")
        assert (api.path, answer.json()) == ("/claims/{id}", {"id": "a/b"})


@pytest.mark.parametrize("path", [*TOKEN_PATHS, REALM])
def test_a_token_path_may_be_escaped_without_need(
    path: str, send: Send, optum_auth: FakeOptum
) -> None:
    host = "idx.linkhealth.com" if path == REALM else "sandbox-apigw.optum.com"
    url = f"https://{host}{path.removesuffix('token')}%74oken"

    assert send("POST", url, data=fields(optum_auth)).status == 200


def test_a_full_url_is_protected_at_the_path_behind_the_base_url() -> None:
    fake = FakeOptum(base_url=[PROXIED, f"{PROXIED}/inner"])

    assert fake.protect("GET", f"{PROXIED}/claims").path == "/claims"
    assert fake.protect("GET", f"{PROXIED}/inner/claims").path == "/claims"
    assert fake.protect("GET", "https://gw.example.com/claims").path == "/claims"


@pytest.mark.parametrize("path", [*TOKEN_PATHS, f"{V2}/"])
def test_every_token_path_is_behind_a_base_url_with_a_path_as_well(path: str) -> None:
    with FakeOptum(base_url=PROXIED) as fake:
        for url in (PROXIED + path, f"https://gw.example.com{path}"):
            assert send_here("POST", url, data=fields(fake)).status == 200


def test_another_host_has_not_the_path_of_a_base_url() -> None:
    with FakeOptum(base_url=PROXIED, strict=False) as fake:
        fake.protect("GET", "/claims")

        with pytest.raises(Exception, match=r"no protect\(\) covers it"):
            call(send_here, fake.issue_token(), "https://apigw.optum.com/optum/claims")


def test_a_path_behind_the_base_url_that_nobody_protects_is_told_as_it_is_to_be_protected() -> None:
    with FakeOptum(base_url=PROXIED, strict=False) as fake:
        with pytest.raises(Exception, match="refused"):
            send_here("GET", f"{PROXIED}/claims")

        assert 'add optum_auth.protect("GET", "/claims")' in fake.problems()


def test_another_method_of_a_path_behind_the_base_url_is_refused_as_ever() -> None:
    with FakeOptum(base_url=PROXIED, strict=False) as fake:
        fake.protect("GET", "/claims")

        assert send_here("POST", f"{PROXIED}/claims").status == 405


def test_a_server_has_the_path_of_the_base_url(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\noptum_base_url = {PROXIED}")

    result = run(
        """
        import urllib.request

        def test_it(optum_server, optum_auth):
            api = optum_auth.protect("GET", "/claims", json={"covered": True})
            headers = {"Authorization": f"Bearer {optum_auth.issue_token()}"}
            request = urllib.request.Request(optum_server.base_url + api.path, headers=headers)
            with urllib.request.urlopen(request, context=optum_server.ssl_context) as answer:
                assert answer.read() == b'{"covered": true}'
            assert optum_server.base_url.endswith("/optum")
        """
    )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("value", [5, None])
def test_what_is_no_path_is_refused_behind_a_base_url_too(value: Any) -> None:
    with pytest.raises(ValueError, match="a path is a string"):
        FakeOptum(base_url=PROXIED).protect("GET", value)
