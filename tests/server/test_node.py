"""Another language: a Node.js script gets a token and uses it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.server.served import Server

NODE = shutil.which("node")
SCRIPT = Path(__file__).with_name("fetch_token.mjs")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")


def test_a_node_script_gets_and_uses_a_token(
    optum_server: Server, optum_env: dict[str, str], optum_auth: FakeOptum
) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1", json={"plan": "gold"})

    done = subprocess.run(
        [str(NODE), str(SCRIPT)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [200, 200, {"plan": "gold"}]
    assert [exchange.status for exchange in optum_auth.exchanges] == [200, 200]
    assert optum_auth.api_requests[0].token is optum_auth.last_token


def test_without_the_environment_it_does_not_trust_the_server(
    optum_server: Server,
    optum_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    optum_auth: FakeOptum,
) -> None:
    for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)

    done = subprocess.run(
        [str(NODE), str(SCRIPT)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode != 0
    assert len(optum_auth.exchanges) == 0
