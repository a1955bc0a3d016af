"""The places where a text leaves the process: streams, log handlers, shortened values, files."""

from __future__ import annotations

import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest._io.pprint import PrettyPrinter
from _pytest._io.saferepr import saferepr

from pytest_optum_auth.live.redaction.process_patches import mask_before_the_cut, mask_log_lines
from pytest_optum_auth.live.redaction.redactor import Redactor
from pytest_optum_auth.live.redaction.report_files import ReportFiles
from pytest_optum_auth.live.redaction.streams import mask_stream, mask_streams

LONG = "s3cr3t&\"'/+= %\\\té-Zq8"


@pytest.fixture
def redactor() -> Redactor:
    """A redactor that knows one secret."""
    redactor = Redactor()
    redactor.learn_secret("S", LONG)
    return redactor


class Terminal(io.TextIOWrapper):
    """A stream that remembers what came out below."""

    def __init__(self) -> None:
        self._below = io.BytesIO()
        super().__init__(self._below, encoding="utf-8", write_through=True)

    @property
    def seen(self) -> bytes:
        return self._below.getvalue()


def test_a_stream_masks_what_is_written_by_whoever_holds_it(redactor: Redactor) -> None:
    terminal = Terminal()
    mask_stream(terminal, redactor)

    written = terminal.write(LONG)
    terminal.writelines(["plain ", LONG])
    print(LONG, file=terminal, end="")
    in_bytes = terminal.buffer.write(memoryview(LONG.encode()))
    terminal.buffer.flush()

    assert terminal.seen == b"[S]plain [S][S][S]"
    assert (written, in_bytes) == (len(LONG), len(LONG.encode()))


def test_of_two_runs_the_later_counts(redactor: Redactor) -> None:
    terminal = Terminal()
    later = Redactor()
    later.learn_secret("T", LONG)
    for each in (redactor, later):
        mask_stream(terminal, each)

    terminal.write(LONG)

    assert terminal.seen == b"[T]"


@pytest.mark.parametrize(
    "stream",
    [None, object(), SimpleNamespace(write=None)],
    ids=["none", "object", "no method"],
)
def test_what_is_no_stream_is_left(redactor: Redactor, stream: Any) -> None:
    mask_stream(stream, redactor)

    assert getattr(stream, "write", None) is None


def test_a_stream_with_fixed_attributes_is_left(redactor: Redactor) -> None:
    class Fixed:
        __slots__ = ()

        def write(self, text: str) -> str:
            return text

    fixed = Fixed()
    mask_stream(fixed, redactor)

    assert fixed.write(LONG) == LONG


def test_output_and_error_of_the_process_are_masked(
    redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)

    mask_streams(redactor)
    print(LONG, end="")
    print(LONG, end="", file=sys.stderr)

    assert (out.seen, err.seen) == (b"[S]", b"[S]")


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """What a handler writes of the logger `client`, with `extra` and tracebacks."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logging.Formatter("%(message)s %(more)s", defaults={"more": ""}))
    logger = logging.getLogger("client")
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


def test_log_lines_are_masked_and_records_are_not(
    redactor: Redactor, log_lines: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("client")
    restore = mask_log_lines(redactor)
    logger.warning("see %s", LONG, extra={"more": {"secret": LONG}})
    try:
        raise KeyError(LONG)
    except KeyError:
        logger.exception("look")
    restore()
    shown = log_lines.getvalue()
    logger.warning("kept %s", LONG)

    assert shown.startswith("see [S] {'secret': ")
    assert LONG not in shown
    assert "[S" in shown.rpartition("KeyError: ")[2]
    assert log_lines.getvalue().endswith(f"kept {LONG} \n")
    # A test may look whether its client logs a secret.
    assert caplog.messages == [f"see {LONG}", "look", f"kept {LONG}"]
    assert caplog.text.count(LONG) == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"{'.' * 100}{LONG}{'.' * 500}", "."),
        ([f"{'.' * 100}{LONG}{'.' * 500}"], "."),
        ({"secret": LONG}, "[S"),
    ],
)
def test_a_value_is_masked_before_it_is_shortened(
    redactor: Redactor, value: Any, shown: str
) -> None:
    plain = saferepr(value)
    restore = mask_before_the_cut(redactor)
    masked = saferepr(value)
    restore()

    assert saferepr(value) == plain
    assert shown in masked
    assert not [i for i in range(len(LONG) - 3) if repr(LONG[i : i + 4])[1:-1] in masked]


def test_bytes_are_masked_before_they_are_wrapped(redactor: Redactor) -> None:
    value = b"." * 60 + LONG.encode() + b"." * 60
    plain = PrettyPrinter().pformat(value)
    restore = mask_before_the_cut(redactor)
    masked = PrettyPrinter().pformat(value)
    restore()

    assert PrettyPrinter().pformat(value) == plain
    # Unmasked, it stands on two lines.
    assert repr(LONG.encode())[2:-1] not in plain
    assert "[S]" in masked


def test_the_files_that_options_name_are_masked(
    redactor: Redactor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REPORTS", str(tmp_path))
    (tmp_path / "allure" / "deep").mkdir(parents=True)
    old = tmp_path / "old.txt"
    tests = tmp_path / "test_it.py"
    new = [tmp_path / name for name in ("a", "b", "c", "d", "allure/deep/e")]
    for path in [*new, old, tests]:
        path.write_text(f"<{LONG}>")
    os.utime(old, (time.time() - 100,) * 2)
    options = SimpleNamespace(
        xmlpath="~/a",
        report_log="$REPORTS/b",
        htmlpath=tmp_path / "c",
        benchmark_json=(tmp_path / "d").open("a"),
        benchmark_storage=f"file://{tmp_path / 'allure'}",
        inifilename=str(old),
        basetemp=str(tmp_path),
        file_or_dir=[str(tests)],
        absent=str(tmp_path / "absent"),
        verbose=2,
        unset=None,
    )

    ReportFiles(options, redactor).mask()
    options.benchmark_json.close()

    assert [path.read_text() for path in new] == ["<[S]>"] * 5
    assert (old.read_text(), tests.read_text()) == (f"<{LONG}>", f"<{LONG}>")


def test_a_file_without_a_secret_is_not_written_again(redactor: Redactor, tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(b"\xffplain")
    os.utime(path, (time.time() + 100,) * 2)
    before = path.stat()

    ReportFiles(SimpleNamespace(xmlpath=str(path)), redactor).mask()

    assert path.stat().st_mtime_ns == before.st_mtime_ns
