"""Three hours of a client: what the page on the timeline tells and shows.

``python docs/timeline_story.py`` writes ``docs/_static/timeline.svg``; a test says when
it is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parent
PICTURE: Final = DOCS / "_static" / "timeline.svg"
sys.path.append(str(DOCS.parent / "examples"))

from requests_client import EligibilityClient  # noqa: E402 -- the line above finds it

from pytest_optum_auth import Clock, FakeOptum  # noqa: E402 -- follows it


def tell() -> FakeOptum:
    """The fake to which it happened."""
    with Clock("2026-01-01T08:00:00Z") as clock, FakeOptum() as optum:
        optum.protect("POST", "/oihub/eligibility/v1/pre-service/member")
        client = EligibilityClient(*optum.credentials)
        client.check("member-1")
        clock.tick(1800)
        client.check("member-2")
        clock.tick(1800)
        optum.revoke()
        client.check("member-3")
        clock.tick(3600)
        client.check("member-4")
        clock.nearly_expire_token(margin=60)
        client.check("member-5")
    return optum


if __name__ == "__main__":
    PICTURE.write_text(tell().timeline_svg(), encoding="utf-8")
