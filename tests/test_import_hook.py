"""A client library that is imported while a fake is active is caught from its first moment on."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from other_mocks import functions

from pytest_optum_auth import FakeOptum, import_hook, transports
from pytest_optum_auth.transports import TRANSPORTS

PROGRAM = """
import sys
from pytest_optum_auth import FakeOptum

with FakeOptum(strict=False) as fake:
    assert not {{"requests", "httpx", "httpx2", "aiohttp"}} & set(sys.modules)
    import {library}
    from transports_under_test import TRANSPORTS
    for transport in TRANSPORTS:
        if transport.name == "{library}":
            assert transport.send("POST", fake.token_url).status == 415
    assert {{exchange.transport for exchange in fake.exchanges}} == {{"{library}"}}
assert not [finder for finder in sys.meta_path if "optum" in type(finder).__module__]
"""


@pytest.mark.parametrize("library", TRANSPORTS)
def test_a_library_that_is_imported_later_meets_the_fake(library: str) -> None:
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]

    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(library=library)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
    )

    assert (run.returncode, run.stderr) == (0, "")


def test_a_library_that_is_imported_after_the_last_fake_is_left_alone() -> None:
    """The fake may end while another thread imports."""
    before = functions()

    transports._imported("httpx")

    assert functions() == before


def test_so_is_one_that_is_being_loaded_when_the_last_fake_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = functions()
    fake = FakeOptum().__enter__()
    load = transports.load

    def load_at_the_end(name: str) -> ModuleType | None:
        fake.__exit__(None)
        return load(name)

    monkeypatch.setattr(transports, "load", load_at_the_end)
    transports._imported("httpx")

    assert functions() == before


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that nobody has imported yet."""
    name = "imported_late"
    (tmp_path / f"{name}.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    # Nor does anybody wait for another one, as a fake does that an inner run has left behind.
    others = [finder for finder in sys.meta_path if finder is not import_hook._watch]
    monkeypatch.setattr(sys, "meta_path", others)
    monkeypatch.setattr(import_hook._watch, "waiting", [])
    return name


def teller(word: str) -> tuple[list[str], Callable[[], None]]:
    """A list, and what writes ``word`` into it."""
    told: list[str] = []
    return told, lambda: told.append(word)


def test_all_who_watch_are_told(module: str) -> None:
    told, tell = teller("one")
    also_told, tell_also = teller("the other")
    import_hook.watch({module: tell})
    import_hook.watch({module: tell_also})

    importlib.import_module(module)

    assert told + also_told == ["one", "the other"]
    import_hook.unwatch({module: tell})
    import_hook.unwatch({module: tell_also})


@pytest.mark.parametrize("imported", [True, False])
def test_who_watches_twice_is_told_once_and_ends_once(module: str, imported: bool) -> None:
    finders = list(sys.meta_path)
    told, tell = teller("told")
    import_hook.watch({module: tell})
    import_hook.watch({module: tell})

    if imported:
        importlib.import_module(module)
    import_hook.unwatch({module: tell})

    assert told == ["told"] * imported
    assert sys.meta_path == finders


def test_one_who_watches_no_longer_leaves_the_other(module: str) -> None:
    told, tell = teller("one")
    also_told, tell_also = teller("the other")
    import_hook.watch({module: tell})
    import_hook.watch({module: tell_also})
    import_hook.unwatch({module: tell})

    importlib.import_module(module)

    assert told + also_told == ["the other"]
    import_hook.unwatch({module: tell_also})


def test_it_is_told_after_the_module_has_run_whenever_it_does(module: str) -> None:
    told: list[int] = []

    def tell() -> None:
        told.append(sys.modules[module].VALUE)

    import_hook.watch({module: tell})
    importlib.import_module(module)
    importlib.reload(sys.modules[module])

    assert told == [1, 1]
    import_hook.unwatch({module: tell})


def test_a_look_at_where_the_module_is_does_not_count_as_its_import(module: str) -> None:
    told, tell = teller("told")
    import_hook.watch({module: tell})

    assert importlib.util.find_spec(module) is not None
    assert told == []
    importlib.import_module(module)

    assert told == ["told"]
    import_hook.unwatch({module: tell})


def test_it_is_not_told_of_an_import_that_it_watched_only_the_beginning_of(module: str) -> None:
    told, tell = teller("told")
    import_hook.watch({module: tell})
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.loader is not None

    import_hook.unwatch({module: tell})
    spec.loader.exec_module(importlib.util.module_from_spec(spec))

    assert told == []


def test_it_is_not_told_when_it_no_longer_watches(module: str) -> None:
    _, another = teller("another")
    told, tell = teller("told")
    import_hook.watch({module: tell})
    import_hook.watch({"another_module": another})
    import_hook.unwatch({module: tell})
    importlib.import_module(module)
    import_hook.unwatch({"another_module": another})
    import_hook.unwatch({"another_module": another})

    assert told == []


def test_a_module_that_is_not_there_is_an_import_error_as_ever(module: str) -> None:
    _, tell = teller("told")
    import_hook.watch({"not_there_at_all": tell})

    with pytest.raises(ModuleNotFoundError, match="No module named 'not_there_at_all'"):
        importlib.import_module("not_there_at_all")

    import_hook.unwatch({"not_there_at_all": tell})


def test_other_modules_are_found_by_others(module: str) -> None:
    _, tell = teller("told")
    import_hook.watch({"another_module": tell})

    assert importlib.import_module(module).VALUE == 1

    import_hook.unwatch({"another_module": tell})
