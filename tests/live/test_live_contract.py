"""The bundled contract against the stand-in: kept as documented, and each deviation named."""

from __future__ import annotations

import re
from email.message import Message

import pytest
import trustme
from live_runs import LiveRuns
from stand_in import StandIn, serving

from pytest_optum_auth.live.contract.demands import is_keycloaks
from pytest_optum_auth.live.sandbox.http import Answer

CONTRACT = ("--pyargs", "pytest_optum_auth.contract")

# Deviation of the stand-in, and the promises that the table must call broken.
BROKEN = {
    "wrong_key": [
        "A right request gets 200 and exactly the documented keys",
        "A value has the documented type: expires_in",
        "A token expires when expires_in says",
    ],
    "string": [
        "A value has the documented type: expires_in",
        "A token expires when expires_in says",
    ],
    "token_type": ["The token type is Bearer, in any case"],
    "media_type": ["A token comes as application/json"],
    "cacheable": ["An answer with a token forbids caching: Cache-Control"],
    "opaque": [
        "A token is a JWT that tells its times: iat",
        "A token is a JWT that tells its times: exp",
        "A token expires when expires_in says",
    ],
    "one_hour": ["A token expires when expires_in says"],
    "json_body": ["A JSON body is refused with 415"],
    "missing_field": [
        f"A missing field is refused with 400: {field}"
        for field in ("grant_type", "client_id", "client_secret")
    ],
    "grant_type": ["Another grant type is refused with 400"],
    "wrong_secret": ["A wrong secret is refused with 401"],
    "unknown_client": ["An unknown client is refused with 401"],
    "scope": ["A scope that was not granted is refused with 403"],
    "envelope": ["A refusal is the published envelope: status, failureReason, Errors"],
    "no_object": ["A refusal is the published envelope: status, failureReason, Errors"],
    "get": ["GET is refused with 405"],
}
_ROW = re.compile(
    r"^(?P<promise>\S.*?) +(?P<fake>kept|BROKEN|-) +"
    r"(?P<live>kept|BROKEN|Keycloak|skipped|no answer) "
)


def broken_promises(result: pytest.RunResult, rows: int = 25) -> list[str]:
    """The promises that the table says the live side breaks."""
    found = [match for line in result.outlines if (match := _ROW.match(line))]
    assert len(found) == rows
    return sorted(row["promise"].rstrip() for row in found if row["live"] == "BROKEN")


def test_the_contract_is_kept_by_a_sandbox_that_behaves_as_documented(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    result = inner.run("--optum-live=require", *CONTRACT)

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=49)
    assert broken_promises(result) == []
    result.stdout.fnmatch_lines(
        [
            "*contract of Optum's token endpoint*",
            "promise * fake       live       source",
            "A right request gets 200 and exactly the documented keys *kept       kept       page*",
            "TLS below version 1.2 is refused * -          kept       page, 'Security via TLS'",
        ]
    )


def test_the_contract_names_a_sandbox_that_refuses_as_a_keycloak_realm(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn
) -> None:
    stand_in.deviation = "keycloak"

    result = inner.run(*CONTRACT)

    assert result.ret == pytest.ExitCode.OK
    rows = [match for line in result.outlines if (match := _ROW.match(line))]
    assert sorted(row["promise"].rstrip() for row in rows if row["live"] == "Keycloak") == [
        "A JSON body is refused with 415",
        "A missing field is refused with 400: client_id",
        "A missing field is refused with 400: client_secret",
        "A missing field is refused with 400: grant_type",
        "A refusal is the published envelope: status, failureReason, Errors",
        "A scope that was not granted is refused with 403",
        "A wrong secret is refused with 401",
        "An unknown client is refused with 401",
        "Another grant type is refused with 400",
    ]
    assert {row["fake"] for row in rows} == {"kept", "-"}
    result.stdout.fnmatch_lines(
        [
            "Keycloak: refused as a Keycloak realm does, not in the published envelope. "
            '@pytest.mark.optum_auth(error_format="keycloak") plays that.'
        ]
    )


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        (b'{"error": "invalid_client", "error_description": "no"}', True),
        (b'{"error": "invalid_client"}', False),
        (b'["error", "error_description"]', False),
        (b"<html>", False),
    ],
)
def test_a_refusal_of_a_realm_is_known_by_its_two_keys(body: bytes, is_one: bool) -> None:
    assert is_keycloaks(Answer(400, Message(), body)) is is_one


@pytest.mark.parametrize("deviation", BROKEN)
def test_the_contract_names_the_promise_that_a_sandbox_breaks(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn, deviation: str
) -> None:
    stand_in.deviation = deviation

    result = inner.run(*CONTRACT)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert broken_promises(result) == sorted(BROKEN[deviation])


def test_the_contract_names_a_sandbox_that_talks_old_tls(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    authority: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(authority, StandIn(), old_tls=True) as old:
        monkeypatch.setenv("OPTUM_TOKEN_URL", old.token_url)
        result = inner.run(*CONTRACT)

    assert broken_promises(result) == ["TLS below version 1.2 is refused"]


@pytest.mark.parametrize(
    ("workers", "most_requests", "most_tries"), [((), 10, 1), (("-n", "2"), 12, 2)]
)
def test_a_run_sends_few_requests_and_hardly_a_wrong_secret(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    stand_in: StandIn,
    workers: tuple[str, ...],
    most_requests: int,
    most_tries: int,
) -> None:
    result = inner.run_subprocess("-p", "xdist.plugin", *workers, *CONTRACT)

    result.assert_outcomes(passed=49)
    assert 10 <= len(stand_in.requests) <= most_requests
    assert 1 <= stand_in.wrong_secret_tries <= most_tries


def test_many_workers_are_refused_before_the_sandbox_is_asked(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")

    result = inner.run("-m", "optum_live", *CONTRACT)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "4 xdist workers would send the sandbox more than 12 requests: run the contract "
            "with -n 0, or with -n 2 at most."
        ]
    )
    assert stand_in.requests == []


def test_an_unreachable_sandbox_is_tried_once_and_told_in_one_sentence(
    inner: LiveRuns, live_credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_TOKEN_URL", "https://localhost:1/token")

    result = inner.run("-m", "optum_live", "-k", "json_body or get_is", *CONTRACT)

    assert (
        result.outlines.count(
            "E       pytest_optum_auth.live.sandbox.http.LiveError: localhost refused the "
            "connection: check host and port in OPTUM_TOKEN_URL, and HTTPS_PROXY."
        )
        == 2
    )
    result.stdout.fnmatch_lines(["GET is refused with 405 *-          no answer  v3 spec, *"])
    assert broken_promises(result, rows=2) == []


def test_without_credentials_the_contract_runs_on_the_fake_alone(
    inner: LiveRuns, no_credentials: None
) -> None:
    result = inner.run(*CONTRACT)

    result.assert_outcomes(passed=24, skipped=25)
    assert broken_promises(result) == []


def test_the_contract_asks_for_a_client_library_when_none_can_be_intercepted(
    inner: LiveRuns, no_credentials: None
) -> None:
    inner.pytester.makeconftest(
        "from pytest_optum_auth.live.contract import probes; probes._LIBRARIES = ()"
    )

    result = inner.run_subprocess("-rs", "-k", "json_body and fake", *CONTRACT)

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["SKIPPED *no client library that the fake intercepts: install requests or httpx"]
    )


def test_old_tls_that_cannot_be_offered_is_not_called_refused(
    inner: LiveRuns, live_credentials: dict[str, str]
) -> None:
    inner.pytester.makeconftest(
        "from pytest_optum_auth.live.contract import tls; tls.old_context = lambda: None"
    )

    result = inner.run_subprocess("-rs", "-k", "old_tls", *CONTRACT)

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        [
            "TLS below version 1.2 is refused *-          skipped    page, *",
            "SKIPPED *cannot be tried: this Python offers no TLS 1.1, or the URL is plain http",
        ]
    )


def test_tests_of_others_have_no_row_in_the_table(inner: LiveRuns, no_credentials: None) -> None:
    inner.tests("def test_mine(): pass")

    result = inner.run("-k", "mine or get_is", "test_inner.py", *CONTRACT)

    result.assert_outcomes(passed=2, skipped=1)
    assert broken_promises(result, rows=1) == []


def test_there_is_no_table_when_no_promise_was_checked(
    inner: LiveRuns, no_credentials: None
) -> None:
    result = inner.run("-k", "no_such_promise", *CONTRACT)

    result.assert_outcomes(deselected=49)
    assert "contract of Optum's token endpoint" not in result.stdout.str()
