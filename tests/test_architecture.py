"""The rooms of the package and the directions in which they may import each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from pathlib import Path

import pytest

import pytest_optum_auth

PACKAGE = Path(pytest_optum_auth.__file__).parent
REPOSITORY = Path(__file__).parents[1]
ROOMS = (REPOSITORY / "docs" / "explanation" / "architecture.md").read_text("utf-8")
FILES = sorted(PACKAGE.rglob("*.py"))
# From the ground up: a room may import those of its own floor and of the floors before it.
FLOORS = (
    ("core", "faults"),
    ("import_hook", "patching", "clock"),
    ("network_watch",),
    ("stubs",),
    ("transports",),
    ("fake", "outcome_table"),
    ("pytest_internals", "server", "live", "checks"),
    ("plugin", "contract", "__main__", "__init__"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
KNOW_PYTEST = {"plugin", "live", "checks", "contract", "pytest_internals"}


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(file: Path, *, typing: bool = False) -> Iterator[str]:
    """The absolute names of the modules that ``file`` imports, those in functions too."""
    package = ["pytest_optum_auth", *file.relative_to(PACKAGE).parts[:-1]]
    tree = ast.parse(file.read_text())
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types and not typing:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            # `from . import name` imports a module of that name.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms_imported(file: Path) -> set[str]:
    names = [name.split(".") for name in imports_of(file)]
    return {name[1] for name in names if name[0] == "pytest_optum_auth" and name[1] in FLOOR}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_one_way(file: Path) -> None:
    above = {room for room in rooms_imported(file) if FLOOR[room] > FLOOR[room_of(file)]}

    assert not above


def test_no_file_comes_back_to_itself() -> None:
    names = {
        file: ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in FILES
    }
    files = {name.removesuffix(".__init__"): file for file, name in names.items()}
    # A name of a module, or of what stands in one.
    needs = {
        file: {files[name] for whole in imports_of(file) if (name := nearest(whole, files))}
        - {file}
        for file in FILES
    }
    while leaves := {file for file, needed in needs.items() if not needed & needs.keys()}:
        needs = {file: needed for file, needed in needs.items() if file not in leaves}

    assert [str(file.relative_to(PACKAGE)) for file in needs] == []


def nearest(name: str, known: Container[str]) -> str:
    """The longest beginning of a dotted name that is ``known``; ``""``: none."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


@pytest.mark.parametrize("room", sorted(FLOOR.keys() - {"__init__", "__main__"}))
def test_the_page_of_the_rooms_tells_each(room: str) -> None:
    assert f"`{room}`" in ROOMS


def test_the_page_of_the_rooms_names_files_that_there_are() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", ROOMS))

    assert {"core/gateway.py", "tests/test_architecture.py"} <= named
    assert [n for n in named if not (PACKAGE / n).exists() and not (REPOSITORY / n).exists()] == []


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if room_of(file) == "core"],
    ids=lambda file: str(file.relative_to(PACKAGE)),
)
def test_the_core_stands_alone(file: Path) -> None:
    assert rooms_imported(file) <= {"core"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_only_some_rooms_know_pytest(file: Path) -> None:
    names = {name.split(".")[0] for name in imports_of(file, typing=True)}

    assert room_of(file) in KNOW_PYTEST or not names & {"pytest", "_pytest"}
