"""Where a client may show its secret: log records, warnings, exceptions, its own ``repr``."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import traceback
import warnings
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final

Text = tuple[str, str]  # where it was found, and what stands there

# What every record has; the arguments are in its message as far as they are shown.
_ORDINARY: Final = {*vars(logging.makeLogRecord({})), "message", "asctime"}
_PACKAGE: Final = __name__.partition(".")[0]


class Listener(logging.Handler):
    """Hears every logger at DEBUG, and every warning, in place of whoever else does.

    So that nobody prints what must not be shown in the report.
    """

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Text] = []
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Listener:
        with contextlib.ExitStack() as cleanup:
            root = logging.getLogger()
            for logger in (root, *_loggers()):
                before = (logger.handlers, logger.propagate, logger.disabled)
                cleanup.callback(_set, logger, logger.level, *before)
                _set(logger, logging.NOTSET, [], True, False)
            _set(root, logging.DEBUG, [self], True, False)
            cleanup.callback(logging.disable, root.manager.disable)
            logging.disable(logging.NOTSET)
            caught = cleanup.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always")
            cleanup.callback(self._hear_warnings, caught)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def emit(self, record: logging.LogRecord) -> None:
        where = f"a log record of {record.name!r} at {record.levelname}"
        # A record that cannot be written is the client's own matter.
        with contextlib.suppress(Exception):
            # What stands in `extra` is written by other formatters.
            extra = {name: vars(record)[name] for name in vars(record).keys() - _ORDINARY}
            self.heard.append((where, f"{self.format(record)}\n{extra}"))

    def _hear_warnings(self, caught: Iterable[warnings.WarningMessage] | None) -> None:
        for each in caught or ():
            self.heard.append((f"a {each.category.__name__}", str(each.message)))


def _set(
    logger: logging.Logger,
    level: int,
    handlers: list[logging.Handler],
    propagate: bool,
    disabled: bool,
) -> None:
    logger.setLevel(level)
    logger.handlers, logger.propagate, logger.disabled = handlers, propagate, disabled


def _loggers() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict.values()
    return [logger for logger in list(known) if isinstance(logger, logging.Logger)]


def shown_of(errors: Iterable[BaseException | None], call: object) -> Iterator[Text]:
    """The texts of ``errors`` and of what they were raised from, and the client's ``repr``."""
    for error in filter(None, errors):
        # Without frames, whose lines are the test's.
        chain = traceback.TracebackException.from_exception(error, limit=0)
        yield f"the text of {type(error).__name__}", "".join(chain.format())
    for client in _held_by(call):
        with contextlib.suppress(Exception):
            yield f"repr({type(client).__name__})", repr(client)


def _held_by(call: object) -> Iterator[object]:
    """The objects that ``call`` is bound to or closes over; strings and the like are the test's."""
    waiting: list[Any] = [call]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, functools.partial):
            waiting += [each.func, *each.args, *each.keywords.values()]
        elif inspect.ismethod(each):
            waiting += [each.__self__, each.__func__]
        elif inspect.isfunction(each):
            for cell in each.__closure__ or ():
                with contextlib.suppress(ValueError):  # not assigned yet
                    waiting.append(cell.cell_contents)
        elif type(each).__module__.partition(".")[0] not in ("builtins", _PACKAGE):
            yield each
