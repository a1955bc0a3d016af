"""Client libraries in a version that cannot be intercepted, or that a suite has blocked."""

from __future__ import annotations

import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
from token_requests import ask
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import FakeOptum, transports

WARNING = (
    "httpx 9.0.dev1 cannot be intercepted (AttributeError: module 'httpx' has no attribute "
    "'ConnectError'): the fake does not answer its requests, and stops those to a gateway host. "
    "Install a version of httpx that pytest-optum-auth knows, or leave it out of optum_transports"
)


@pytest.fixture
def another_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    """httpx in a version that nobody knows yet has been imported."""
    module = ModuleType("httpx")
    module.__version__ = "9.0.dev1"
    module.__path__ = []
    module.__spec__ = ModuleSpec("httpx", None, is_package=True)
    monkeypatch.setitem(sys.modules, "httpx", module)
    monkeypatch.delitem(sys.modules, f"{transports.__name__}.httpx_", raising=False)
    monkeypatch.setattr(transports, "_why_not", {})
    monkeypatch.setattr(transports, "_loaded", {})


@pytest.mark.usefixtures("another_httpx")
def test_a_library_that_cannot_be_intercepted_is_a_warning() -> None:
    with pytest.warns(UserWarning, match=whole(WARNING)):
        fake = FakeOptum().__enter__()
    answer = ask(send, fake)
    fake.__exit__(None)

    assert answer.status == 200


@pytest.mark.usefixtures("another_httpx")
def test_it_is_one_at_the_next_fake_too() -> None:
    for _ in range(2):
        with pytest.warns(UserWarning, match=whole(WARNING)):
            fake = FakeOptum().__enter__()
        fake.__exit__(None)


@pytest.mark.usefixtures("another_httpx")
def test_a_library_that_nobody_asked_to_intercept_is_no_matter() -> None:
    with FakeOptum(transports=["requests"]) as fake:
        assert ask(send, fake).status == 200


@pytest.mark.usefixtures("another_httpx")
def test_nor_is_it_before_a_fake_starts() -> None:
    with warnings.catch_warnings(record=True) as told:
        transports.load_imported()

    assert told == []


def test_a_library_that_is_imported_while_a_fake_is_active_is_a_warning_too(
    request: pytest.FixtureRequest,
) -> None:
    with FakeOptum():
        request.getfixturevalue("another_httpx")

        with pytest.warns(UserWarning, match=whole(WARNING)):
            transports._imported("httpx")


def test_nor_is_one_that_is_imported_then_and_nobody_asked_to_intercept(
    request: pytest.FixtureRequest,
) -> None:
    with FakeOptum(transports=["requests"]):
        request.getfixturevalue("another_httpx")

        with warnings.catch_warnings(record=True) as told:
            transports._imported("httpx")

    assert told == []


def test_a_library_that_the_suite_has_blocked_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)

    transports.load_imported()
    with FakeOptum() as fake:
        assert ask(send, fake).status == 200


def test_a_library_that_is_blocked_cannot_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)

    with pytest.raises(ValueError, match="transport 'aiohttp' needs the library of that name"):
        FakeOptum(transports=["aiohttp"])
