"""A request to another host while the fake is active, against the same request without it.

The network is left out: what the libraries would send with answers by itself.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import httpcore
import httpx
import requests
import urllib3
from requests.adapters import HTTPAdapter

from benchmarks.measure import Figure, compared, cpu_seconds
from pytest_optum_auth import FakeOptum

URL = "https://other.example/members/1"
CALLS = 100


def measure(rounds: int) -> Iterator[Figure]:
    """The figures of the tax on other hosts."""
    with requests.Session() as session:
        session.mount("https://", _Adapter())
        yield _figure("requests", session.get, rounds)
    transport = httpx.HTTPTransport()
    transport._pool = _HttpxPool()
    with httpx.Client(transport=transport) as client:
        yield _figure("httpx", client.get, rounds)


def _figure(library: str, get: Callable[[str], Any], rounds: int) -> Figure:
    def calls() -> float:
        return cpu_seconds(lambda: get(URL), CALLS)

    def calls_beside_the_fake() -> float:
        with FakeOptum():
            return calls()

    assert get(URL).json() == {}
    return compared(
        f"request to another host, {library} / without optum_auth",
        calls,
        calls_beside_the_fake,
        bound=1.05,
        rounds=rounds * 5,
    )


class _Adapter(HTTPAdapter):
    """The genuine adapter over a pool that answers by itself."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        super().get_connection_with_tls_context(*args, **kwargs)
        return self

    def urlopen(self, **_: Any) -> urllib3.HTTPResponse:
        return urllib3.HTTPResponse(
            body=io.BytesIO(b"{}"), status=200, preload_content=False, decode_content=False
        )


class _HttpxPool:
    """What ``httpx.HTTPTransport`` sends with."""

    def handle_request(self, _: httpcore.Request) -> httpcore.Response:
        return httpcore.Response(200, content=b"{}")

    def __enter__(self) -> _HttpxPool:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""
