"""Replacing a method, and staying on top of others who do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_optum_auth.patching import Interception


class Owner:
    def method(self) -> str:
        return "genuine"


@pytest.fixture
def owner() -> Any:
    """A class of its own for each test, whose method is replaced."""
    return type("Owner", (), dict(vars(Owner)))


def around(name: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    return lambda beneath: lambda self: f"{name} over {beneath(self)}"


def test_it_answers_between_install_and_remove(owner: Any) -> None:
    genuine = owner.method
    interception = Interception(owner, "method", around("ours"))

    interception.install()
    inside = owner().method()
    interception.remove()

    assert inside == "ours over genuine"
    assert owner.method is genuine


def test_installing_twice_lays_one_layer(owner: Any) -> None:
    interception = Interception(owner, "method", around("ours"))
    interception.install()
    interception.install()

    assert owner().method() == "ours over genuine"


def test_it_rises_over_what_covered_it(owner: Any) -> None:
    interception = Interception(owner, "method", around("ours"))
    interception.install()
    owner.method = around("theirs")(owner.method)
    covered = owner().method()
    interception.rise()

    assert covered == "theirs over ours over genuine"
    assert owner().method() == "ours over theirs over ours over genuine"


def test_it_does_not_rise_after_its_end(owner: Any) -> None:
    genuine = owner.method
    interception = Interception(owner, "method", around("ours"))
    interception.install()
    interception.remove()
    interception.rise()

    assert owner.method is genuine


def test_a_layer_that_is_put_back_after_its_end_takes_itself_off(owner: Any) -> None:
    genuine = owner.method
    interception = Interception(owner, "method", around("ours"))
    interception.install()
    layer = owner.method
    owner.method = around("theirs")(layer)
    interception.remove()

    owner.method = layer
    first = owner().method()

    assert first == "genuine"
    assert owner.method is genuine
