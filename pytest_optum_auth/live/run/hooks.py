"""Where the plugin enters: each function stands for one moment of a pytest run."""

from __future__ import annotations

import os
from typing import Any, Final

import pytest

from .. import mode as live_mode
from ..redaction import plugin as redaction
from ..sandbox.environment import Environment, remember_environment
from ..sandbox.production_guard import ProductionGuard
from .gate import LiveGate
from .require import Verdict

# Options of pytest and of recording plugins that copy what tests handle to files or to a web
# site, past every report; the values are those that switch an option off.
_COPYING_OPTIONS: Final = {
    "debug": ("--debug", (None, False)),
    "pastebin": ("--pastebin", (None,)),
    "record_mode": ("--record-mode", (None, "none")),
    "vcr_record": ("--vcr-record", (None, "none")),
}


def loading(config: pytest.Config) -> None:
    """Before the conftests load, in a run that may call the sandbox: mask its secret."""
    redaction.protect(config)


def loading_failed(config: pytest.Config, error: BaseException) -> None:
    """The conftests could not be loaded: pytest prints ``error`` when nothing masks any more."""
    redaction.scrub_exception(config, error)


def configure(config: pytest.Config) -> None:
    """At ``pytest_configure``, when live tests may run or must run.

    Raises ``pytest.UsageError`` (exit code 4) when the environment or an option must not be used
    with them; an xdist worker leaves that to its controller, where the message is seen.
    """
    mode = live_mode.live_mode(config)
    on_worker = hasattr(config, "workerinput")
    if live_mode.live_is_on(mode, os.environ):
        redaction.protect(config)
        environment = remember_environment(config)
        guard = ProductionGuard()
        config.add_cleanup(guard.install())
        config.pluginmanager.register(guard, "optum-live-production-guard")
        if not on_worker:
            _refuse(config, environment)
    if mode == "require" and not on_worker:
        config.pluginmanager.register(Verdict(), "optum-live-verdict")


def collected(config: pytest.Config) -> None:
    """After collection, in a run that holds live tests."""
    config.pluginmanager.register(LiveGate(), "optum-live-gate")


def _refuse(config: pytest.Config, environment: Environment) -> None:
    if environment.problem is not None:
        raise pytest.UsageError(environment.problem)
    for name, (option, harmless) in _COPYING_OPTIONS.items():
        value: Any = getattr(config.option, name, None)
        if value not in harmless:
            raise pytest.UsageError(
                f"{option} copies what live tests handle, secrets included: leave it out, or add "
                "--optum-live=off."
            )
    if os.environ.get("PYTEST_DEBUG"):
        raise pytest.UsageError(
            "PYTEST_DEBUG prints what live tests handle, secrets included: unset it, or add "
            "--optum-live=off."
        )
