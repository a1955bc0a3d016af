"""Comparing whole messages: they are what the user of a test tool reads."""

from __future__ import annotations

import re


def whole(message: str) -> str:
    """For ``match=`` of ``pytest.raises``: the message, all of it, and nothing else."""
    return rf"\A{re.escape(message)}\Z"
