"""Whether some library holds the time still: a live test needs the real one."""

from __future__ import annotations

import sys


def frozen_by() -> str | None:
    """The name of the library that moves the clock at this moment, or ``None``.

    Looks only at libraries that are loaded already, so it costs nothing without them.
    """
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return "time-machine"
    freezegun = sys.modules.get("freezegun.api")
    if freezegun is not None and freezegun.freeze_factories:
        return "freezegun"
    return None


def frozen_sentence(library: str) -> str:
    """Why a live test cannot run while ``library`` moves the clock."""
    return (
        f"The clock is moved by {library}, and the sandbox keeps the real time: its tokens would "
        "look expired, or never expire. Take the frozen clock out of this live test, or test "
        "expiry against the fake (optum_auth with optum_clock)."
    )
