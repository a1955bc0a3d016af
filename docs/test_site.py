"""The site builds without a warning, and its pages fetch nothing from elsewhere.

Not part of the suite, since it needs Sphinx: tox's environment ``docs`` runs it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sphinx.search.en import SearchEnglish
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


@pytest.fixture(scope="module")
def search(site: Path) -> dict[str, Any]:
    """What the search of the site reads: one file beside its pages."""
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index: dict[str, Any] = json.loads(
        text.removeprefix("Search.setIndex(").removesuffix(")")
    )
    return index


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("several hosts", "how-to/hosts"),
        ("hard coded hosts", "how-to/hard-coded-hosts"),
        ("node", "how-to/hard-coded-hosts"),
        ("environment import", "how-to/environment-at-import"),
        ("deadline", "how-to/deadlines"),
        ("fork", "how-to/processes"),
        ("subprocess", "how-to/processes"),
        ("pytest run parallel", "how-to/threads"),
        ("thread_unsafe_fixtures", "how-to/threads"),
        ("hypothesis", "how-to/clock-and-libraries"),
        ("django", "how-to/clock-and-libraries"),
        ("TIME_ZONE", "how-to/clock-and-libraries"),
        ("cache timer", "how-to/clock-and-libraries"),
        ("documented observed chosen", "explanation/endpoint"),
    ],
)
def test_the_search_leads_to_the_page(
    search: dict[str, Any], words: str, page: str
) -> None:
    found = [pages_with(word, search) for word in words.lower().split()]

    assert page in set.intersection(*found)


def pages_with(word: str, search: dict[str, Any]) -> set[str]:
    """The pages with ``word`` in the title or, where no title has it, in the text."""
    stem = SearchEnglish({}).stem(word)
    numbers = search["titleterms"].get(stem) or search["terms"].get(stem, [])
    return {
        search["docnames"][n]
        for n in ([numbers] if isinstance(numbers, int) else numbers)
    }


@pytest.mark.parametrize(
    "status", ["400", "401", "403", "404", "415", "429", "500", "503"]
)
def test_a_status_can_be_searched_for(search: dict[str, Any], status: str) -> None:
    # Sphinx leaves numbers out of its words; what it finds is an entry of the index.
    (page, *_) = search["indexentries"][status][0]

    assert search["docnames"][page].startswith("how-to/")
