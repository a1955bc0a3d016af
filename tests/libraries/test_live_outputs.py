"""What allure, loggers and benchmarks put out shows no secret; what keeps snapshots is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from inner_runs import Run

SECRET = "9Qx-vT&w7=Lk+Zp3%Rb8"
SHOW = f"""
import logging, sys
import pytest

def show(channel):
    return f"@@{{channel}}@@{SECRET}"
"""
ALLURE = """
import allure

@allure.step("{text}")
def step(text): pass

def test_it():
    allure.attach(show("attachment"), name=show("name"))
    allure.attach(show("bytes").encode(), "bytes", allure.attachment_type.TEXT)
    allure.dynamic.title(show("title"))
    allure.dynamic.description(show("description"))
    allure.dynamic.parameter("parameter", show("parameter"))
    allure.dynamic.link(f"https://localhost/{show('link')}")
    step(show("step"))
    print(show("output"))
    assert show("message") == ""
"""
BENCHMARK = """
def test_it(benchmark):
    benchmark.extra_info["text"] = show("extra_info")
    benchmark.pedantic(len, [""])
"""
LOGURU = """
from loguru import logger

def test_it(capsys):
    logger.remove()
    logger.add(sys.stderr, serialize=True)
    logger.add(sys.stdout, format="{message} {extra}")
    logger.info(show("loguru"))
    logger.bind(more=show("bound")).info("see what is bound")
    try:
        raise ValueError(show("diagnosed"))
    except ValueError:
        logger.exception("see the traceback")
    logger.remove()
    with capsys.disabled():
        logger.add(sys.stdout)
        logger.info(show("disabled"))
    logger.remove()
    logger.add("own.txt")
    logger.info(show("file"))
    logger.remove()
    assert not sys
"""
STRUCTLOG = """
import structlog

def test_it():
    structlog.get_logger().info(show("event"), key=show("key"))
    json = [structlog.processors.JSONRenderer()]
    structlog.configure(json, logger_factory=structlog.WriteLoggerFactory())
    structlog.get_logger().info("json", keys=[show("json")])
    structlog.configure(
        [structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stdout)
    renderer = structlog.dev.ConsoleRenderer()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer))
    logging.getLogger("own").addHandler(handler)
    structlog.get_logger("own").warning("stdlib", key=show("stdlib"))
    structlog.reset_defaults()
    assert not sys
"""
JSON_LOGGER = """
from pythonjsonlogger.json import JsonFormatter

def test_it():
    logger = logging.getLogger("own")
    for handler in (logging.StreamHandler(sys.stdout), logging.FileHandler("own.txt")):
        handler.setFormatter(JsonFormatter("%(message)s"))
        logger.addHandler(handler)
    logger.warning(show("record"), extra={"deep": {"deeper": [show("deep")]}})
    logger.warning({"text": show("fields")})
    try:
        raise ValueError(show("traceback"))
    except ValueError:
        logger.exception("see the traceback")
    assert not sys
"""
REGRESSIONS = """
def test_it(data_regression):
    data_regression.check({"text": show("data")})
"""
# By the module that it takes: the options, the test, and the channels that go past everything.
LIBRARIES: dict[str, tuple[tuple[str, ...], str, set[str]]] = {
    "allure": (("-p", "allure_pytest.plugin", "--alluredir=out"), ALLURE, set()),
    "pytest_benchmark": (
        ("-p", "pytest_benchmark.plugin", "--benchmark-json=b.json", "--benchmark-autosave"),
        BENCHMARK,
        set(),
    ),
    "loguru": ((), LOGURU, {"file"}),
    "structlog": ((), STRUCTLOG, set()),
    "pythonjsonlogger": ((), JSON_LOGGER, set()),
    "pytest_regressions": (
        ("-p", "pytest_datadir.plugin", "-p", "pytest_regressions.plugin"),
        REGRESSIONS,
        {"data"},
    ),
}


@pytest.fixture(autouse=True)
def by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inner run is no worker of xdist, in which some of them do nothing, whatever runs this."""
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
        monkeypatch.delenv(name)


def shown(result: pytest.RunResult, directory: Path) -> dict[str, set[bool]]:
    """By channel, whether the secret stands behind its mark, in all that the run put out."""
    texts = [result.stdout.str(), result.stderr.str()]
    texts += [
        path.read_text("utf-8", "replace")
        for path in directory.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    found: dict[str, set[bool]] = {}
    for text in texts:
        for match in re.finditer(r"@@(\w+)@@(.{6})", text):
            found.setdefault(match[1], set()).add("9Qx" in match[2])
    return found


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("known", [True, False], ids=["masked", "control"])
def test_what_a_library_puts_out_is_masked(
    library: str,
    known: bool,
    run: Run,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip(library)
    options, source, past = LIBRARIES[library]
    channels = set(re.findall(r"show\([\"'](\w+)", source))
    if known:
        monkeypatch.setenv("OPTUM_CLIENT_SECRET", SECRET)

    found = shown(run(SHOW + source, "-W", "default", *options), pytester.path)

    assert found.keys() == channels
    assert {name for name, seen in found.items() if True in seen} == (past if known else channels)


SNAPSHOTS = {
    "syrupy": (
        "def test_it(snapshot): assert SECRET == snapshot",
        ("-p", "syrupy", "--snapshot-update"),
        {},
        "--snapshot-update copies what live tests handle, secrets included: leave it out",
    ),
    "inline_snapshot": (
        "from inline_snapshot import snapshot\ndef test_it(): assert SECRET == snapshot()",
        ("-p", "inline_snapshot.pytest_plugin", "--inline-snapshot=create"),
        {},
        "--inline-snapshot copies what live tests handle, secrets included: leave it out",
    ),
    "inline_snapshot by a variable": (
        "from inline_snapshot import snapshot\ndef test_it(): assert SECRET == snapshot()",
        ("-p", "inline_snapshot.pytest_plugin"),
        {"INLINE_SNAPSHOT_DEFAULT_FLAGS": "create"},
        "INLINE_SNAPSHOT_DEFAULT_FLAGS copies what live tests handle, secrets included: unset it",
    ),
    "pytest_regressions": (
        "def test_it(data_regression): data_regression.check({'text': SECRET})",
        ("-p", "pytest_datadir.plugin", "-p", "pytest_regressions.plugin", "--force-regen"),
        {},
        "--force-regen copies what live tests handle, secrets included: leave it out",
    ),
}


@pytest.mark.parametrize("tool", SNAPSHOTS)
@pytest.mark.parametrize("live", [True, False], ids=["live", "control"])
def test_snapshots_are_not_written_in_a_live_run(
    tool: str,
    live: bool,
    run: Run,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip(tool.partition(" ")[0])
    source, options, variables, sentence = SNAPSHOTS[tool]
    monkeypatch.setenv("OPTUM_CLIENT_ID", "a-client")
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", SECRET)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    mark = "pytestmark = pytest.mark.optum_live\n" if live else ""

    result = run(
        f"import os, pytest\nSECRET = os.environ['OPTUM_CLIENT_SECRET']\n{mark}{source}\n",
        *("-W", "default", *options),
    )

    texts = [path.read_bytes() for path in pytester.path.rglob("*") if path.is_file()]
    refused = f"ERROR: {sentence}, or add --optum-live=off."
    assert (refused in result.errlines) is live
    assert any(SECRET.encode() in text for text in texts) is not live
