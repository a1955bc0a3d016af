"""Whether this run may call the sandbox and, if not, what becomes of its live tests."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from .. import mode as live_mode
from .environment import Environment, remembered_environment


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why live tests do not run, as a sentence; ``fails`` tells a failure from a skip."""

    reason: str
    fails: bool


def environment_or_obstacle(config: pytest.Config) -> Environment | Obstacle:
    """The settings of a run that may call the sandbox, else the obstacle.

    Live tests that are off are skipped, and so are those without credentials, except under
    ``--optum-live=require``; an environment that must not be used fails them.
    """
    mode = live_mode.live_mode(config)
    if mode == "off":
        return Obstacle("live tests are off (--optum-live=off)", fails=False)
    environment = remembered_environment(config)
    if environment is None:
        reason = live_mode.missing_sentence(live_mode.missing_credentials(os.environ))
        if mode == "require":
            return Obstacle(f"--optum-live=require, and {reason}.", fails=True)
        return Obstacle(reason, fails=False)
    if environment.problem is not None:
        return Obstacle(environment.problem, fails=True)
    return environment
