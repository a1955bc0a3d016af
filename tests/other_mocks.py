"""The mocks that people use, each answering one host of its own: ``theirs`` for ``OTHER``."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpcore
import httpx
import requests
import requests_mock
import responses
import respx
import urllib3
from transports_under_test import Send, send_async_with, send_with, send_with_requests

from pytest_optum_auth import transports

OTHER = "https://other.example.com/thing"
THEIRS = b"theirs"
Mock = Callable[[], AbstractContextManager[object]]


@contextlib.contextmanager
def with_responses() -> Iterator[None]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(OTHER, body=THEIRS)
        yield


@contextlib.contextmanager
def with_responses_and_passthrough() -> Iterator[None]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_passthru("https://sandbox-apigw.optum.com")
        mock.get(OTHER, body=THEIRS)
        yield


@contextlib.contextmanager
def with_requests_mock() -> Iterator[None]:
    with requests_mock.Mocker() as mock:
        mock.get(OTHER, content=THEIRS)
        yield


@contextlib.contextmanager
def with_requests_mock_and_real_http() -> Iterator[None]:
    with requests_mock.Mocker(real_http=True) as mock:
        mock.get(OTHER, content=THEIRS)
        yield


def with_respx(using: str, assert_all_mocked: bool = True) -> Mock:
    @contextlib.contextmanager
    def mock() -> Iterator[None]:
        router = respx.mock(
            using=using, assert_all_called=False, assert_all_mocked=assert_all_mocked
        )
        with router:
            router.get(OTHER).respond(200, content=THEIRS)
            yield

    return mock


SYNC, ASYNC = send_with(httpx), send_async_with(httpx)
# A mock, and a library whose requests it mocks.
MOCKS: dict[str, tuple[Mock, Send]] = {
    "responses": (with_responses, send_with_requests),
    "responses-passthru": (with_responses_and_passthrough, send_with_requests),
    "requests-mock": (with_requests_mock, send_with_requests),
    "requests-mock-real": (with_requests_mock_and_real_http, send_with_requests),
    "respx-httpcore": (with_respx("httpcore"), SYNC),
    "respx-httpcore-async": (with_respx("httpcore"), ASYNC),
    "respx-httpcore-lenient": (with_respx("httpcore", assert_all_mocked=False), SYNC),
    "respx-httpx": (with_respx("httpx"), SYNC),
    "respx-httpx-async": (with_respx("httpx"), ASYNC),
    "respx-httpx-lenient": (with_respx("httpx", assert_all_mocked=False), SYNC),
}

# Whatever ours or theirs may have replaced.
PATCHED: list[tuple[type, str]] = [
    (requests.Session, "send"),
    (requests.Session, "get_adapter"),
    (requests.adapters.HTTPAdapter, "send"),
    (urllib3.connectionpool.HTTPConnectionPool, "urlopen"),
    (requests_mock.adapter.Adapter, "send"),
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpcore.ConnectionPool, "handle_request"),
    (httpcore.AsyncConnectionPool, "handle_async_request"),
    (httpx.Client, "send"),
    (httpx.AsyncClient, "send"),
    (httpx.Client, "_transport_for_url"),
    (httpx.AsyncClient, "_transport_for_url"),
]


def functions() -> list[object]:
    """What stands at the places that mocks replace, now; not what only stays for the next test."""
    transports.release()
    for owner, name in PATCHED:
        # A layer that was put back after its end is gone once it is looked at.
        getattr(owner, name)
    return [inspect.getattr_static(owner, name) for owner, name in PATCHED]
