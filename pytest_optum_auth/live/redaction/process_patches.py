"""The places of the standard library that a live run watches: log records and JSON answers."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any, Final

from .scrubber import Scrubber

# The fields of a token response that hold a credential (RFC 6749 section 5.1, OpenID Core 3.1.3.3).
_TOKEN_FIELDS: Final = ("access_token", "refresh_token", "id_token")


def mask_log_records(scrubber: Scrubber) -> Callable[[], None]:
    """Mask each log record before any handler sees it; returns the way back.

    At ``Logger.handle`` a record is complete, with its ``extra``; the record factory is too early.
    """
    original = logging.Logger.handle

    def handle(self: logging.Logger, record: logging.LogRecord) -> None:
        _mask_record(record, scrubber)
        original(self, record)

    return patch(logging.Logger, "handle", handle)


def learn_json_tokens(learn: Callable[[str], None]) -> Callable[[], None]:
    """Call ``learn`` with every token in a decoded JSON object; returns the way back.

    So the tokens that the client under test obtains by itself become known.
    """
    original = json.JSONDecoder.decode

    def decode(self: json.JSONDecoder, text: str, *args: Any, **kwargs: Any) -> Any:
        document = original(self, text, *args, **kwargs)
        if isinstance(document, dict):
            for name in _TOKEN_FIELDS:
                token = document.get(name)
                if isinstance(token, str):
                    learn(token)
        return document

    return patch(json.JSONDecoder, "decode", decode)


def patch(owner: object, name: str, function: Callable[..., Any]) -> Callable[[], None]:
    """Put ``function`` in place of a method or function; returns the way back."""
    original = getattr(owner, name)
    setattr(owner, name, function)
    return lambda: setattr(owner, name, original)


def _mask_record(record: logging.LogRecord, scrubber: Scrubber) -> None:
    # A record that cannot be formatted is reported by its handler, not here.
    with contextlib.suppress(Exception):
        shown = record.getMessage()
        masked = scrubber.value(shown)
        if masked is not shown:
            record.msg, record.args = masked, ()
    for name, old in list(vars(record).items()):
        if name not in ("msg", "args", "exc_info"):
            setattr(record, name, scrubber.value(old))
    if record.exc_info:
        with contextlib.suppress(Exception):
            text = logging.Formatter().formatException(record.exc_info)
            masked = scrubber.value(text)
            if masked is not text:
                # Formatters print this text in place of formatting the exception themselves.
                record.exc_text = masked
