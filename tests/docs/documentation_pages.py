"""The pages of the documentation site, and the blocks of code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))

# A fence, with the file name of a `code-block` where it has one, and what stands in it.
_BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(?P<language>[^\n]*)\n"
    r"(?::caption: (?P<caption>[^\n]+)\n(?::[^\n]*\n)*\n)?"
    r"(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of a page; ``caption`` is the name of the file that it shows, or ``""``."""

    language: str
    caption: str
    code: str


def text_of(page: str) -> str:
    """The source of a page."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page in their order, without the directives of Sphinx."""
    found = [Block(m["language"], m["caption"] or "", m["code"]) for m in _matches(page)]
    return [block for block in found if not block.language.startswith("{")]


def _matches(page: str) -> list[re.Match[str]]:
    return list(_BLOCK.finditer(text_of(page)))
