"""Three hours of a client: what the page on the timeline tells, and its picture draws."""

from __future__ import annotations

import datetime as dt

from requests_client import EligibilityClient

from pytest_optum_auth import Clock, FakeOptum


def tell() -> tuple[FakeOptum, dt.datetime]:
    """What happened, and when the first token was revoked."""
    with Clock("2026-01-01T08:00:00Z") as clock, FakeOptum() as optum:
        optum.protect("POST", "/oihub/eligibility/v1/pre-service/member")
        client = EligibilityClient(*optum.credentials)
        client.check("member-1")
        clock.tick(1800)
        client.check("member-2")
        clock.tick(1800)
        optum.revoke()
        revoked_at = clock.now
        client.check("member-3")
        clock.tick(3600)
        client.check("member-4")
        clock.nearly_expire_token(margin=60)
        client.check("member-5")
    return optum, revoked_at


if __name__ == "__main__":
    print(tell()[0].timeline())
