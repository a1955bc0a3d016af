"""The page of the promises: what it says of the well-known libraries is so."""

from __future__ import annotations

import promises_of_libraries


def test_the_table_of_the_libraries_is_what_the_check_says() -> None:
    assert promises_of_libraries.drawn() == promises_of_libraries.draw()
