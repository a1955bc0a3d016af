"""Schemathesis: the server against the published description of the endpoint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from description import description

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.server.served import Server


def check(server: Server, described: dict[str, object], directory: Path) -> tuple[int, str]:
    """Exit status and report of a run with every check."""
    path = directory / "description.json"
    path.write_text(json.dumps(described))
    arguments = [
        "run",
        str(path),
        "--url",
        server.base_url,
        "--tls-verify",
        server.ca_bundle,
        "--checks",
        "all",
        "--max-examples",
        "40",
        "--generation-deterministic",
        "--no-color",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=directory,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_answer_conforms_to_the_description(
    optum_server: Server, optum_auth: FakeOptum, tmp_path: Path
) -> None:
    optum_auth.token_type = "bearer"
    # Schemathesis tries out the server beside the description.
    optum_auth.strict = False

    status, report = check(optum_server, description(optum_server.credentials), tmp_path)

    assert status == 0, report
    statuses = {exchange.status for exchange in optum_auth.exchanges}
    # Whether it tries other media types (415) depends on its version.
    assert {200, 400, 401, 405} <= statuses
    assert max(filter(None, statuses)) < 500


def test_an_answer_that_does_not_conform_is_found(
    optum_server: Server, optum_auth: FakeOptum, tmp_path: Path
) -> None:
    described = description(optum_server.credentials)
    optum_auth.error_format = "rfc6749"
    optum_auth.strict = False

    status, report = check(optum_server, described, tmp_path)

    assert status == 1
    assert "Response violates schema" in report
