"""Where the plugin enters: each function stands for one moment of a pytest run."""

from __future__ import annotations

import os

import pytest

from .. import mode as live_mode
from . import refusal
from .production_guard import ProductionGuard


def configure(config: pytest.Config) -> None:
    """At ``pytest_configure``, when live tests may run or must run."""
    mode = live_mode.live_mode(config)
    on_controller = not hasattr(config, "workerinput")
    if live_mode.live_is_on(mode, os.environ):
        live_mode.remember_environment(config, os.environ)
        guard = ProductionGuard()
        config.add_cleanup(guard.install())
        config.pluginmanager.register(guard, "optum-live-production-guard")
        if on_controller:
            config.pluginmanager.register(refusal.OfWorkers(), "optum-live-refusal")
    if mode == "require" and on_controller:
        from .require import Verdict

        config.pluginmanager.register(Verdict(config.rootpath), "optum-live-verdict")


def collected(session: pytest.Session) -> None:
    """After collection, in a run that holds live tests.

    Ends the run with a usage error (exit code 4) when they must not run as things are.
    """
    # What serves live tests alone is loaded when there is one.
    from .gate import LiveGate

    refusal.end(session)
    session.config.pluginmanager.register(LiveGate(), "optum-live-gate")
