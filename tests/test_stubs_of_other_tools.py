"""Stubs of tools that the test has started itself, behind its token check."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from inner_runs import Run
from stub_forms import API, BASE, FORMS, NOT_NESTED, PATH, STUBBED, Form, Stub
from token_requests import ask, bearer

from pytest_optum_auth import FakeOptum

pytestmark = pytest.mark.usefixtures("nothing_leaves", "genuine")
Headers = dict[str, str]
Asking = Callable[[FakeOptum, Stub], None]
Order = Callable[[Form, Asking], None]


@pytest.fixture
def tool(name: str) -> str:
    return name.partition(",")[0]


@pytest.fixture
def form(name: str) -> Form:
    return FORMS[name]


def theirs_first(form: Form, body: Asking) -> None:
    def within(stub: Stub) -> None:
        with FakeOptum() as fake:
            body(fake, stub)

    form(within)


def ours_first(form: Form, body: Asking) -> None:
    with FakeOptum() as fake:
        form(lambda stub: body(fake, stub))


def between_two_of_theirs(form: Form, body: Asking) -> None:
    def within(outer: Stub) -> None:
        # By their own rules the inner one answers, or the outer one.
        def calls(inner: Stub) -> int:
            return inner.calls() + (outer.calls() if outer.mock is not inner.mock else 0)

        ours_first(form, lambda fake, inner: body(fake, replace(inner, calls=lambda: calls(inner))))

    form(within)


ORDERS: list[Order] = [theirs_first, ours_first, between_two_of_theirs]
IN_EVERY_ORDER = pytest.mark.parametrize(
    ("name", "order"),
    [
        pytest.param(name, order, id=f"{name}, {order.__name__}")
        for name in FORMS
        for order in ORDERS
        if name not in NOT_NESTED or order is not between_two_of_theirs
    ],
)


def none(fake: FakeOptum) -> Headers:
    return {}


def expired(fake: FakeOptum) -> Headers:
    return {"Authorization": f"Bearer {fake.issue_token(expires_in=0)}"}


def revoked(fake: FakeOptum) -> Headers:
    headers = bearer(fake)
    fake.revoke()
    return headers


def unknown(fake: FakeOptum) -> Headers:
    return bearer(FakeOptum())


@IN_EVERY_ORDER
def test_a_good_token_comes_to_the_stub(form: Form, tool: str, order: Order) -> None:
    def body(fake: FakeOptum, stub: Stub) -> None:
        assert ask(stub.send, fake).status == 200
        answer = stub.send("GET", API, headers=bearer(fake))

        assert (answer.status, answer.content, stub.calls()) == (200, STUBBED, 1)
        [exchange] = fake.api_requests
        assert (exchange.status, exchange.outcome) == (
            200,
            f"token #2 accepted, answered by {tool}",
        )
        assert ask(stub.send, fake).status == 200

    order(form, body)


@IN_EVERY_ORDER
@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        (none, "refused: no bearer token"),
        (expired, "token #1 expired"),
        (revoked, "token #1 was revoked"),
        (unknown, "refused: the token is unknown (kept from another test?)"),
    ],
)
def test_no_other_token_does(
    form: Form,
    tool: str,
    order: Order,
    token: Callable[[FakeOptum], Headers],
    outcome: str,
) -> None:
    def body(fake: FakeOptum, stub: Stub) -> None:
        answer = stub.send("GET", API, headers=token(fake))

        assert (answer.status, stub.calls()) == (401, 0)
        assert answer.json()["failureReason"] == "InvalidToken"
        [exchange] = fake.api_requests
        assert (exchange.status, exchange.outcome[: len(outcome)]) == (401, outcome)

    order(form, body)


FIXTURES = """
import asyncio
import httpx, pytest, requests
from pytest_optum_auth import FakeOptum

API = "{api}"

def get(headers):
    return requests.get(API, headers=headers)

def httpx_get(headers):
    return httpx.get(API, headers=headers)

def httpx_get_async(headers):
    async def go():
        async with httpx.AsyncClient() as client:
            return await client.get(API, headers=headers)
    return asyncio.run(go())

@pytest.fixture
def of_requests_mock(requests_mock):
    return requests_mock.get(API, text="stubbed"), "requests-mock"

@pytest.fixture
def of_respx(respx_mock):
    return respx_mock.get(API).respond(text="stubbed"), "respx"

@pytest.fixture
def of_pytest_httpx(httpx_mock):
    class Stub:
        @property
        def call_count(self):
            return len(httpx_mock.get_requests(url=API))
    httpx_mock.add_response(url=API, text="stubbed")
    return Stub(), "pytest-httpx"

def check(fake, stub, tool, get):
    assert get({{}}).status_code == 401
    dead = fake.issue_token(expires_in=0)
    assert get({{"Authorization": f"Bearer {{dead}}"}}).status_code == 401
    revoked = fake.issue_token()
    fake.revoke()
    assert get({{"Authorization": f"Bearer {{revoked}}"}}).status_code == 401
    assert stub.call_count == 0
    good = {{"Authorization": f"Bearer {{fake.issue_token()}}"}}
    assert get(good).text == "stubbed"
    assert stub.call_count == 1
    assert fake.api_requests[-1].outcome == f"token #3 accepted, answered by {{tool}}"
    assert [exchange.status for exchange in fake.api_requests] == [401, 401, 401, 200]

def test_requests_mock_first(of_requests_mock, optum_auth):
    check(optum_auth, *of_requests_mock, get)

def test_requests_mock_second(optum_auth, of_requests_mock):
    check(optum_auth, *of_requests_mock, get)

@pytest.mark.parametrize("get", [httpx_get, httpx_get_async])
def test_respx_first(of_respx, optum_auth, get):
    check(optum_auth, *of_respx, get)

@pytest.mark.parametrize("get", [httpx_get, httpx_get_async])
def test_respx_second(optum_auth, of_respx, get):
    check(optum_auth, *of_respx, get)

@pytest.mark.respx(base_url="{base}", using="httpx")
def test_respx_with_its_marker(optum_auth, respx_mock):
    check(optum_auth, respx_mock.get("{path}").respond(text="stubbed"), "respx", httpx_get)

@pytest.mark.parametrize("get", [httpx_get, httpx_get_async])
def test_pytest_httpx_first(of_pytest_httpx, optum_auth, get):
    check(optum_auth, *of_pytest_httpx, get)

@pytest.mark.parametrize("get", [httpx_get, httpx_get_async])
def test_pytest_httpx_second(optum_auth, of_pytest_httpx, get):
    check(optum_auth, *of_pytest_httpx, get)

@pytest.mark.optum_auth(strict=False)
@pytest.mark.httpx_mock(should_mock=lambda request: False)
@pytest.mark.parametrize("get", [httpx_get, httpx_get_async])
def test_pytest_httpx_lets_it_through(httpx_mock, optum_auth, get):
    with pytest.raises(httpx.ConnectError, match="no protect"):
        get({{"Authorization": f"Bearer {{optum_auth.issue_token()}}"}})
    assert "no protect" in optum_auth.problems()

@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
def test_pytest_httpx_has_no_stub(optum_auth, httpx_mock):
    with pytest.raises(httpx.TimeoutException, match="No response can be found"):
        httpx_get({{"Authorization": f"Bearer {{optum_auth.issue_token()}}"}})
    assert optum_auth.api_requests[0].outcome.endswith(", no stub of pytest-httpx matched")
"""


def test_fixtures_and_markers_of_the_tools(run: Run) -> None:
    plugins = ["-p", "respx", "-p", "pytest_httpx", "-p", "requests_mock.contrib._pytest_plugin"]

    result = run(FIXTURES.format(api=API, base=BASE, path=PATH), *plugins)

    result.assert_outcomes(passed=14)


BEFORE_OURS = """
import asyncio, os, sys
import aiohttp, httpx, pytest, requests, requests_mock, responses, respx
from aioresponses import aioresponses
from pytest_httpx import httpx_mock

API = "https://sandbox-apigw.optum.com/claims"

def aiohttp_get(url, headers):
    async def go():
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
            answer.status_code = answer.status
            return answer
    return asyncio.run(go())

def with_responses():
    responses.start()
    responses.get(API)
    return requests.get

def with_requests_mock():
    mock = requests_mock.Mocker()
    mock.start()
    mock.get(API)
    return requests.get

def with_respx(using):
    router = respx.mock(using=using)
    router.start()
    router.get(API)
    return httpx.get

def with_pytest_httpx():
    genuine = httpx.HTTPTransport.handle_request
    class Request:
        class node:
            iter_markers = lambda name: []
    fixture = getattr(httpx_mock, "_get_wrapped_function", lambda: httpx_mock.__wrapped__)()
    global kept
    kept = fixture(pytest.MonkeyPatch(), Request)
    next(kept).add_response(url=API)
    assert httpx.HTTPTransport.handle_request is not genuine
    return httpx.get

def with_aioresponses():
    mock = aioresponses()
    mock.start()
    mock.get(API, exception=aiohttp.ClientError())
    return aiohttp_get

def look(tool, start):
    get = start()
    assert "pytest_optum_auth" not in sys.modules
    from pytest_optum_auth import FakeOptum
    with FakeOptum() as fake:
        assert get(API, headers={}).status_code == 401
        try:
            get(API, headers={"Authorization": f"Bearer {fake.issue_token()}"})
        except aiohttp.ClientError:
            pass
        assert requests.post(fake.token_url).status_code == 415
    print(tool, "-", fake.api_requests[-1].outcome, flush=True)

for tool, start in {
    "responses": with_responses,
    "requests-mock": with_requests_mock,
    "respx": lambda: with_respx("httpcore"),
    "respx of httpx": lambda: with_respx("httpx"),
    "pytest-httpx": with_pytest_httpx,
    "aioresponses": with_aioresponses,
}.items():
    # Each in a process that has never heard of us.
    child = os.fork()
    if not child:
        look(tool, start)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_tools_that_started_before_our_modules_were_loaded(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", BEFORE_OURS]

    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert (ran.stdout.splitlines(), ran.stderr) == (
        [
            "responses - token #1 accepted, answered by responses",
            "requests-mock - token #1 accepted, answered by requests-mock",
            "respx - token #1 accepted, answered by respx",
            "respx of httpx - token #1 accepted, answered by respx",
            "pytest-httpx - token #1 accepted, answered by pytest-httpx",
            "aioresponses - token #1 accepted, raised by aioresponses",
        ],
        "",
    )
