"""Credentials that were refused are not tried again in this run: accounts get locked by that.

``optum_live`` and the contract share what one of them learned, and so do the workers of xdist on
this machine: the first asks, the others wait for what it was told.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import pytest

from .http import DEADLINE
from .token_request import CredentialsRefusedError

# A test that gets no answer shows its own line and one sentence, not the way to it.
__tracebackhide__ = True

_Answer = TypeVar("_Answer")
_ACCEPTED: Final = "accepted"
_POLL: Final = 0.02


class Refused:
    """Lets right requests out until one is refused.

    ``folder`` is shared by the workers of the run; ``None`` when there is one process only.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._said: str | None = None

    def ask(self, request: Callable[[], _Answer]) -> _Answer:
        """What ``request`` returns; it is not called when the credentials were refused before.

        Raises :class:`CredentialsRefusedError`, the first time and each time after it.
        """
        with self._lock:
            if self._said is None and self._folder is not None:
                self._said = self._wait_for_the_first(self._folder)
            if self._said not in (None, _ACCEPTED):
                raise CredentialsRefusedError(self._said)
            said = _ACCEPTED
            try:
                return request()
            except CredentialsRefusedError as error:
                said = str(error)
                raise
            finally:
                self._remember(said)

    def _remember(self, said: str) -> None:
        if self._folder is not None and self._said is None:
            draft = self._folder / f"optum-live-{os.getpid()}"
            draft.write_text(said, "utf-8")
            draft.replace(self._folder / "optum-live-said")
        self._said = said

    def _wait_for_the_first(self, folder: Path) -> str | None:
        """What another worker was told; ``None`` when this one is the first."""
        with contextlib.suppress(FileExistsError):
            (folder / "optum-live-asks").touch(exist_ok=False)
            return None
        # A worker that died while it asked is not waited for.
        end = time.monotonic() + DEADLINE + 1
        while time.monotonic() < end:
            with contextlib.suppress(FileNotFoundError):
                return (folder / "optum-live-said").read_text("utf-8")
            time.sleep(_POLL)
        return _ACCEPTED


_REFUSED = pytest.StashKey[Refused]()


def refused_in(request: pytest.FixtureRequest) -> Refused:
    """What this run knows of refused credentials."""
    stash = request.config.stash
    if _REFUSED not in stash:
        folder = None
        if hasattr(request.config, "workerinput"):
            # Beside those of the other workers, in the folder of the run.
            factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
            folder = factory.getbasetemp().parent
        stash[_REFUSED] = Refused(folder)
    return stash[_REFUSED]
