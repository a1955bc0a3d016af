"""What is published: the files of wheel and sdist, and what the metadata promises."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_optum_auth"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with both, built without network."""
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def wheel(built: Path) -> dict[str, bytes]:
    """The files of the wheel."""
    [path] = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def sdist(built: Path) -> set[str]:
    """The paths in the sdist, below its one directory."""
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = [member.name for member in archive.getmembers() if member.isfile()]
    assert {name.partition("/")[0] for name in names} == {path.name.removesuffix(".tar.gz")}
    return {name.partition("/")[2] for name in names}


@pytest.fixture(scope="module")
def metadata(wheel: dict[str, bytes]) -> Message:
    [name] = [name for name in wheel if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(wheel[name].decode())


def sources(folder: Path) -> set[str]:
    """The files below ``folder`` that a developer has written, seen from the root."""
    files = [path.relative_to(ROOT) for path in folder.rglob("*") if path.is_file()]
    return {path.as_posix() for path in files if not any(map(is_cache, path.parts))}


def is_cache(name: str) -> bool:
    """Whether a tool keeps its own things there."""
    return name == "__pycache__" or (name.startswith(".") and name != ".ci")


def test_the_wheel_holds_the_package_and_nothing_else(wheel: dict[str, bytes]) -> None:
    own = {name for name in wheel if ".dist-info/" not in name}

    assert own == sources(PACKAGE)
    assert "pytest_optum_auth/py.typed" in own


def test_the_wheel_holds_the_licence_and_the_entry_point(wheel: dict[str, bytes]) -> None:
    about = {name.partition(".dist-info/")[2]: content for name, content in wheel.items()}

    assert {name for name in about if name} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }
    assert about["licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert about["entry_points.txt"].decode().split() == [
        "[pytest11]",
        "optum_auth",
        "=",
        "pytest_optum_auth.plugin",
    ]


@pytest.mark.parametrize(
    "folder", ["pytest_optum_auth", "tests", "examples", "benchmarks", "docs", ".ci"]
)
def test_the_sdist_holds_what_a_packager_needs(sdist: set[str], folder: str) -> None:
    assert sources(ROOT / folder) == {name for name in sdist if name.startswith(f"{folder}/")}


def test_the_sdist_holds_no_other_file_than_those_at_the_top(sdist: set[str]) -> None:
    assert {name for name in sdist if "/" not in name} == {
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "pyproject.toml",
        "tox.ini",
    }


def test_five_libraries_are_required(metadata: Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]

    assert sorted(line.partition(">=")[0].lower() for line in required) == [
        "freezegun",
        "pyjwt",
        "pytest",
        "responses",
        "respx",
    ]


def test_the_metadata_says_what_it_is(metadata: Message) -> None:
    assert metadata["Name"] == "pytest-optum-auth"
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "MIT"
    assert "Framework :: Pytest" in metadata.get_all("Classifier", [])
    assert metadata.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_version_has_an_entry_in_the_changelog(metadata: Message) -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"\n## {metadata['Version']} " in changelog
