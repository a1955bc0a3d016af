"""What one test sees of the fake and of the sandbox alike (fixture ``optum_target``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.clients import Credentials
from .sandbox import LiveSandbox

if TYPE_CHECKING:
    from ..fake import FakeOptum


@dataclass(frozen=True, slots=True)
class Target:
    """Where a client should call, and as whom; ``is_live`` tells the sandbox from the fake."""

    base_url: str
    token_url: str
    credentials: Credentials
    is_live: bool


def fake_target(fake: FakeOptum) -> Target:
    """The fake of ``optum_auth``: it intercepts calls to these addresses."""
    return Target(fake.base_url, fake.token_url, fake.credentials, is_live=False)


def live_target(sandbox: LiveSandbox) -> Target:
    """The real sandbox: calls leave the machine."""
    return Target(sandbox.base_url, sandbox.token_url, sandbox.credentials, is_live=True)
