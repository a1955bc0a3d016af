"""The examples: they run, and each client is short."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_they_pass() -> None:
    environment = {name: value for name, value in os.environ.items() if "OPTUM" not in name}
    # pytest-asyncio, where it is installed, warns of an option of its own.
    command = [sys.executable, "-m", "pytest", "-p", "no:asyncio", "-p", "no:cacheprovider"]

    run = subprocess.run(
        [*command, "-W", "error", str(EXAMPLES)], env=environment, capture_output=True, text=True
    )

    assert run.returncode == 0, run.stdout
    assert re.search(r"^=+ \d+ passed in [\d.]+s =+$", run.stdout, re.MULTILINE), run.stdout


@pytest.mark.parametrize("client", ["requests_client.py", "httpx_client.py", "authlib_client.py"])
def test_a_client_has_less_than_80_lines(client: str) -> None:
    assert len((EXAMPLES / client).read_text(encoding="utf-8").splitlines()) < 80
