"""Runs of pytest inside a test, with the plugin and nothing else loaded."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

# What a machine exports about proxies and certificates, and a developer about Optum.
_ENDINGS = ("_PROXY", "_CA_BUNDLE", "_CERT_FILE", "_CERT_DIR", "_CA_CERTS")
PLUGINS = ("-p", "pytest_optum_auth.plugin")


def plain_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` without what decides about live runs, TLS, or the place of pytest's cache."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("OPTUM_")
        and not name.upper().endswith(_ENDINGS)
        and not name.startswith("PYTEST_XDIST")
        and name != "TOX_ENV_DIR"
    }


class LiveRuns:
    """Writes a test file and runs it, in this process or in one of its own."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester

    def tests(self, source: str) -> None:
        """Write ``test_inner.py``."""
        self.pytester.makepyfile(test_inner=source)

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run in this process."""
        return self.pytester.runpytest_inprocess(*PLUGINS, *arguments)

    def run_subprocess(self, *arguments: str) -> pytest.RunResult:
        """Run in a process of its own."""
        return self.pytester.runpytest_subprocess(*PLUGINS, *arguments)
