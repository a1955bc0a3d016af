"""Secrets in objects, streams, log records and JSON answers: masked, or learned."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_optum_auth.live.redaction.process_patches import learn_json_tokens, mask_log_records
from pytest_optum_auth.live.redaction.redactor import Redactor
from pytest_optum_auth.live.redaction.scrubber import Scrubber
from pytest_optum_auth.live.redaction.streams import MaskingStream, mask_streams

LONG = "s3cr3t&\"'/+= %\\\té-Zq8"


@pytest.fixture
def scrubber() -> Scrubber:
    """A scrubber that knows one secret."""
    return Scrubber(Redactor([LONG]))


Pair = namedtuple("Pair", ["left", "right"])


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (LONG, "[redacted]"),
        (LONG.encode(), b"[redacted]"),
        ([1, LONG], [1, "[redacted]"]),
        ((LONG, None), ("[redacted]", None)),
        ({LONG: {"deep": [LONG]}}, {"[redacted]": {"deep": ["[redacted]"]}}),
        ({LONG}, {"[redacted]"}),
        (Pair(LONG, 1), Pair("[redacted]", 1)),
    ],
)
def test_containers_are_copied_with_secrets_masked(
    scrubber: Scrubber, value: Any, masked: Any
) -> None:
    new = scrubber.value(value)

    assert new == masked
    assert type(new) is type(value)


@pytest.mark.parametrize(
    "value", ["plain", b"plain", [1, "plain"], {"plain": ("text",)}, None, 7], ids=repr
)
def test_a_value_without_a_secret_stays_the_same_object(scrubber: Scrubber, value: Any) -> None:
    assert scrubber.value(value) is value


def test_a_container_that_holds_itself_ends_somewhere(scrubber: Scrubber) -> None:
    loop: list[Any] = [LONG]
    loop.append(loop)

    assert scrubber.value(loop)[0] == "[redacted]"


def test_a_container_that_cannot_be_copied_becomes_a_list(scrubber: Scrubber) -> None:
    class Point(tuple[str, str]):
        def __new__(cls, x: str, y: str) -> Point:
            return super().__new__(cls, (x, y))

    assert scrubber.value(Point(LONG, "y")) == ["[redacted]", "y"]


def test_a_container_that_cannot_be_walked_is_left(scrubber: Scrubber) -> None:
    class Sulking(dict[str, str]):
        def items(self) -> Any:
            raise RuntimeError("no")

    sulking = Sulking()

    assert scrubber.value(sulking) is sulking


def test_a_report_is_masked_in_place_except_its_name(scrubber: Scrubber) -> None:
    inner = SimpleNamespace(lines=[LONG], toterminal=None)
    report = SimpleNamespace(nodeid=LONG, sections=[("out", LONG)], longrepr=(inner, 1))

    scrubber.report(report)

    assert report.nodeid == LONG
    assert report.sections == [("out", "[redacted]")]
    assert report.longrepr == (inner, 1)
    assert inner.lines == ["[redacted]"]


def test_an_attribute_that_cannot_be_set_is_left(scrubber: Scrubber) -> None:
    class Fixed:
        def __init__(self) -> None:
            vars(self)["text"] = LONG

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    fixed = Fixed()
    scrubber.report(fixed)

    assert vars(fixed) == {"text": LONG}


def test_an_object_without_attributes_is_no_report(scrubber: Scrubber) -> None:
    bare = object()

    assert scrubber.value(bare) is bare
    for each in (bare, 7, None):
        scrubber.report(each)
    # Nothing was raised, and the next report is masked as ever.
    report = SimpleNamespace(text=LONG)
    scrubber.report(report)
    assert report.text == "[redacted]"


def test_no_exception_is_no_error(scrubber: Scrubber) -> None:
    error = RuntimeError(LONG)

    for each in (None, error):
        scrubber.exception(each)

    assert error.args == ("[redacted]",)


def test_an_exception_is_masked_with_its_causes_and_notes(scrubber: Scrubber) -> None:
    error, cause, context = RuntimeError(LONG), KeyError(LONG), OSError(1, LONG, LONG)
    error.__cause__, error.__context__, cause.__cause__ = cause, context, error
    vars(error)["__notes__"] = [LONG]
    vars(error)["exceptions"] = [ValueError(LONG)]

    scrubber.exception(error)

    assert error.args == cause.args == vars(error)["exceptions"][0].args == ("[redacted]",)
    assert vars(error)["__notes__"] == ["[redacted]"]
    assert str(context) == "[Errno 1] [redacted]: '[redacted]'"


@pytest.mark.parametrize(
    ("message", "shown"),
    [(UserWarning(LONG), "[redacted]"), (UserWarning("plain"), "plain")],
)
def test_a_warning_is_masked(scrubber: Scrubber, message: Warning, shown: str) -> None:
    recorded = warnings.WarningMessage(message, UserWarning, "file.py", 1)

    scrubber.warning(recorded)

    assert str(recorded.message) == shown


def test_a_warning_with_a_text_of_its_own_is_replaced(scrubber: Scrubber) -> None:
    class Spoken(UserWarning):
        def __str__(self) -> str:
            return f"mind {LONG}"

    recorded = warnings.WarningMessage(Spoken(), Spoken, "file.py", 1)

    scrubber.warning(recorded)

    assert repr(recorded.message) == "UserWarning('mind [redacted]')"


class Terminal(io.TextIOWrapper):
    """A text stream over bytes, as the real ones are."""

    def __init__(self) -> None:
        self._below = io.BytesIO()
        super().__init__(self._below, encoding="utf-8", write_through=True)

    @property
    def seen(self) -> bytes:
        return self._below.getvalue()


def test_a_stream_masks_what_is_written_and_passes_the_rest_on() -> None:
    terminal = Terminal()
    stream = MaskingStream(terminal, Redactor([LONG]))

    written = stream.write(LONG)
    stream.writelines(["plain ", LONG])
    in_bytes = stream.buffer.write(LONG.encode())
    stream.buffer.flush()

    assert terminal.seen == b"[redacted]plain [redacted][redacted]"
    assert (written, in_bytes) == (len(LONG), len(LONG.encode()))
    assert stream.encoding == "utf-8"


def test_streams_are_masked_until_they_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    restore = mask_streams(Redactor([LONG]))
    print(LONG, end="")

    restore()

    assert sys.stdout is terminal
    assert terminal.seen == b"[redacted]"


def test_a_stream_that_somebody_replaced_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    restore = mask_streams(Redactor())
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)

    restore()

    assert (sys.stdout, sys.stderr) == (out, err)


def test_log_records_are_masked_until_they_are_not(
    scrubber: Scrubber, caplog: pytest.LogCaptureFixture
) -> None:
    restore = mask_log_records(scrubber)
    logging.getLogger("a").warning("see %s", LONG, extra={"more": LONG})
    try:
        raise KeyError(LONG)
    except KeyError:
        logging.getLogger("a").exception("plain")
    restore()
    logging.getLogger("a").warning("kept %s", LONG)

    assert [record.getMessage() for record in caplog.records] == [
        "see [redacted]",
        "plain",
        f"kept {LONG}",
    ]
    assert vars(caplog.records[0])["more"] == "[redacted]"
    assert LONG not in caplog.text.replace(f"kept {LONG}", "")
    assert "KeyError: '[redacted]'" in caplog.text


def test_log_records_without_a_secret_are_left_as_they_are(
    scrubber: Scrubber, caplog: pytest.LogCaptureFixture
) -> None:
    restore = mask_log_records(scrubber)
    try:
        raise KeyError("plain")
    except KeyError:
        logging.getLogger("a").exception("see %s", "this")
    restore()

    (record,) = caplog.records
    assert (record.msg, record.args) == ("see %s", ("this",))


def test_a_record_that_cannot_be_formatted_is_left_to_its_handler(
    scrubber: Scrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(logging.Logger, "handle", lambda self, record: seen.append(record.args))
    restore = mask_log_records(scrubber)
    logging.getLogger("a").warning("%d", "no number")
    restore()

    assert seen == [("no number",)]


@pytest.mark.parametrize(
    ("document", "learned"),
    [
        (
            {"access_token": "one", "refresh_token": "two", "id_token": "three"},
            ["one", "two", "three"],
        ),
        ({"access_token": None, "scope": "read"}, []),
        (["access_token"], []),
    ],
)
def test_tokens_are_learned_where_json_is_decoded(document: Any, learned: list[str]) -> None:
    seen: list[str] = []
    restore = learn_json_tokens(seen.append)
    decoded = json.loads(json.dumps(document))
    restore()
    json.loads('{"access_token": "later"}')

    assert decoded == document
    assert seen == learned
