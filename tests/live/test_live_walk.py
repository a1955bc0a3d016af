"""Secrets in objects that pytest is about to write: masked, whatever they are in."""

from __future__ import annotations

import re
import warnings
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from pytest_optum_auth.live.redaction.redactor import Redactor
from pytest_optum_auth.live.redaction.walk import Walk

LONG = "s3cr3t&\"'/+= %\\\té-Zq8"


@pytest.fixture
def walk() -> Walk:
    """A walk that knows one secret."""
    redactor = Redactor()
    redactor.learn_secret("S", LONG)
    return Walk(redactor)


Pair = namedtuple("Pair", ["left", "right"])


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (LONG, "[S]"),
        (LONG.encode(), b"[S]"),
        ([1, LONG], [1, "[S]"]),
        ((LONG, None), ("[S]", None)),
        ({LONG: {"deep": [LONG]}}, {"[S]": {"deep": ["[S]"]}}),
        ({LONG}, {"[S]"}),
        (Pair(LONG, 1), Pair("[S]", 1)),
    ],
)
def test_containers_are_copied_with_secrets_masked(walk: Walk, value: Any, masked: Any) -> None:
    new = walk.value(value)

    assert new == masked
    assert type(new) is type(value)


@pytest.mark.parametrize("kind", [MappingProxyType, OrderedDict])
def test_any_mapping_becomes_a_dict(walk: Walk, kind: Any) -> None:
    assert walk.value(kind({"secret": LONG})) == {"secret": "[S]"}


@dataclass
class Settings:
    secret: str
    name: str = "name"


@dataclass(repr=False)
class Reserved:
    """Its field is written by whoever takes it apart."""

    secret: str


class Speaking:
    def __str__(self) -> str:
        return f"I know {LONG}"


class Showing:
    def __repr__(self) -> str:
        return f"Showing({LONG})"


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (Settings(LONG), r"Settings\(secret='\[S\]', name='name'\)"),
        (Reserved(LONG), r"<.*Reserved object at 0x\w+>"),
        (Speaking(), r"<.*Speaking object at 0x\w+>"),
        (Showing(), r"Showing\(\[S\]\)"),
    ],
)
def test_an_object_that_shows_a_secret_becomes_the_masked_text(
    walk: Walk, value: Any, masked: str
) -> None:
    assert re.fullmatch(masked, walk.value({"context": value})["context"])


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        b"plain",
        [1, "plain"],
        {"plain": ("text",)},
        None,
        7,
        Settings("plain"),
        SimpleNamespace(text="plain"),
    ],
    ids=repr,
)
def test_a_value_without_a_secret_stays_the_same_object(walk: Walk, value: Any) -> None:
    assert walk.value(value) is value


def test_a_container_that_holds_itself_ends_somewhere(walk: Walk) -> None:
    loop: list[Any] = [LONG]
    loop.append(loop)

    assert walk.value(loop)[0] == "[S]"


def test_a_container_that_cannot_be_copied_becomes_a_list(walk: Walk) -> None:
    class Point(tuple[str, str]):
        def __new__(cls, x: str, y: str) -> Point:
            return super().__new__(cls, (x, y))

    assert walk.value(Point(LONG, "y")) == ["[S]", "y"]


def test_a_container_that_cannot_be_walked_is_left(walk: Walk) -> None:
    class Sulking(dict[str, str]):
        def items(self) -> Any:
            raise RuntimeError("no")

    sulking = Sulking()

    assert walk.value(sulking) is sulking


def test_a_report_is_masked_in_place_except_its_name(walk: Walk) -> None:
    inner = SimpleNamespace(lines=[LONG], toterminal=None)
    report = SimpleNamespace(nodeid=LONG, sections=[("out", LONG)], longrepr=(inner, 1))

    walk.report(report)

    assert report.nodeid == LONG
    assert report.sections == [("out", "[S]")]
    assert report.longrepr == (inner, 1)
    assert inner.lines == ["[S]"]


def test_a_serialised_report_keeps_its_name(walk: Walk) -> None:
    data = {"nodeid": LONG, "location": (LONG, 1, LONG), "keywords": {LONG: 1}}

    assert walk.serialised(data) == {**data, "keywords": {"[S]": 1}}


def test_an_attribute_that_cannot_be_set_is_left(walk: Walk) -> None:
    class Fixed:
        def __init__(self) -> None:
            vars(self)["text"] = LONG

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    fixed = Fixed()
    walk.report(fixed)

    assert vars(fixed) == {"text": LONG}


def test_an_object_without_attributes_is_no_report(walk: Walk) -> None:
    for each in (object(), 7, None):
        walk.report(each)
    # Nothing was raised, and the next report is masked as ever.
    report = SimpleNamespace(text=LONG)
    walk.report(report)
    assert report.text == "[S]"


class Spoken(UserWarning):
    def __str__(self) -> str:
        return f"mind {LONG}"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (DeprecationWarning(LONG), "DeprecationWarning('[S]')"),
        (UserWarning("plain"), "UserWarning('plain')"),
        (Spoken(), "UserWarning('mind [S]')"),
    ],
)
def test_a_warning_is_masked(walk: Walk, message: Warning, shown: str) -> None:
    recorded = warnings.WarningMessage(message, type(message), "file.py", 1)

    walk.warning(recorded)

    assert repr(recorded.message) == shown
