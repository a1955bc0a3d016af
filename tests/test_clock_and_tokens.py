"""``Clock`` and the tokens of a fake: to their end, and nearly."""

from __future__ import annotations

import datetime as dt
from datetime import datetime

import pytest
from whole_message import whole

from pytest_optum_auth import Clock, FakeOptum

UTC = dt.timezone.utc


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


at_new_year = pytest.mark.optum_clock("2026-01-01T00:00:00Z")


def seconds(value: float) -> dt.timedelta:
    return dt.timedelta(seconds=value)


@pytest.mark.parametrize("by", [0, 1, 30])
@at_new_year
def test_expire_token_moves_to_the_first_second_it_is_not_honoured(
    by: int, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.issue_token()

    optum_clock.expire_token(by=by)

    assert optum_clock.now == NEW_YEAR + seconds(7200 + by)


@at_new_year
def test_it_knows_the_lifetime_and_the_clock_skew(
    optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.lifetime, optum_auth.clock_skew = 3600, 300
    optum_auth.issue_token()

    optum_clock.expire_token()

    assert optum_clock.now == NEW_YEAR + seconds(3600)


@at_new_year
@pytest.mark.parametrize(("name", "moved"), [("expire_token", 60), ("nearly_expire_token", 59)])
def test_it_takes_another_token_than_the_last(
    name: str, moved: int, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    first = optum_auth.issue_token(expires_in=60)
    optum_auth.issue_token()

    getattr(optum_clock, name)(first)

    assert optum_clock.now == NEW_YEAR + seconds(moved)


@at_new_year
def test_expire_token_only_ever_moves_forward(optum_clock: Clock, optum_auth: FakeOptum) -> None:
    optum_auth.issue_token(expires_in=60)
    optum_clock.tick(100)

    optum_clock.expire_token()

    assert optum_clock.now == NEW_YEAR + seconds(100)
    optum_clock.expire_token(by=50)
    assert optum_clock.now == NEW_YEAR + seconds(110)


@at_new_year
@pytest.mark.parametrize(("arguments", "left"), [({}, 1), ({"margin": 60}, 60), ({"margin": 0}, 0)])
def test_nearly_expire_token_leaves_a_margin(
    arguments: dict[str, int], left: int, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.issue_token()

    optum_clock.nearly_expire_token(**arguments)

    assert optum_clock.now == NEW_YEAR + seconds(7200 - left)


@at_new_year
def test_nearly_expire_token_past_its_margin_is_refused(
    optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    optum_auth.issue_token()
    optum_clock.nearly_expire_token(margin=30)

    with pytest.raises(
        ValueError,
        match=whole("the token is within 31 s of its end already: use move_to() to go back"),
    ):
        optum_clock.nearly_expire_token(margin=31)
    optum_clock.nearly_expire_token(margin=30)


@pytest.mark.parametrize("name", ["expire_token", "nearly_expire_token"])
def test_before_any_token_exists_there_is_nothing_to_expire(
    name: str, optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    message = (
        "no token was issued yet: let the client make a request or use optum_auth.issue_token() "
        "first"
    )

    with pytest.raises(ValueError, match=whole(message)):
        getattr(optum_clock, name)()


@pytest.mark.parametrize("name", ["expire_token", "nearly_expire_token"])
def test_without_a_fake_there_is_nothing_to_expire(name: str, optum_clock: Clock) -> None:
    with pytest.raises(
        ValueError, match=whole("no FakeOptum is active: ask for optum_auth as well")
    ):
        getattr(optum_clock, name)()


@at_new_year
def test_the_token_of_a_fake_that_is_not_active_is_refused(
    optum_clock: Clock, optum_auth: FakeOptum
) -> None:
    token = FakeOptum().issue_token()
    message = (
        "<Token #1 of 'optum-test-client-1', expires 2026-01-01 02:00:00+00:00> was not issued by "
        "a fake that is active"
    )

    with pytest.raises(ValueError, match=whole(message)):
        optum_clock.expire_token(token)


@at_new_year
def test_the_token_of_an_outer_fake_is_known(optum_clock: Clock, optum_auth: FakeOptum) -> None:
    token = optum_auth.issue_token(expires_in=60)
    with FakeOptum():
        optum_clock.expire_token(token)

    assert optum_clock.now == NEW_YEAR + seconds(60)
