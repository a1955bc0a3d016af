"""What the tests of the live mode share: a stand-in sandbox, its environment, inner runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from live_runs import LiveRuns, plain_environment
from stand_in import CLIENT_ID, CLIENT_SECRET, StandIn, serving


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The certificate authority of all stand-ins."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its certificate, as ``SSL_CERT_FILE`` wants it."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def _served(authority: trustme.CA) -> Iterator[StandIn]:
    with serving(authority, StandIn()) as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(_served: StandIn) -> StandIn:
    """A sandbox that behaves as documented until a test says otherwise."""
    port = _served.port
    _served.reset()
    _served.port = port
    return _served


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that neither the machine nor a developer has put anything into."""
    plain = plain_environment(os.environ)
    for name in set(os.environ) - set(plain):
        monkeypatch.delenv(name)


@pytest.fixture
def live_credentials(
    no_credentials: None, monkeypatch: pytest.MonkeyPatch, stand_in: StandIn, ca_file: Path
) -> dict[str, str]:
    """The variables of a live run against the stand-in, set; returned as well."""
    variables = {
        "OPTUM_CLIENT_ID": CLIENT_ID,
        "OPTUM_CLIENT_SECRET": CLIENT_SECRET,
        "OPTUM_TOKEN_URL": stand_in.token_url,
        "SSL_CERT_FILE": str(ca_file),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> LiveRuns:
    """Runs of pytest with the plugin and nothing else."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return LiveRuns(pytester)
