"""Faults that make no sense are refused where they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from whole_message import whole

from pytest_optum_auth import FakeOptum, Fault, faults

WAIT = "a wait is a number of seconds from 0 to 3600, and it is real"


@pytest.mark.parametrize("value", [-1, -0.1, 3601, float("nan"), float("inf"), "1", None, True])
@pytest.mark.parametrize("make", [faults.slow, faults.server_error().after])
def test_a_wait_that_makes_no_sense_is_refused(make: Callable[[Any], Fault], value: Any) -> None:
    with pytest.raises(ValueError, match=whole(f"a wait of {value!r}: {WAIT}")):
        make(value)


@pytest.mark.parametrize("value", [0, 0.5, 3600])
def test_a_wait_within_an_hour_is_accepted(value: float) -> None:
    assert repr(faults.slow(value)) == f"slow({value})"


@pytest.mark.parametrize(
    ("make", "least", "bad"),
    [
        (faults.http_error, 100, [99, 600, 0, -1, "500", 500.0, True, None]),
        (faults.gateway_error, 500, [499, 600, 200]),
    ],
    ids=["http_error", "gateway_error"],
)
def test_a_status_that_is_none_is_refused(
    make: Callable[[Any], Fault], least: int, bad: list[Any]
) -> None:
    for status in bad:
        message = f"status {status!r}: a status is a whole number from {least} to 599"
        with pytest.raises(ValueError, match=whole(message)):
            make(status)


@pytest.mark.parametrize(("make", "least"), [(faults.http_error, 100), (faults.gateway_error, 500)])
def test_the_first_and_the_last_status_are_accepted(
    make: Callable[[int], Fault], least: int
) -> None:
    shown = [repr(make(status)) for status in (least, 599)]

    assert shown == [f"{make.__name__}({least})", f"{make.__name__}(599)"]


@pytest.mark.parametrize("value", [-1, 1.5, "60", True])
def test_a_retry_after_that_makes_no_sense_is_refused(value: Any) -> None:
    message = (
        f"retry_after={value!r}: retry_after must be a whole number of seconds, 0 or more, or None"
    )
    with pytest.raises(ValueError, match=whole(message)):
        faults.rate_limited(value)


def test_two_bodies_are_refused() -> None:
    with pytest.raises(ValueError, match=whole("http_error takes json= or text=, not both")):
        faults.http_error(500, json={}, text="x")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            faults.without,
            "without() takes at least one key, for example without('expires_in')",
        ),
        (
            faults.replacing,
            "replacing() takes at least one key, for example replacing(expires_in='7200')",
        ),
        (lambda: faults.without(7), "without(7): a key must be a string"),
    ],
    ids=["without", "replacing", "not-a-string"],
)
def test_a_fault_that_changes_nothing_is_refused(make: Callable[[], Fault], message: str) -> None:
    with pytest.raises(ValueError, match=whole(message)):
        make()


def test_a_key_that_the_answer_never_has_is_refused_when_injected(optum_auth: FakeOptum) -> None:
    keys = (
        "'access_token', 'expires_in', 'refresh_expires_in', 'token_type', 'not-before-policy', "
        "'scope'"
    )
    message = f"without('nonsense'): the answer has no key 'nonsense'; it has {keys}"

    with pytest.raises(ValueError, match=whole(message)):
        optum_auth.inject(faults.without("nonsense"))

    assert optum_auth.problems() == ""


def test_a_value_that_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        faults.replacing(expires_in=b"7200")
    with pytest.raises(TypeError):
        faults.http_error(500, json=b"x")
