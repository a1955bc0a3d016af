"""A ``FakeOptum`` of a test's own, or of a fixture of wider scope: its report, end and start."""

from __future__ import annotations

import gc
import weakref

import pytest
from inner_runs import Run, part, titles
from token_requests import ask, fields
from transports_under_test import IN_PROCESS, Transport
from transports_under_test import send_with_requests as send

from pytest_optum_auth import FakeOptum, fake, transports

IMPORTS = """
import pytest
import requests
from pytest_optum_auth import FakeOptum, faults

@pytest.fixture(scope="module")
def optum():
    with FakeOptum() as fake:
        yield fake
"""


def test_the_fake_of_a_wider_fixture_is_in_the_report_of_the_test_that_failed(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
def test_that_passes(optum):
    assert requests.get(optum.token_url).status_code == 405

def test_that_fails(optum):
    requests.post(optum.token_url)
    assert requests.get(optum.token_url).status_code == 200
"""
    )

    result.assert_outcomes(passed=1, failed=1)
    first, *lines = part(result, "Optum traffic")
    assert first == "... 1 earlier, of other tests ..."
    assert [line.split()[5] for line in lines] == ["415", "405"]


def test_a_fake_that_was_asked_nothing_says_so(run: Run) -> None:
    result = run(f"{IMPORTS}\ndef test_it(optum):\n    assert 1 == 2\n")

    assert part(result, "Optum traffic") == ["no request reached a gateway host"]


@pytest.mark.parametrize(
    "body",
    [
        "with FakeOptum() as mine:\n        requests.get(mine.token_url)\n        1 / 0",
        "with FakeOptum() as mine:\n        requests.get(mine.token_url)\n    1 / 0",
    ],
    ids=["inside", "after it"],
)
def test_the_fake_that_a_test_has_made_itself_is_in_its_report(body: str, run: Run) -> None:
    result = run(f"{IMPORTS}\ndef test_it():\n    {body}\n")

    assert "405" in part(result, "Optum traffic")[0]


def test_beside_that_of_optum_auth_it_has_its_name(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
def test_it(optum, optum_auth):
    requests.get(optum_auth.token_url)
    with FakeOptum() as mine:
        requests.post(mine.token_url)
        assert 1 == 2
"""
    )

    shown = [title for title in titles(result) if title.startswith("Optum traffic")]
    assert shown == ["Optum traffic", "Optum traffic: optum", "Optum traffic: FakeOptum()"]
    assert "405" in part(result, "Optum traffic")[0]
    assert "415" in part(result, "Optum traffic: FakeOptum()")[0]


def test_a_fake_of_another_test_is_not_in_the_report(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
kept = []

def test_that_passes():
    with FakeOptum() as mine:
        kept.append(mine)
        requests.get(mine.token_url)

def test_that_fails():
    assert 1 == 2
""",
        "-p",
        "no:randomly",
    )

    assert "Optum traffic" not in titles(result)


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_what_it_says_at_its_end_names_the_fixture(scope: str, run: Run) -> None:
    result = run(
        IMPORTS.replace("module", scope)
        + """
def test_it(optum):
    optum.inject(faults.server_error())
"""
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*AssertionError: fixture 'optum' at its end: server_error() on the token endpoint was *"]
    )


def test_of_two_fixtures_that_complain_each_is_named(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
@pytest.fixture(scope="module")
def other():
    with FakeOptum() as fake:
        yield fake

def test_it(optum, other):
    optum.inject(faults.server_error())
    other.inject(faults.server_error())
"""
    )

    output = result.stdout.str()
    assert "fixture 'optum' at its end: server_error()" in output
    assert "fixture 'other' at its end: server_error()" in output


def test_what_the_fixture_itself_asserts_is_left_as_it_is(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
@pytest.fixture
def checking(optum):
    yield
    assert optum.tokens, "no token"

def test_it(checking):
    pass
"""
    )

    assert "at its end" not in result.stdout.str()


@pytest.mark.parametrize("latest", ["sandbox", "other"])
@IN_PROCESS
def test_of_two_fakes_with_hosts_of_their_own_each_answers_at_its_own(
    latest: str, transport: Transport
) -> None:
    sandbox, other = FakeOptum(), FakeOptum(base_url="https://optum.example.com")
    first, second = (other, sandbox) if latest == "sandbox" else (sandbox, other)

    with first, second:
        for mine in (sandbox, other):
            assert ask(transport.send, mine).status == 200
            assert len(mine.tokens) == 1


def test_at_a_documented_host_that_none_names_the_latest_answers() -> None:
    with FakeOptum(), FakeOptum() as latest:
        url = "https://apigw.optum.com/apip/auth/sntl/v1/token"
        assert send("POST", url, data=fields(latest)).status == 200


@IN_PROCESS
def test_a_fake_that_leaves_out_a_library_leaves_its_requests_to_the_other_one(
    transport: Transport,
) -> None:
    others = [name for name in transports.TRANSPORTS if name != transport.name]

    with FakeOptum() as answering, FakeOptum(transports=others) as latest:
        assert ask(transport.send, answering).status == 200

    assert not latest.exchanges


def test_a_fake_whose_start_failed_can_be_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = FakeOptum()
    with monkeypatch.context() as broken:
        broken.setattr(fake, "activate", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mine.__enter__()

    with mine:
        assert ask(send, mine).status == 200


def test_nothing_of_a_start_that_failed_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = FakeOptum()

    def fail() -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(transports.load("requests"), "install", fail)
        with pytest.raises(ZeroDivisionError):
            mine.__enter__()

    with FakeOptum() as other:
        assert ask(send, other).status == 200
    assert not mine.exchanges


def test_a_fake_that_nobody_holds_any_more_is_gone() -> None:
    with FakeOptum() as mine:
        ask(send, mine)
    gone = weakref.ref(mine)
    del mine
    gc.collect()

    assert gone() is None
