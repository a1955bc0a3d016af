"""Refused credentials are tried once in a run: by threads, workers, fixture and contract alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from live_runs import LiveRuns
from stand_in import StandIn

from pytest_optum_auth.live.sandbox import refused as module
from pytest_optum_auth.live.sandbox.http import LiveError
from pytest_optum_auth.live.sandbox.refused import Refused
from pytest_optum_auth.live.sandbox.token_request import CredentialsRefusedError

REFUSED = (
    "localhost refused the credentials (401): check OPTUM_CLIENT_ID and OPTUM_CLIENT_SECRET, "
    "credentials of production or of another organisation are not valid here."
)
CONTRACT = ("--pyargs", "pytest_optum_auth.contract")


class Sandbox:
    """Counts the requests, and answers each with ``answer``, an error or a token."""

    def __init__(self, answer: LiveError | str) -> None:
        self.answer = answer
        self.requests = 0

    def ask(self) -> str:
        self.requests += 1
        if isinstance(self.answer, LiveError):
            raise self.answer
        return self.answer


@pytest.fixture(params=["one process", "workers"])
def askers(request: pytest.FixtureRequest, tmp_path: Path) -> list[Refused]:
    """Three that ask: in one process it is one and the same."""
    if request.param == "workers":
        return [Refused(tmp_path) for _ in range(3)]
    return [Refused(None)] * 3


def test_a_refusal_is_remembered_by_all(askers: list[Refused]) -> None:
    sandbox = Sandbox(CredentialsRefusedError("no"))

    for asker in askers:
        with pytest.raises(CredentialsRefusedError, match=r"^no$"):
            asker.ask(sandbox.ask)

    assert sandbox.requests == 1


@pytest.mark.parametrize("answer", ["a token", LiveError("down")])
def test_anything_else_lets_the_others_ask_too(
    askers: list[Refused], answer: LiveError | str
) -> None:
    sandbox = Sandbox(answer)

    for asker in askers:
        if isinstance(answer, LiveError):
            with pytest.raises(LiveError, match=r"^down$"):
                asker.ask(sandbox.ask)
        else:
            assert asker.ask(sandbox.ask) == answer

    assert sandbox.requests == 3


def test_a_secret_that_is_refused_later_is_remembered_too(askers: list[Refused]) -> None:
    sandbox = Sandbox("a token")
    askers[0].ask(sandbox.ask)
    sandbox.answer = CredentialsRefusedError("no more")

    for _ in range(2):
        with pytest.raises(CredentialsRefusedError, match=r"^no more$"):
            askers[0].ask(sandbox.ask)

    assert sandbox.requests == 2


def test_workers_that_begin_together_wait_for_the_first(tmp_path: Path) -> None:
    sandbox = Sandbox(CredentialsRefusedError("no"))

    def asked(asker: Refused) -> str:
        with pytest.raises(CredentialsRefusedError) as raised:
            asker.ask(sandbox.ask)
        return str(raised.value)

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(asked, [Refused(tmp_path) for _ in range(4)]))

    assert said == ["no"] * 4
    assert sandbox.requests == 1


def test_a_worker_that_died_while_it_asked_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE", -0.95)
    (tmp_path / "optum-live-asks").touch()

    assert Refused(tmp_path).ask(lambda: "a token") == "a token"


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_fixture_and_contract_try_refused_credentials_once(
    inner: LiveRuns,
    live_credentials: dict[str, str],
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "expired-and-replaced")
    inner.tests("def test_mine(optum_live): optum_live.access_token")

    result = inner.run("-p", "xdist.plugin", *workers, "test_inner.py", *CONTRACT)

    result.assert_outcomes(failed=26, passed=24)
    assert len(stand_in.requests) == 1
    output = result.stdout.str()
    assert f"no answer: {REFUSED}" in result.outlines
    assert (output.count("  no answer  "), output.count("BROKEN")) == (25, 0)


@pytest.mark.parametrize("deviation", ["down", "too many", "page", "redirect", "forbidden"])
def test_an_outage_is_no_drift(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn, deviation: str
) -> None:
    stand_in.deviation = deviation

    result = inner.run("-m", "optum_live", *CONTRACT)

    result.assert_outcomes(failed=25, deselected=24)
    assert len(stand_in.requests) == 1
    output = result.stdout.str()
    assert (output.count("  no answer  "), output.count("BROKEN")) == (25, 0)


def test_an_outage_in_the_middle_is_no_drift(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn
) -> None:
    stand_in.deviation = "too many after the first"

    result = inner.run("-m", "optum_live", "-k", "documented_keys or json_body or get", *CONTRACT)

    result.assert_outcomes(passed=1, failed=2, deselected=46)
    assert len(stand_in.requests) == 2
    assert (
        "no answer: localhost answered 429: these are too many requests, try again in 7 seconds "
        "(Retry-After)."
    ) in result.outlines


@pytest.mark.parametrize("deviation", ["wrong fields", "wrong media type"])
def test_a_right_request_that_is_called_wrong_is_drift(
    inner: LiveRuns, live_credentials: dict[str, str], stand_in: StandIn, deviation: str
) -> None:
    stand_in.deviation = deviation

    result = inner.run("-m", "optum_live", "-k", "documented_keys", *CONTRACT)

    assert result.stdout.str().count("BROKEN") == 1
