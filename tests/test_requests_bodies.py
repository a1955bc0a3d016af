"""What a client reads of an answer by itself: in process as over HTTPS."""

from __future__ import annotations

import gzip
import io
import shutil
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from stubbed_apis import bearer
from token_requests import fields
from urllib3.util import Retry

from pytest_optum_auth import FakeOptum, Reply, faults
from pytest_optum_auth.server.served import Server

TEXT = b"one\ntwo\r\n\r\nfour \xc3\xa9\n" * 3
REPLIES = {
    "text": Reply(content=TEXT),
    "compressed": Reply(content=gzip.compress(TEXT, mtime=0), headers={"Content-Encoding": "gzip"}),
    "empty": Reply(content=b""),
    "no content": Reply(204),
    "not modified": Reply(304, headers={"Content-Length": "7"}),
    "in chunks": Reply(content=TEXT, headers={"Transfer-Encoding": "chunked"}),
    "shorter than it says": Reply(content=TEXT, headers={"Content-Length": "700"}),
    "of a length that is no number": Reply(content=TEXT, headers={"Content-Length": "x"}),
    "longer than it says": Reply(content=TEXT, headers={"Content-Length": "7"}),
}


def _copied(raw: Any) -> bytes:
    copy = io.BytesIO()
    shutil.copyfileobj(raw, copy, 7)
    return copy.getvalue()


READS: dict[str, Callable[[requests.Response], object]] = {
    "content": lambda answer: answer.content,
    "lines": lambda answer: list(answer.iter_lines(5)),
    "raw": lambda answer: answer.raw.read(),
    "raw, decoded": lambda answer: answer.raw.read(decode_content=True),
    "raw, bit by bit": lambda answer: [answer.raw.read(5), answer.raw.tell(), answer.raw.read()],
    "raw, copied": lambda answer: _copied(answer.raw),
    "raw, by lines": lambda answer: io.BufferedReader(answer.raw).readlines(),
    "raw, in pieces": lambda answer: list(answer.raw.stream(7)),
    "past the end": lambda answer: [answer.content, answer.raw.read(), answer.raw.closed],
    "after draining": lambda answer: [answer.raw.drain_conn(), answer.raw.read()],
    "after closing": lambda answer: [answer.close(), answer.content],
    "before and after": lambda answer: [_state(answer), answer.content, _state(answer)],
}


def _state(answer: requests.Response) -> list[object]:
    raw = answer.raw
    return [raw.closed, raw.isclosed(), raw.tell(), raw.decode_content]


def tried(read: Callable[[requests.Response], object], answer: requests.Response) -> object:
    try:
        return read(answer)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_a_body_is_read_as_over_https(
    reply: Reply,
    read: Callable[[requests.Response], object],
    optum_auth: FakeOptum,
    optum_server: Server,
) -> None:
    optum_auth.protect("GET", "/report", json=lambda _: reply)

    def get(session: requests.Session, at: str) -> object:
        return tried(read, session.get(f"{at}/report", headers=bearer(optum_auth), stream=True))

    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(optum_server.ca_bundle)
        in_process, over_https = (
            get(session, optum_auth.base_url),
            get(session, optum_server.base_url),
        )

    assert in_process == over_https


def test_an_answer_tells_what_was_asked_for(optum_auth: FakeOptum) -> None:
    answer = requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert answer.raw.geturl() == "/apip/auth/sntl/v1/token"


@pytest.mark.parametrize("times", [0, 2])
def test_an_answer_tells_of_the_tries_before_it(times: int, optum_auth: FakeOptum) -> None:
    for _ in range(times):
        optum_auth.inject(faults.http_error(503))
    retry = Retry(3, status_forcelist=[503], allowed_methods=None)

    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=retry))
        answer = session.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert [attempt.status for attempt in answer.raw.retries.history] == [503] * times
    assert answer.raw.retries.total == 3 - times
