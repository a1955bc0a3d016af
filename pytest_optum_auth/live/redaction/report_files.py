"""Masks the files that a run has written because an option asks for them."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .redactor import Redactor

# Options that name a folder of reports, not one file.
_FOLDERS: Final = ("allure_report_dir", "benchmark_storage")
# The tests themselves, and the trace of pytest, which is still open.
_NOT_REPORTS: Final = ("file_or_dir", "debug")
# Clocks of file systems are coarse.
_TOLERANCE: Final = 2.0


class ReportFiles:
    """The files that options of a run name and that it has written itself.

    Whatever the plugin is (junit, report-log, html, json-report, log file, …): such a file is an
    output, and some plugins put things into it that pass no hook.
    """

    def __init__(self, options: Any, redactor: Redactor) -> None:
        self._options = options
        self._redactor = redactor
        self._began = time.time() - _TOLERANCE

    def mask(self) -> None:
        """Mask the files, in place; to be called when everybody has closed them."""
        for path in set(self._written()):
            # A file that is gone, or is none of ours, is not worth an error at the end of a run.
            with contextlib.suppress(OSError):
                written = path.read_bytes()
                masked = self._redactor.redact_bytes(written)
                if masked is not written:
                    path.write_bytes(masked)

    def _written(self) -> Iterator[Path]:
        for name, value in list(vars(self._options).items()):
            for path in _paths(value) if name not in _NOT_REPORTS else ():
                files = path.rglob("*") if name in _FOLDERS else [path]
                with contextlib.suppress(OSError):
                    yield from (file for file in files if self._is_new(file))

    def _is_new(self, path: Path) -> bool:
        return path.is_file() and path.stat().st_mtime >= self._began


def _paths(value: Any) -> Iterator[Path]:
    """What an option may mean by a path: as pytest reads it, with variables and ``~``."""
    if isinstance(value, io.IOBase):
        # argparse.FileType has opened it already.
        value = getattr(value, "name", None)
    if isinstance(value, (str, os.PathLike)) and str(value):
        path = str(value).removeprefix("file://")
        yield Path(os.path.expanduser(os.path.expandvars(path)))
