"""The short way of requests to the gateway: nobody can tell it from the long one."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from token_requests import API, fields
from urllib3 import HTTPSConnectionPool, PoolManager
from urllib3.util import Retry, Timeout

from pytest_optum_auth import Clock, FakeOptum, Fault, Reply, faults

TOKEN = "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token"
FORM = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "s3cr3t"}


class TheLongWay(HTTPAdapter):
    """An adapter with a part of its own, which does nothing."""

    def add_headers(self, request: Any, **kwargs: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_certificates_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def told(optum: FakeOptum, adapter: HTTPAdapter, **options: Any) -> list[Any]:
    """All that can be seen of a request by ``adapter``: what comes back, and what the fake saw."""
    session = requests.Session()
    session.mount("https://", adapter)
    try:
        answer = session.request(**{"method": "POST", "url": TOKEN, **options})
    except Exception as error:
        request = getattr(error, "request", None)
        shown = re.sub(r" at 0x\w+", "", str(error))
        got = [type(error), shown, request and (request.method, request.url)]
    else:
        content, raw = answer.content, answer.raw
        got = [
            answer.status_code,
            answer.reason,
            re.sub(rb"eyJ[^\"]+", b"", content),
            answer.headers,
            answer.url,
            answer.encoding,
            answer.cookies.get_dict(),
            answer.connection is adapter,
            type(raw),
            raw.version_string,
            raw.tell(),
            raw.isclosed(),
            raw.length_remaining,
            raw.read(),
        ]
    return got + [
        (e.method, e.url, e.headers.as_sent(), e.body, e.timeout, e.status, e.outcome)
        for e in optum.exchanges
    ]


def both_ways(play: Callable[[FakeOptum, HTTPAdapter], list[Any]]) -> tuple[Any, Any, list[int]]:
    """What ``play`` tells of either way, and how many pools each has looked for."""
    seen, pools = [], []
    for kind in (HTTPAdapter, TheLongWay):
        adapter = kind(max_retries=Retry(2, status_forcelist=[503], backoff_factor=0))
        fake = FakeOptum(client_id="me", client_secret="s3cr3t", strict=False)
        with Clock("2026-01-01T00:00:00Z"), fake as optum:
            seen.append(play(optum, adapter))
        pools.append(len(adapter.poolmanager.pools))
    return seen[0], seen[1], pools


REQUESTS: dict[str, dict[str, Any]] = {
    "a form": {"data": FORM},
    "JSON": {"json": FORM},
    "bytes": {"data": b"grant_type=client_credentials"},
    "nothing": {},
    "a GET": {"method": "GET"},
    "a HEAD": {"method": "HEAD"},
    "beyond ASCII": {"data": "client_id=\u00e9".encode()},
    "a header value of bytes": {"data": FORM, "headers": {"X-Trace": b"\xe9"}},
    "a Host of its own": {"data": FORM, "headers": {"Host": "apigw.optum.com"}},
    "a timeout": {"data": FORM, "timeout": 3},
    "two timeouts": {"data": FORM, "timeout": (2.5, None)},
    "no look at certificates": {"data": FORM, "verify": False},
    "certificates of the user": {"data": FORM, "verify": __file__},
    "streaming": {"data": FORM, "stream": True},
    "cookies": {"data": FORM, "cookies": {"session": "1"}},
    "Basic": {"data": FORM, "auth": ("me", "s3cr3t")},
    "a proxy for others": {"data": FORM, "proxies": {"http": "http://localhost:1"}},
    "a query": {"data": FORM, "url": f"{TOKEN}?a=1&b=%20"},
    "a fragment": {"data": FORM, "url": f"{TOKEN}#there"},
    "the usual port": {"data": FORM, "url": TOKEN.replace(".com", ".com:443")},
    "another port": {"data": FORM, "url": TOKEN.replace(".com", ".com:8443")},
    "capitals": {"data": FORM, "url": TOKEN.replace("https://sandbox", "HTTPS://SANDBOX")},
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_the_same_by_both_ways(name: str) -> None:
    short, long, pools = both_ways(lambda optum, by: told(optum, by, **REQUESTS[name]))

    assert short == long
    assert pools == [0, 1]


FAULTS: dict[str, tuple[Fault, int]] = {
    "connect": (faults.connect_error(), 1),
    "connect, more often than Retry bears": (faults.connect_error(), 3),
    "timeout": (faults.timeout(), 3),
    "disconnect": (faults.disconnect(), 3),
    "an answer that Retry repeats": (faults.http_error(503), 1),
    "an answer that Retry repeats, more often": (faults.http_error(503), 3),
    "an answer that Retry leaves": (faults.server_error(), 1),
    "Retry-After": (faults.rate_limited(retry_after=0), 1),
    "HTML": (faults.gateway_error(), 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_the_same_by_both_ways(name: str) -> None:
    fault, times = FAULTS[name]

    def play(optum: FakeOptum, by: HTTPAdapter) -> Any:
        optum.inject(fault, times=times)
        return told(optum, by, data=FORM, timeout=5)

    short, long, _ = both_ways(play)

    assert short == long


def _fails(_: Any) -> Any:
    raise OSError("the disk is full")


ANSWERS: dict[str, Any] = {
    "JSON": {"claims": [1, 2]},
    "text": Reply(text="é"),
    "bytes, compressed": Reply(content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "cookies": Reply(json=1, headers={"Set-Cookie": "a=1"}),
    "nothing": Reply(204),
    "an empty body": Reply(content=b""),
    "a length that is not true": Reply(content=b"abc", headers={"Content-Length": "7"}),
    "chunks": Reply(content=b"abc", headers={"Transfer-Encoding": "chunked"}),
    "large": Reply(content=bytes(100_000)),
    "an exception that requests translates": _fails,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_the_same_by_both_ways(name: str) -> None:
    answer = ANSWERS[name]

    def play(optum: FakeOptum, by: HTTPAdapter) -> Any:
        optum.protect(
            "GET", "/oihub/claim/inquiry/v1", json=answer if callable(answer) else lambda _: answer
        )
        optum.issue_token()
        # Of the request itself the tests above tell.
        return told(optum, by, method="GET", url=API, auth=Bearer(optum))[:-1]

    short, long, _ = both_ways(play)

    assert short == long


def test_an_answer_is_read_piece_by_piece_by_who_wants_that(optum_auth: FakeOptum) -> None:
    optum_auth.protect("GET", "/oihub/claim/inquiry/v1", content=b"abcdefg")
    optum_auth.issue_token()
    answer = requests.get(API, auth=Bearer(optum_auth), stream=True, timeout=5)

    assert answer.raw.read(2) == b"ab"
    assert list(answer.iter_content(3)) == [b"cde", b"fg"]
    assert answer.raw.tell() == 7


class Bearer(requests.auth.AuthBase):
    """Sends the fake's last token."""

    def __init__(self, optum: FakeOptum) -> None:
        self.optum = optum

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.optum.last_token}"
        return request


def instead(owner: Any, name: str) -> Callable[[HTTPAdapter, pytest.MonkeyPatch, list[str]], None]:
    """Somebody replaces a part of the library, and of every adapter."""

    def change(_: HTTPAdapter, monkeypatch: pytest.MonkeyPatch, called: list[str]) -> None:
        beneath = getattr(owner, name)

        def replacement(*args: Any, **kwargs: Any) -> Any:
            called.append(name)
            return beneath(*args, **kwargs)

        monkeypatch.setattr(owner, name, replacement)

    return change


def on_the_adapter(adapter: HTTPAdapter, _: pytest.MonkeyPatch, called: list[str]) -> None:
    beneath = adapter.cert_verify
    adapter.cert_verify = lambda *args: (called.append("cert_verify"), beneath(*args))


def own_pools(adapter: HTTPAdapter, _: pytest.MonkeyPatch, called: list[str]) -> None:
    class Pools(PoolManager):
        def connection_from_host(self, *args: Any, **kwargs: Any) -> Any:
            called.append("connection_from_host")
            return super().connection_from_host(*args, **kwargs)

    adapter.poolmanager = Pools()


def on_its_pools(adapter: HTTPAdapter, _: pytest.MonkeyPatch, called: list[str]) -> None:
    pools, beneath = adapter.poolmanager, adapter.poolmanager.connection_from_host
    pools.connection_from_host = lambda *x, **y: (called.append("pools"), beneath(*x, **y))[1]


def own_kind_of_pool(adapter: HTTPAdapter, _: pytest.MonkeyPatch, called: list[str]) -> None:
    class Pool(HTTPSConnectionPool):
        def urlopen(self, *args: Any, **kwargs: Any) -> Any:
            called.append("urlopen")
            return super().urlopen(*args, **kwargs)

    adapter.poolmanager.pool_classes_by_scheme = {"https": Pool}


CHANGES = {
    "a method of HTTPAdapter": instead(HTTPAdapter, "cert_verify"),
    "another one": instead(HTTPAdapter, "request_url"),
    "how pools are found": instead(PoolManager, "connection_from_host"),
    "how pools are found by their key": instead(PoolManager, "connection_from_pool_key"),
    "how pools send": instead(HTTPSConnectionPool, "urlopen"),
    "a method of the adapter alone": on_the_adapter,
    "the adapter's pools": own_pools,
    "a method of its pools alone": on_its_pools,
    "their kind": own_kind_of_pool,
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_somebody_has_replaced_is_called(
    name: str, optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    with requests.Session() as session:
        adapter = session.get_adapter(TOKEN)
        assert isinstance(adapter, HTTPAdapter)
        CHANGES[name](adapter, monkeypatch, called)

        answer = session.post(TOKEN, data=fields(optum_auth), timeout=5)

    assert answer.json()["expires_in"] == 7200
    assert len(called) == 1


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "certificates that are nowhere": (
        {"verify": "/nowhere"},
        OSError,
        "Could not find a suitable TLS CA certificate bundle, invalid path: /nowhere",
    ),
    "a certificate of its own that is nowhere": (
        {"cert": "/nowhere"},
        OSError,
        "Could not find the TLS certificate file, invalid path: /nowhere",
    ),
    "three timeouts": ({"timeout": (1, 2, 3)}, ValueError, "Invalid timeout"),
    "no time": ({"timeout": 0}, ValueError, "less than or equal to 0"),
    "a timeout in words": ({"timeout": "long"}, ValueError, "must be an int, float or None"),
    "a header that cannot be sent": ({"headers": {"X-Name": "“"}}, UnicodeEncodeError, "latin-1"),
    "a yes": ({"timeout": True}, ValueError, "Timeout cannot be a boolean value"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_library_refuses_it_refuses_still(name: str, optum_auth: FakeOptum) -> None:
    options, kind, message = REFUSED[name]

    with pytest.raises(kind, match=message):
        requests.post(TOKEN, **{"data": fields(optum_auth), "timeout": 5, **options})

    assert not optum_auth.exchanges


LONG: dict[str, dict[str, Any]] = {
    "a file": {"data": io.BytesIO(b"grant_type=client_credentials")},
    "a timeout of urllib3": {"timeout": Timeout(total=5)},
    "what is refused": {"url": "https://sandbox-apigw.optum.com"},
    "a password in the URL": {"url": TOKEN.replace("https://", "https://me:s3cr3t@")},
    "a proxy": {"proxies": {"https": "http://localhost:1"}},
}


@pytest.mark.parametrize("name", LONG)
def test_what_the_short_way_does_not_know_takes_the_long_one(name: str) -> None:
    def play(optum: FakeOptum, by: HTTPAdapter) -> Any:
        again = {"data": io.BytesIO(b"grant_type=client_credentials")} if name == "a file" else {}
        return told(optum, by, **{**LONG[name], **again})

    short, long, pools = both_ways(play)

    assert short == long
    # A proxy has its own.
    assert pools == ([0, 0] if name == "a proxy" else [1, 1])


def test_an_int_in_the_place_of_a_retry_means_what_it_means_to_urllib3(
    optum_auth: FakeOptum,
) -> None:
    optum_auth.inject(faults.connect_error())
    with requests.Session() as session:
        adapter = session.get_adapter(TOKEN)
        assert isinstance(adapter, HTTPAdapter)
        adapter.max_retries = 1

        answers = [session.post(TOKEN, data=fields(optum_auth), timeout=5) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(optum_auth.token_requests) == 3
