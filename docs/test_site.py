"""The site builds without a warning, and its pages fetch nothing from elsewhere.

Not part of the suite, since it needs Sphinx: tox's environment ``docs`` runs it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

import pytest_optum_auth
from pytest_optum_auth import faults

DOCS = Path(__file__).parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    # In a process of its own, as a user builds it: here a deprecation inside of Sphinx's
    # extensions would be an error.
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q"]
    subprocess.run([*command, DOCS, folder], check=True)
    return folder


def test_every_page_is_built(site: Path) -> None:
    pages = [path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")]

    assert pages
    assert [page for page in pages if not (site / page).is_file()] == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = re.compile(
        r"<(?:script|img|iframe|object|embed)\b[^>]*\b(?:src|data)=\"([^\"]*)\""
        r"|<link\b[^>]*\bhref=\"([^\"]*)\""
        r"|@import\s+[\"']([^\"']*)|url\(\s*[\"']?((?:https?:)?//[^)]*)"
    )
    found = [
        (path.name, address)
        for path in [*site.rglob("*.html"), *site.rglob("*.css")]
        for match in fetched.findall(path.read_text(encoding="utf-8"))
        for address in match
        if address
    ]

    assert any(address.endswith("timeline.svg") for _, address in found)
    assert [each for each in found if re.match(r"(https?:)?//", each[1])] == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            f"pytest_optum_auth.{name}"
            for name in pytest_optum_auth.__all__
            if name != "faults"
        ),
        *(f"pytest_optum_auth.faults.{n}" for n in faults.__all__ if n != "Fault"),
    ],
)
def test_every_public_object_can_be_linked_to(site: Path, name: str) -> None:
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    objects = {**inventory["py:class"], **inventory["py:function"]}

    page = objects[name].uri.partition("#")[0]

    assert name in (site / page).read_text(encoding="utf-8")
