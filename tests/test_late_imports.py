"""Modules that are imported first under a clock: afterwards as those imported before it."""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import importlib.util
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from pytest_optum_auth import Clock
from pytest_optum_auth.clock import first_use

SOURCE = """
import dataclasses, datetime, time
from datetime import date, datetime as moment
from time import time as now, sleep

LOADED_AT = time.time()

class Stopwatch:
    clock = time.monotonic

    def read(self):
        return self.clock()

class Stamp(datetime.datetime):
    pass

@dataclasses.dataclass
class Token:
    at: datetime.datetime = dataclasses.field(default_factory=datetime.datetime.now)

def read(now=time.time):
    return now()
"""
Import = Callable[[], ModuleType]


def by_statement(folder: Path, name: str) -> ModuleType:
    (folder / f"{name}.py").write_text(SOURCE)
    return importlib.import_module(name)


def from_a_zip(folder: Path, name: str) -> ModuleType:
    archive = folder / "modules.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(f"{name}.py", SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(archive))
        return importlib.import_module(name)


def by_its_loader(folder: Path, name: str) -> ModuleType:
    file = folder / f"{name}.py"
    file.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def through_another(folder: Path, name: str) -> ModuleType:
    """The inner one is complete while the outer one still loads."""
    (folder / f"{name}.py").write_text(SOURCE)
    (folder / f"{name}_outer.py").write_text(
        f"from {name} import *\nfrom {name} import moment, now\nimport {name} as inner\n"
        "KIND = type(now)\n"
    )
    outer = importlib.import_module(f"{name}_outer")
    assert outer.KIND is type(len)
    return outer


@pytest.fixture(params=[by_statement, from_a_zip, by_its_loader, through_another])
def late(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Import]:
    """``late()`` imports a module that was never imported before."""
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"late_{uuid.uuid4().hex}"
    yield lambda: request.param(tmp_path, name)
    for each in [each for each in sys.modules if each.startswith(name)]:
        del sys.modules[each]


def test_it_sees_the_genuine_names_while_it_loads(late: Import) -> None:
    before = time.time()
    with Clock(10**9):
        module = late()

    assert before <= module.LOADED_AT <= time.time()
    assert module.Stamp.__mro__[1] is dt.datetime
    assert module.read.__defaults__ == (time.time,)


def test_it_is_frozen_afterwards_like_every_other(late: Import) -> None:
    with Clock("2031-01-01T00:00:00Z", sleep_moves=True) as clock:
        module = late()
        assert module.now() == clock.time
        assert module.moment.now(dt.timezone.utc) == clock.now
        module.sleep(60)
        assert module.now() == clock.time == 1924992060
        assert module.date.today() == dt.date.today()


def test_it_is_whole_without_a_clock(late: Import) -> None:
    with Clock(10**9):
        module = late()

    assert abs(module.Stopwatch().read() - time.monotonic()) < 60
    assert abs(module.Token().at.timestamp() - time.time()) < 60
    assert module.now is time.time
    assert module.moment is dt.datetime
    assert abs(module.Stamp.now().timestamp() - time.time()) < 60


def test_it_is_frozen_by_the_next_clock(late: Import) -> None:
    with Clock(10**9):
        module = late()

    with Clock(5):
        assert module.now() == 5
    assert module.now is time.time


def test_a_module_in_c_sees_the_genuine_class_while_it_loads() -> None:
    """What pandas crashes without."""
    with pytest.MonkeyPatch.context() as patch:
        loaded = importlib.import_module("_zoneinfo")
        patch.delitem(sys.modules, "_zoneinfo")
        with Clock(10**9):
            module = importlib.import_module("_zoneinfo")
            assert module.ZoneInfo("UTC").utcoffset(dt.datetime.now()) == dt.timedelta(0)

    assert module is not loaded


def test_other_threads_see_the_frozen_time_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"slow_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(
        "import threading, time\nloading, go_on = threading.Event(), threading.Event()\n"
        "import sys; sys.modules['probe_of_the_test'].started(loading, go_on)\n"
        "REAL = time.time()\n"
    )
    events: list[threading.Event] = []
    probe = ModuleType("probe_of_the_test")

    def started(loading: threading.Event, go_on: threading.Event) -> None:
        events.append(go_on)
        is_loading.set()
        go_on.wait(5)

    is_loading = threading.Event()
    vars(probe)["started"] = started
    monkeypatch.setitem(sys.modules, probe.__name__, probe)
    with Clock(5):
        thread = threading.Thread(target=importlib.import_module, args=(name,))
        thread.start()
        assert is_loading.wait(5)
        assert (time.time(), dt.datetime.now(dt.timezone.utc).timestamp()) == (5, 5)
        assert type(time) is not ModuleType
        events[0].set()
        thread.join()
        assert type(time) is type(dt) is ModuleType
        assert time.time() == 5

    assert sys.modules.pop(name).REAL > 5


def test_a_module_whose_import_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "broken_of_the_test.py").write_text("import time\nraise KeyError(time.time())\n")
    with Clock(5):
        with pytest.raises(KeyError):
            importlib.import_module("broken_of_the_test")
        assert type(time) is ModuleType
        assert time.time() == 5


def test_a_module_that_outlives_the_clock_while_it_loads_stays_genuine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"ends_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(
        "from time import time\nimport sys\nsys.modules['end_of_the_test'].end()\n"
    )
    ending = ModuleType("end_of_the_test")
    monkeypatch.setitem(sys.modules, ending.__name__, ending)
    with Clock(5) as clock:
        vars(ending)["end"] = lambda: clock.__exit__(None, None, None)
        module = importlib.import_module(name)

    assert module.time is time.time
    del sys.modules[name]


def test_loaders_are_themselves_again_afterwards() -> None:
    from importlib import machinery

    loaders = (machinery.SourceFileLoader, machinery.ExtensionFileLoader)
    before = [dict(vars(loader)) for loader in loaders]
    with Clock(10**9):
        assert dict(vars(loaders[0])) != before[0]

    assert [dict(vars(loader)) for loader in loaders] == before


def test_a_loader_that_somebody_else_has_wrapped_since_is_left_alone() -> None:
    from importlib.machinery import SourceFileLoader

    with pytest.MonkeyPatch.context() as patch:
        with Clock(10**9):
            ours = SourceFileLoader.exec_module

            wrapped = functools.partial(ours)
            patch.setattr(SourceFileLoader, "exec_module", wrapped)
        assert SourceFileLoader.exec_module is wrapped
    # What it has put back is ours: of a clock that is over, and harmless.
    del SourceFileLoader.exec_module


@pytest.mark.parametrize("imported", ["before", "under the clock"])
def test_a_library_that_keeps_the_classes_of_its_first_use_meets_the_genuine_ones(
    imported: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As polars and cryptography do, in Rust."""
    name = f"in_rust_{imported.partition(' ')[0]}"
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(first_use.USES, name, ("use", lambda use, moment: use(moment.isoformat())))
    (tmp_path / f"{name}.py").write_text(
        "import datetime\nkept = []\ndef use(text):\n    kept.append((text, datetime.datetime))\n"
    )
    if imported == "before":
        importlib.import_module(name)
    with Clock(10**9):
        library = importlib.import_module(name)
        kept = list(library.kept)
    with Clock(10**9):
        pass
    del sys.modules[name]

    assert library.kept == kept
    assert kept == [("2000-01-01T00:00:00", dt.datetime)]
    assert kept[0][1] is dt.datetime


@pytest.mark.parametrize("library", list(first_use.USES))
def test_such_a_library_takes_the_use_that_is_made_of_it(library: str) -> None:
    name, use_once = first_use.USES[library]

    use_once(getattr(pytest.importorskip(library), name), dt.datetime(2000, 1, 1))


@pytest.mark.parametrize("source", ["from time import time as now", "import no_such_module"])
def test_a_module_that_loads_at_the_first_look_at_it_is_not_looked_at(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ``importlib.util.LazyLoader``; one that cannot load must not hurt a clock."""
    (tmp_path / "lazy.py").write_text(f"{source}\nLOADED.append(1)")
    spec = importlib.util.spec_from_file_location("lazy", tmp_path / "lazy.py")
    assert spec is not None
    assert spec.loader is not None
    loader = spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    loaded: list[int] = []
    vars(lazy)["LOADED"] = loaded
    monkeypatch.setitem(sys.modules, "lazy", lazy)
    loader.exec_module(lazy)

    with Clock(5):
        assert loaded == []
        if "no_such" not in source:
            assert lazy.now() == 5
    assert len(loaded) == ("no_such" not in source)


def test_two_threads_that_load_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    names = [f"both_{number}_{uuid.uuid4().hex}" for number in range(2)]
    meeting = ModuleType("meeting_of_the_test")
    vars(meeting)["wait"] = threading.Barrier(2).wait
    monkeypatch.setitem(sys.modules, meeting.__name__, meeting)
    for name in names:
        (tmp_path / f"{name}.py").write_text(
            "import sys, time\nsys.modules['meeting_of_the_test'].wait(5)\nREAL = time.time()\n"
            "from time import time as now\n"
        )
    with Clock(5):
        with ThreadPoolExecutor(2) as pool:
            modules = list(pool.map(importlib.import_module, names))
        assert [module.now() for module in modules] == [5, 5]
        assert type(time) is ModuleType

    assert all(sys.modules.pop(name).REAL > 5 for name in names)


def test_a_thread_that_reads_the_time_while_an_import_ends_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"late_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text("import time\nlook = type(time).__getattribute__\n")

    with Clock(5):
        module = importlib.import_module(name)
        # As one who began to look before the import had ended.
        assert module.look(time, "time")() == 5

    del sys.modules[name]
