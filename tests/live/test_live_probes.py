"""The parts of the contract that a run on one machine does not show."""

from __future__ import annotations

import ssl
import sys
from email.message import Message
from typing import Any

import pytest

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.core.clients import Credentials
from pytest_optum_auth.live.contract import tls
from pytest_optum_auth.live.contract.demands import lifetime
from pytest_optum_auth.live.contract.probes import Probes, fake_send
from pytest_optum_auth.live.sandbox.http import Answer, LiveError
from pytest_optum_auth.live.sandbox.refused import Refused
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


def sandbox_that_answers(status: int, body: bytes = b"{}") -> Probes:
    """The probes of a live run; every request gets this answer."""
    target = Target("", "https://localhost/token", Credentials("me", "secret"), is_live=True)
    return Probes(target, lambda *_: Answer(status, Message(), body), {}, Refused(None))


@pytest.mark.parametrize("status", [201, 204, 400, 415])
def test_a_wrong_answer_to_a_right_request_is_drift(status: int) -> None:
    assert sandbox_that_answers(status).right().status == status


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"error": "unauthorized_client"}'),
        (400, b'{"error": "invalid_client"}'),
        (201, b"<html>sign in"),
        (302, b""),
        (503, b""),
    ],
)
def test_no_answer_is_no_drift(status: int, body: bytes) -> None:
    with pytest.raises(LiveError):
        sandbox_that_answers(status, body).right()


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (302, b""), (503, b"")])
def test_what_comes_between_in_the_middle_of_a_run_is_no_drift(status: int, body: bytes) -> None:
    target = Target("", "https://localhost/token", Credentials("me", "secret"), is_live=True)
    answers = [Answer(200, Message(), b"{}"), Answer(status, Message(), body)]
    probes = Probes(target, lambda *_: answers.pop(0), {}, Refused(None))

    with pytest.raises(LiveError):
        probes.json_body()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"iat": 5, "exp": 7}, 2),
        ({"exp": 7}, None),
        ({"iat": "5", "exp": "7"}, None),
        ({"iat": None, "exp": {}}, None),
    ],
)
def test_claims_that_are_no_times_give_no_lifetime(told: dict[str, Any], seconds: object) -> None:
    assert lifetime(told) == seconds
