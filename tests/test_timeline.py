"""The timeline in the report of a failing test: what happened, a line each."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote, quote_plus

import freezegun
import pytest
from inner_runs import Run, part, titles
from token_requests import ask, call, fields
from transports_under_test import Transport
from transports_under_test import send_with_requests as send

from pytest_optum_auth import Clock, FakeOptum, faults

at_new_year = pytest.mark.optum_clock("2026-01-01T00:00:00Z")


@pytest.mark.parametrize("frozen", ["2025-01-01", "2040-01-01"])
def test_a_freezer_of_another_kind_does_not_count(frozen: str, optum_auth: FakeOptum) -> None:
    ask(send, optum_auth)
    with freezegun.freeze_time(frozen):
        ask(send, optum_auth)
        ask(send, optum_auth)
    ask(send, optum_auth)

    times = [line.split(" s  ")[0] for line in optum_auth.timeline().splitlines()]
    assert [abs(float(time)) < 5 for time in times] == [True] * 4


@at_new_year
def test_what_our_own_clock_moves_counts(optum_auth: FakeOptum, optum_clock: Clock) -> None:
    optum_clock.move_to("2026-03-01T00:00:00Z")
    ask(send, optum_auth)

    assert optum_auth.timeline().splitlines()[-1].startswith("+5097600 s  requests")


STORY = """
import pytest
import requests

def ask(fake, **changes):
    client_id, client_secret = fake.credentials
    form = {"grant_type": "client_credentials", "client_id": client_id,
            "client_secret": client_secret}
    return requests.post(fake.token_url, data=form | changes).json()

def call(fake, token):
    url = f"{fake.base_url}/oihub/claim/inquiry/v1"
    requests.get(url, headers={"Authorization": f"Bearer {token}"})
"""


def test_a_failing_test_shows_its_exchanges_with_clock_moves_between_them(run: Run) -> None:
    result = run(
        STORY
        + """
@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
def test_it(optum_auth, optum_clock):
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    token = ask(optum_auth)["access_token"]
    call(optum_auth, token)
    optum_clock.expire_token(by=1)
    call(optum_auth, token)
    assert False
"""
    )

    result.assert_outcomes(failed=1)
    assert titles(result)[1:4] == ["FAILURES", "test_it", "Optum traffic"]
    assert part(result, "Optum traffic") == [
        "   +0 s  requests  POST …/sntl/v1/token  200  issued token #1",
        "   +0 s  requests  GET …/inquiry/v1      200  token #1 accepted",
        "+7201 s  -- clock +7201 s",
        "+7201 s  requests  GET …/inquiry/v1      401  token #1 expired 1 s ago",
    ]


def test_a_passing_test_shows_nothing(run: Run) -> None:
    result = run(STORY + "def test_it(optum_auth):\n    ask(optum_auth)\n", "-rA")

    result.assert_outcomes(passed=1)
    assert "Optum traffic" not in titles(result)


def test_a_failing_test_that_did_not_use_the_fake_shows_nothing(run: Run) -> None:
    result = run("def test_it():\n    assert False\n")

    result.assert_outcomes(failed=1)
    assert "Optum traffic" not in titles(result)


def test_a_failing_test_without_traffic_says_so(run: Run) -> None:
    result = run("def test_it(optum_auth):\n    assert False\n")

    assert part(result, "Optum traffic") == ["no request reached a gateway host"]


def test_a_failing_setup_after_the_fake_shows_the_traffic(run: Run) -> None:
    result = run(
        STORY
        + """
@pytest.fixture
def seeded(optum_auth):
    ask(optum_auth, client_secret="wrong")
    raise RuntimeError

@pytest.mark.optum_clock(0)
def test_it(seeded, optum_clock):
    pass
"""
    )

    result.assert_outcomes(errors=1)
    assert part(result, "Optum traffic") == [
        "+0 s  requests  POST …/sntl/v1/token  401  refused: client_secret is wrong"
    ]


def test_three_hundred_exchanges_are_two_hundred_lines_of_at_most_eighty_columns(run: Run) -> None:
    result = run(
        STORY
        + """
@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
def test_it(optum_auth, optum_clock):
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    for _ in range(100):
        token = ask(optum_auth)["access_token"]
        call(optum_auth, token)
        optum_clock.expire_token()
        call(optum_auth, token)
    assert False
"""
    )

    lines = part(result, "Optum traffic")
    assert len(lines) == 200
    assert lines[:5] == [
        "     +0 s  requests  POST …/sntl/v1/token  200  issued token #1",
        "     +0 s  requests  GET …/inquiry/v1      200  token #1 accepted",
        "  +7200 s  -- clock +7200 s",
        "  +7200 s  requests  GET …/inquiry/v1      401  token #1 expired 0 s ago",
        "  +7200 s  requests  POST …/sntl/v1/token  200  issued token #2",
    ]
    assert lines[99:102] == [
        "+180000 s  requests  GET …/inquiry/v1      401  token #25 expired 0 s ago",
        "           ... 201 more ...",
        "+540000 s  requests  GET …/inquiry/v1      200  token #76 accepted",
    ]
    assert lines[-1] == (
        "+720000 s  requests  GET …/inquiry/v1      401  token #100 expired 0 s ago"
    )
    assert max(map(len, lines)) <= 80


def lines_of(fake: FakeOptum) -> list[str]:
    return fake.timeline().splitlines()


@at_new_year
def test_each_outcome_has_its_words(optum_auth: FakeOptum, optum_clock: Clock) -> None:
    optum_auth.strict = False
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    ask(send, optum_auth)
    optum_clock.tick(70)
    ask(send, optum_auth)
    optum_auth.revoke()
    call(send, optum_auth.tokens[1])
    optum_auth.rotate_secret()
    optum_auth.revoke_all()
    optum_auth.inject(faults.connect_error())
    with pytest.raises(OSError, match="connect_error"):
        ask(send, optum_auth)
    optum_clock.tick(-0.5)
    ask(send, optum_auth, client_secret="wrong")

    assert lines_of(optum_auth) == [
        "     +0 s  requests  POST …/sntl/v1/token  200  issued token #1",
        "    +70 s  -- clock +70 s",
        "    +70 s  requests  POST …/sntl/v1/token  200  needless: token #1 was good for another "
        "7130 s",
        "    +70 s  -- token #2 revoked",
        "    +70 s  requests  GET …/inquiry/v1      401  token #2 was revoked",
        "    +70 s  -- secret of 'optum-test-client-1' rotated",
        "    +70 s  -- all tokens revoked",
        "    +70 s  requests  POST …/sntl/v1/token  ---  fault: connect_error()",
        "+69.500 s  -- clock -0.5 s (back)",
        "+69.500 s  requests  POST …/sntl/v1/token  401  refused: client_secret is wrong",
    ]


@at_new_year
def test_the_columns_are_aligned_whatever_the_library(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.protect("PATCH", "/x")
    ask(send, optum_auth)
    call(transport.send, "abc", f"{optum_auth.base_url}/x", "PATCH")

    first, second = lines_of(optum_auth)

    assert first.index("200") == second.index("401")
    assert second.startswith(f"+0 s  {transport.name}")


@at_new_year
def test_two_hundred_entries_are_shown_in_full(optum_auth: FakeOptum) -> None:
    for _ in range(200):
        optum_auth._state.journal.note(optum_auth._state.local_now(), "note")

    assert lines_of(optum_auth) == ["+0 s  -- note"] * 200


@at_new_year
def test_of_more_than_two_hundred_the_middle_is_left_out(optum_auth: FakeOptum) -> None:
    for number in range(201):
        optum_auth._state.journal.note(optum_auth._state.local_now(), f"note {number}")

    lines = lines_of(optum_auth)

    assert len(lines) == 200
    assert lines[99:102] == ["+0 s  -- note 99", "      ... 2 more ...", "+0 s  -- note 102"]
    assert lines[-1] == "+0 s  -- note 200"


def test_no_secret_and_no_token_stands_in_it(transport: Transport, optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1")
    secret = optum_auth.credentials.client_secret
    token = ask(transport.send, optum_auth).json()["access_token"]
    call(transport.send, token)
    transport.send("POST", f"{optum_auth.token_url}?client_secret={quote(secret)}")

    shown = optum_auth.timeline()

    assert len(shown.splitlines()) == 3
    for hidden in (secret, quote(secret), quote_plus(secret), token):
        assert hidden not in shown


def test_a_strange_path_cannot_forge_a_line(optum_auth: FakeOptum) -> None:
    optum_auth.strict = False
    with pytest.raises(OSError, match="no protect"):
        send("GET", f"{optum_auth.base_url}/a%0A+0%20s")

    assert len(lines_of(optum_auth)) == 1


def test_a_failing_count_of_requests_shows_them_readably(run: Run) -> None:
    result = run(
        STORY
        + """
@pytest.mark.optum_clock("2026-01-01T00:00:00Z")
def test_it(optum_auth):
    for _ in range(5):
        ask(optum_auth)
    assert len(optum_auth.token_requests) == 1
"""
    )

    explained = [line for line in part(result, "test_it") if line.startswith("E")]
    assert explained[:2] == [
        "E       assert 5 == 1",
        "E        +  where 5 = len([POST …/sntl/v1/token: 200, issued token #1 | "
        "POST …/sntl/v1/token: 200, needless: token #1 was good for another | "
        "POST …/sntl/v1/token: 200, needless: token #2 was good for another | 2 more])",
    ]


@at_new_year
def test_the_moment_of_an_exchange_is_that_of_its_answer(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_clock.tick(5)
    send("POST", optum_auth.token_url, data=fields(optum_auth))

    assert optum_auth.exchanges[0].at == dt.datetime(2026, 1, 1, 0, 0, 5, tzinfo=dt.timezone.utc)
