"""Faults for a share of the requests: what a development server plays."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .. import faults
from ..core import facts
from ..core.fault import Fault
from ..core.injection import FaultQueue, Injection

Share = tuple[Fault, Fraction]


class Shares(FaultQueue):
    """Each fault meets its share of the requests, spread evenly: 0.1 is every tenth one.

    Raises ``ValueError`` for shares that are more than all requests together.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        super().__init__(facts.TOKEN_ENDPOINT)
        total = sum(share for _, share in shares)
        if total > 1:
            raise ValueError(f"the shares of the faults add up to {float(total):g}, and 1 is all")
        self._shares = list(shares)
        self._due = [Fraction(0)] * len(self._shares)

    def claim(self, would_succeed: bool) -> Injection | None:
        self._due = [due + share for due, (_, share) in zip(self._due, self._shares, strict=True)]
        first = max(range(len(self._due)), key=self._due.__getitem__, default=None)
        if first is None or self._due[first] < 1:
            return None
        self._due[first] -= 1
        return Injection(self._shares[first][0], None, self.where)


def parse_share(text: str) -> Share:
    """A fault and its share of ``"503:0.1"``: a status from 400 to 599, a number up to 1.

    Raises ``ValueError``.
    """
    status, _, share = text.partition(":")
    try:
        fault, part = _fault(int(status)), Fraction(share)
    except (ValueError, ZeroDivisionError):
        fault, part = None, Fraction(0)
    if fault is None or not 0 < part <= 1:
        raise ValueError(
            f"{text!r} is no fault and its share of the requests: write it as in 503:0.1, with a "
            "status from 400 to 599 and a share above 0 and up to 1"
        )
    return fault, part


def _fault(status: int) -> Fault | None:
    if status == 429:
        return faults.rate_limited()
    if status == 500:
        return faults.server_error()
    if 500 < status <= 599:
        return faults.gateway_error(status)
    return faults.http_error(status) if 400 <= status < 500 else None
