"""HTTP/1.1 as bytes: what the connection brings is read as RFC 9112 says."""

from __future__ import annotations

import h11
import pytest

from pytest_optum_auth.core.http11 import (
    Incoming,
    MalformedRequest,
    RequestParser,
    ends_connection,
    received,
    render,
)
from pytest_optum_auth.core.messages import Response


def parse(received: bytes, *, size: int = 1 << 30, host_names_origin: bool = False) -> Incoming:
    """The one request in ``received``, fed in pieces of ``size``."""
    parser = RequestParser("https", "https://gw", host_names_origin=host_names_origin)
    incoming = None
    for start in range(0, len(received), size):
        assert incoming is None, "the request was complete before its end"
        parser.feed(received[start : start + size])
        incoming = parser.next_request()
    assert incoming is not None
    assert parser.next_request() is None
    return incoming


LENGTH = b"POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX-A:  1 \r\n\r\nhello"
CHUNKS = (
    b"POST /a?b=c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nX-A:1\r\n\r\n"
    b"2\r\nhe\r\n0003;ext=1\r\nllo\r\n0\r\n"
)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "received",
    [LENGTH, CHUNKS + b"\r\n", CHUNKS + b"Trailer: x\r\n\r\n"],
    ids=["length", "chunks", "trailer"],
)
def test_a_request_is_read_in_whatever_pieces_it_comes(received: bytes, size: int) -> None:
    incoming = parse(received, size=size)

    request = incoming.request
    assert (request.transport, request.method, request.url) == (
        "https",
        "POST",
        "https://gw/a?b=c",
    )
    assert (request.headers["x-a"], request.body) == ("1", b"hello")
    assert incoming.keeps_alive


def test_requests_come_one_after_the_other() -> None:
    parser = RequestParser("https", "https://gw")
    parser.feed(LENGTH + b"\r\n" + CHUNKS + b"\r\nGET /last HTTP/1.1\r\nHost: h\r\n\r\nGET")

    urls = []
    while (incoming := parser.next_request()) is not None:
        urls.append((incoming.request.url, incoming.request.body))

    assert urls == [
        ("https://gw/a?b=c", b"hello"),
        ("https://gw/a?b=c", b"hello"),
        ("https://gw/last", b""),
    ]


@pytest.mark.parametrize(
    ("head", "keeps_alive"),
    [
        ("GET / HTTP/1.1", True),
        ("GET / HTTP/1.1\r\nConnection: keep-alive", True),
        ("GET / HTTP/1.1\r\nConnection: Upgrade, Close", False),
        ("GET / HTTP/1.0", False),
    ],
)
def test_whether_another_request_may_follow(head: str, keeps_alive: bool) -> None:
    assert parse(f"{head}\r\nHost: h\r\n\r\n".encode()).keeps_alive is keeps_alive


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("//a//b", "//a//b"),
        ("https://other:1/a?b", "/a?b"),
        ("http://other", "/"),
        ("*", "/*"),
        ("other:443", "/other:443"),
    ],
)
def test_a_target_in_any_form_becomes_a_path(target: str, path: str) -> None:
    assert (
        parse(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode()).request.url
        == f"https://gw{path}"
    )


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("sandbox-apigw.optum.com", "sandbox-apigw.optum.com"),
        ("127.0.0.1:8443", "127.0.0.1:8443"),
        ("user@h", "gw"),
        ("[", "gw"),
        ("", "gw"),
    ],
)
def test_the_host_names_the_origin_when_it_may(host: str, authority: str) -> None:
    received = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

    assert parse(received, host_names_origin=True).request.url == f"https://{authority}/"
    assert parse(received).request.url == "https://gw/"


def test_a_client_that_waits_is_told_to_go_on_once() -> None:
    parser = RequestParser("https", "https://gw")
    before = parser.wants_continue()
    parser.feed(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
    parser.next_request()

    assert (before, parser.wants_continue(), parser.wants_continue()) == (False, True, False)
    parser.feed(b"xPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")
    assert parser.next_request() is not None
    assert parser.next_request() is None
    assert not parser.wants_continue()


BEFORE = b"GET / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = BEFORE + b"Transfer-Encoding: chunked\r\n\r\n"
HUGE = 64 * 1024 * 1024 + 1


@pytest.mark.parametrize(
    ("received", "status", "reason"),
    [
        (b"GET /\r\n\r\n", 400, "The request line is malformed."),
        (b"GET / HTTP/2.0\r\n\r\n", 400, "The request line is malformed."),
        (b"GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "The request line is malformed."),
        (b"GET http://[ HTTP/1.1\r\nHost: h\r\n\r\n", 400, "The request target is malformed."),
        (BEFORE + b"no colon\r\n\r\n", 400, "A header field of the request is malformed."),
        (BEFORE + b"X : y\r\n\r\n", 400, "A header field of the request is malformed."),
        (BEFORE + b"X: y\r\n z\r\n\r\n", 400, "A header field of the request is malformed."),
        (
            BEFORE + b"X: " + b"y" * 4_200_000,
            431,
            "The header fields of the request are too large.",
        ),
        (
            BEFORE + b"X: " + b"y" * 4_200_000 + b"\r\n\r\n",
            431,
            "The header fields of the request are too large.",
        ),
        (BEFORE + b"Content-Length: x\r\n\r\n", 400, "Content-Length is no number."),
        (BEFORE + b"Content-Length: -1\r\n\r\n", 400, "Content-Length is no number."),
        (
            BEFORE + b"Content-Length: %d\r\n\r\n" % HUGE,
            413,
            "The body of the request is too large.",
        ),
        (
            BEFORE + b"Content-Length: 1%s\r\n\r\n" % (b"0" * 5000),
            413,
            "The body of the request is too large.",
        ),
        (
            BEFORE + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "Content-Length and Transfer-Encoding exclude each other.",
        ),
        (
            BEFORE + b"Transfer-Encoding: gzip\r\n\r\n",
            501,
            "The only Transfer-Encoding understood is chunked.",
        ),
        (CHUNKED + b"zz\r\n", 400, "A chunk of the request body has no size."),
        (CHUNKED + b"%x\r\n" % HUGE, 413, "The body of the request is too large."),
    ],
)
def test_what_is_no_request_is_refused(received: bytes, status: int, reason: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(received)

    assert caught.value.answer.status == status
    assert caught.value.answer.body == f"{reason}\n".encode()


CONTROL = "The header field X holds a control character."


@pytest.mark.parametrize(
    ("received", "reason"),
    [
        (b"GET / HTTP/1.1\r\nX: y\r\n\r\n", "The request names no Host."),
        (BEFORE + b"hOST: h\r\n\r\n", "The request names more than one Host."),
        (b"GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", "The request names more than one Host."),
        (BEFORE + b"X: a\0b\r\n\r\n", CONTROL),
        (BEFORE + b"X: a\rb\r\n\r\n", CONTROL),
        (BEFORE + b"X: a\x0bb\r\n\r\n", CONTROL),
        (b"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", "The request line is malformed."),
        (b"GET /\r HTTP/1.1\r\nHost: h\r\n\r\n", "The request line is malformed."),
        (b"GET /\xe9 HTTP/1.1\r\nHost: h\r\n\r\n", "The request line is malformed."),
        (CHUNKED + b"1\r\nabc\r\n", "A chunk of the request body is longer than its size."),
    ],
)
def test_what_h11_refuses_is_refused(received: bytes, reason: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(received)

    assert (caught.value.answer.status, caught.value.answer.body) == (400, f"{reason}\n".encode())
    theirs = h11.Connection(h11.SERVER)
    theirs.receive_data(received)
    with pytest.raises(h11.RemoteProtocolError):
        # A chunk is the second event.
        list(iter(theirs.next_event, h11.NEED_DATA))


@pytest.mark.parametrize("value", ["a\tb", "\x7f\x1f", "é"])
def test_what_is_odd_but_ends_no_line_is_read(value: str) -> None:
    received = BEFORE + f"X: {value}\r\n\r\n".encode("latin-1")

    assert parse(received).request.headers["x"] == value


def test_the_oldest_http_needs_no_host() -> None:
    assert parse(b"GET / HTTP/1.0\r\n\r\n").request.url == "https://gw/"


def test_a_megabyte_of_header_and_ten_of_body_are_read() -> None:
    header, body = b"h" * 1_000_000, b"b" * 10_000_000
    received = b"POST / HTTP/1.1\r\nHost: h\r\nX: %s\r\nContent-Length: 10000000\r\n\r\n%s" % (
        header,
        body,
    )

    request = parse(received, size=65_536).request

    assert (len(request.headers["x"]), len(request.body)) == (1_000_000, 10_000_000)


@pytest.mark.parametrize("close", [True, False])
def test_an_answer_is_a_status_line_fields_and_a_body(close: bool) -> None:
    answer = Response(404, (("X-A", "é☃"),), b"body")

    connection = b"Connection: close\r\n" if close else b""
    assert render(answer, close=close) == (
        b"HTTP/1.1 404 Not Found\r\nX-A: \xe9?\r\n" + connection + b"\r\nbody"
    )


def test_a_status_without_a_phrase_has_none() -> None:
    assert render(Response(599, (), b""), close=False) == b"HTTP/1.1 599 \r\n\r\n"


def test_the_answers_own_connection_field_stays() -> None:
    answer = Response(200, (("connection", "Keep-Alive"),), b"")

    assert render(answer, close=True) == b"HTTP/1.1 200 OK\r\nconnection: Keep-Alive\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "method", "ends"),
    [
        (Response(200, (("Content-Length", "2"),), b"{}"), "GET", False),
        (Response(204, (), b""), "GET", False),
        (Response(200, (("Content-Length", "2"),), b""), "HEAD", False),
        (Response(200, (("content-length", "50"),), b"{}"), "GET", True),
        (Response(200, (("Connection", "close"), ("Content-Length", "2")), b"{}"), "GET", True),
        (Response(103, (), b""), "GET", True),
    ],
)
def test_whether_something_can_follow_an_answer(answer: Response, method: str, ends: bool) -> None:
    assert ends_connection(answer, method) is ends


@pytest.mark.parametrize(
    ("status", "length", "method", "arrives"),
    [
        (200, "2", "GET", (b"{}", 0)),
        (200, "50", "GET", (b"{}", 48)),
        (200, "1", "GET", (b"{", 0)),
        (200, "two", "GET", (b"{}", 0)),
        (200, "50", "HEAD", (b"{}", 0)),
        (304, "50", "GET", (b"{}", 0)),
    ],
)
def test_what_arrives_of_an_answer(
    status: int, length: str, method: str, arrives: tuple[bytes, int]
) -> None:
    assert received(Response(status, (("Content-Length", length),), b"{}"), method) == arrives
