"""The documentation site: what its reference and its explanations claim is so."""

from __future__ import annotations

import importlib
import re

import pytest
from documentation_pages import DOCS, ROOT, blocks_of, text_of

import pytest_optum_auth
from pytest_optum_auth import faults, plugin
from pytest_optum_auth.core import facts
from pytest_optum_auth.core.settings import SettingValues

REFERENCE = "\n".join(text_of(f"reference/{path.name}") for path in DOCS.glob("reference/*.md"))
ENDPOINT = text_of("explanation/endpoint.md")
FIXTURES = text_of("reference/fixtures.md")


@pytest.mark.parametrize("name", pytest_optum_auth.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    kind = "currentmodule" if name == "faults" else "autoclass"

    assert re.search(rf"{kind}:: pytest_optum_auth\.{name}\b", REFERENCE)


@pytest.mark.parametrize("name", sorted({*faults.__all__} - {"Fault"}))
def test_every_fault_is_in_the_reference(name: str) -> None:
    assert f".. autofunction:: {name}\n" in REFERENCE


@pytest.mark.parametrize("name", [n for n in vars(plugin) if n.startswith("optum_")])
def test_every_fixture_is_in_the_reference(name: str) -> None:
    assert f".. autofunction:: pytest_optum_auth.plugin.{name}() -> " in FIXTURES


@pytest.mark.parametrize("name", SettingValues.__annotations__)
def test_every_setting_is_in_the_reference(name: str) -> None:
    assert f".. autoattribute:: {name}\n" in REFERENCE


def test_the_markers_and_options_are_those_of_the_plugin(pytester: pytest.Pytester) -> None:
    told = pytester.runpytest_subprocess("-p", "no:asyncio", "--help").stdout.str()
    told += pytester.runpytest_subprocess("-p", "no:asyncio", "--markers").stdout.str()
    markers = {f"`{m}`" for m in re.findall(r"^@pytest\.mark\.(optum_[^:]*):", told, re.M)}
    options = {f"`{o}`" for o in re.findall(r"^ +(--optum-[a-z-]+|optum_[a-z_]+)\b", told, re.M)}

    shown = set(re.findall(r"`(?:--)?optum[^`]*`", FIXTURES.partition("## Markers")[2]))

    assert len(markers) == 4
    assert markers | options <= shown
    fixtures = {"`optum_auth`", "`optum_clock`", "`optum_env`", "`optum_client_check`"}
    assert shown <= markers | options | fixtures


@pytest.mark.parametrize(
    "fact",
    [
        *sorted(facts.HOSTS),
        facts.ISSUER_TOKEN_PATH,
        facts.TOKEN_PATH,
        facts.SHORT_TOKEN_PATH,
        facts.V2_TOKEN_PATH,
        facts.GRANT_TYPE,
        *facts.REQUIRED_FIELDS,
        facts.FORM,
        facts.EXPIRES_IN,
        facts.V2_EXPIRES_IN,
        facts.SCOPE,
        facts.TOKEN_TYPE,
        facts.V2_TOKEN_TYPE,
        *(f"{name}: {value}" for name, value in facts.NO_STORE.items()),
        *facts.FAILURE_REASONS.values(),
    ],
)
def test_the_explanation_of_the_endpoint_tells_each_fact(fact: object) -> None:
    assert f"`{fact}`" in ENDPOINT


@pytest.mark.parametrize(("status", "reason"), facts.FAILURE_REASONS.items())
def test_it_gives_the_reason_of_each_published_status(status: int, reason: str) -> None:
    published = f"| {status} | `{reason}` |" in ENDPOINT

    # facts.py says which two are a choice.
    assert published is (status not in (405, 429))


def test_the_picture_and_the_lines_of_the_timeline_are_up_to_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for folder in (DOCS, ROOT / "examples"):
        monkeypatch.syspath_prepend(str(folder))
    timeline_story = importlib.import_module("timeline_story")

    shown = [block.code for block in blocks_of("explanation/timeline.md")]

    assert shown == [f"{timeline_story.tell().timeline()}\n"]
    assert (
        timeline_story.PICTURE.read_text(encoding="utf-8") == timeline_story.tell().timeline_svg()
    )


def test_the_page_of_the_promises_tells_each_as_the_check_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    draw_promises = importlib.import_module("draw_promises")

    assert draw_promises.drawn() == draw_promises.draw()
