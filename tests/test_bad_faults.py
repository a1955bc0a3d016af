"""Faults that make no sense are refused where they are made."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: faults.replacing(scope="openid", expires_in=b"7200"),
            "expires_in= cannot be sent as JSON: Object of type bytes is not JSON serializable",
        ),
        (
            lambda: faults.http_error(500, json=b"x"),
            "json= cannot be sent as JSON: Object of type bytes is not JSON serializable",
        ),
        (
            lambda: faults.http_error(500, json=float("nan")),
            "json= cannot be sent as JSON: Out of range float values are not JSON compliant",
        ),
        (lambda: faults.http_error(500, text=b"x"), "text=b'x': text is a string"),
    ],
    ids=["replacing", "json", "nan", "text"],
)
def test_a_body_of_another_type_is_refused(make: Callable[[], Fault], message: str) -> None:
    # Newer versions of Python add the number that is out of range.
    with pytest.raises(TypeError, match=rf"\A{re.escape(message)}(: nan)?\Z"):
        make()


@pytest.mark.parametrize("key", ["access_token", "refresh_token", "client_secret"])
def test_a_fault_does_not_show_a_secret(key: str) -> None:
    assert repr(faults.replacing(**{key: "hush"})) == f"replacing({key}=...)"
