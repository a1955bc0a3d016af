"""The parts of the contract that a run on one machine does not show."""

from __future__ import annotations

import ssl
import sys
from email.message import Message

import pytest

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.core.clients import Credentials
from pytest_optum_auth.live.contract import tls
from pytest_optum_auth.live.contract.probes import Probes, fake_send
from pytest_optum_auth.live.sandbox.http import Answer
from pytest_optum_auth.live.target import Target


@pytest.mark.parametrize("library", ["httpx", "requests", "httpx2"])
def test_the_fake_is_asked_through_a_library_that_it_intercepts(library: str) -> None:
    pytest.importorskip(library)
    send = fake_send([library])
    assert send is not None
    with FakeOptum() as optum:
        answer = send("POST", optum.token_url, {"Content-Type": "text/plain"}, b"x")

    assert answer.status == 415
    assert answer.headers.get_content_type() == "application/json"
    assert [exchange.transport for exchange in optum.token_requests] == [library]


def test_a_library_that_is_not_installed_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("httpx", "requests", "httpx2"):
        monkeypatch.setitem(sys.modules, name, None)

    assert fake_send([]) is None


def test_no_library_is_used_that_the_fake_does_not_intercept() -> None:
    assert fake_send(["aiohttp"]) is None


@pytest.mark.parametrize(
    "refusal", [ValueError("unsupported protocol"), ssl.SSLError(1, "no ciphers")]
)
def test_a_python_without_old_tls_does_not_pretend_to_try_it(
    monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    def refuse(self: ssl.SSLContext, ciphers: str) -> None:
        raise refusal

    monkeypatch.setattr(ssl.SSLContext, "set_ciphers", refuse)

    assert tls.old_context() is None


def test_old_tls_is_offered_where_openssl_has_it() -> None:
    context = tls.old_context()

    assert context is not None
    assert context.maximum_version == ssl.TLSVersion.TLSv1_1


@pytest.mark.parametrize("url", ["http://localhost/token", "https://localhost/token"])
def test_old_tls_is_not_tried_where_it_cannot_be(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(tls, "old_context", lambda: None)
    target = Target("", url, Credentials("me", "secret"), is_live=True)
    probes = Probes(target, lambda *_: Answer(200, Message(), b""), {})

    assert probes.answers_old_tls() is None
