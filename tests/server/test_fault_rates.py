"""Faults for a share of the requests."""

from __future__ import annotations

from fractions import Fraction

import pytest
from whole_message import whole

from pytest_optum_auth.server.fault_rates import Shares, parse_share


def met(count: int, *shares: str) -> list[str]:
    """What ``count`` requests in a row meet; ``"-"``: nothing."""
    queue = Shares([parse_share(share) for share in shares])
    claims = [queue.claim(would_succeed=True) for _ in range(count)]
    return ["-" if claim is None else repr(claim.fault) for claim in claims]


def test_a_tenth_is_every_tenth_request() -> None:
    faulted = [number for number, fault in enumerate(met(30, "503:0.1"), 1) if fault != "-"]

    assert faulted == [10, 20, 30]


@pytest.mark.parametrize("share", ["0.3", "1/3", "0.07", "1"])
def test_a_share_is_exact_in_the_long_run(share: str) -> None:
    assert sum(fault != "-" for fault in met(300, f"503:{share}")) == 300 * Fraction(share)


def test_two_shares_do_not_get_in_each_others_way() -> None:
    faults = met(40, "503:0.25", "429:0.25")

    assert faults.count("gateway_error(503)") == 10
    assert 9 <= faults.count("rate_limited()") <= 10


def test_shares_of_more_than_all_requests_are_refused() -> None:
    with pytest.raises(
        ValueError, match=whole("the shares of the faults add up to 1.4, and 1 is all")
    ):
        met(1, "503:0.5", "500:0.9")


def test_without_a_share_nothing_is_met() -> None:
    assert met(3) == ["-"] * 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("400:1", "http_error(400)"),
        ("429:1", "rate_limited()"),
        ("500:1", "server_error()"),
        ("502:1", "gateway_error(502)"),
        ("599:1", "gateway_error(599)"),
    ],
)
def test_a_status_is_the_fault_that_answers_so(text: str, shown: str) -> None:
    assert repr(parse_share(text)[0]) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "503",
        "503:",
        ":0.1",
        "503:0",
        "503:-0.1",
        "503:1.1",
        "503:x",
        "200:0.1",
        "600:0.1",
        "x:0.1",
        "503:1/0",
        "503:nan",
    ],
)
def test_what_is_no_share_is_refused(text: str) -> None:
    message = (
        f"{text!r} is no fault and its share of the requests: write it as in 503:0.1, with a "
        "status from 400 to 599 and a share above 0 and up to 1"
    )
    with pytest.raises(ValueError, match=whole(message)):
        parse_share(text)
