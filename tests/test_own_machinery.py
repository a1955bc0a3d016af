"""What users build around their client library runs: adapters, transports, hooks, auth flows."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Generator, Iterator
from types import ModuleType
from typing import Any, ClassVar

import httpx
import httpx2
import pytest
import requests
from requests.adapters import HTTPAdapter
from token_requests import API, fields
from transports_under_test import TLS, TRANSPORTS

from pytest_optum_auth import ApiRoute, Exchange, FakeOptum

PATH = "/oihub/claim/inquiry/v1"
LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda lib: lib.__name__)


@pytest.fixture
def api(optum_auth: FakeOptum) -> ApiRoute:
    return optum_auth.protect("POST", PATH, json=lambda exchange: list(exchange.body))


@pytest.fixture
def bearer(optum_auth: FakeOptum) -> dict[str, str]:
    return {"Authorization": f"Bearer {optum_auth.issue_token()}"}


# requests


def test_a_mounted_adapter_runs(optum_auth: FakeOptum) -> None:
    class Adapter(HTTPAdapter):
        sent: ClassVar[list[str]] = []

        def send(self, request: Any, **kwargs: Any) -> Any:
            request.headers["X-Adapter"] = "mine"
            self.sent.append(request.url)
            return super().send(request, **kwargs)

        def build_response(self, request: Any, response: Any) -> Any:
            built = super().build_response(request, response)
            built.headers["X-Built"] = "mine"
            return built

    with requests.Session() as session:
        session.mount("https://", Adapter())
        answer = session.post(optum_auth.token_url, data=fields(optum_auth))

    assert answer.status_code == 200
    assert answer.headers["X-Built"] == "mine"
    assert Adapter.sent == [optum_auth.token_url]
    assert optum_auth.exchanges[0].headers["X-Adapter"] == "mine"


def test_an_adapter_that_answers_itself_is_not_asked_past(optum_auth: FakeOptum) -> None:
    class Cached(HTTPAdapter):
        def send(self, request: Any, **_: Any) -> requests.Response:
            response = requests.Response()
            response.status_code = 299
            return response

    with requests.Session() as session:
        session.mount(optum_auth.base_url, Cached())
        answer = session.post(optum_auth.token_url)

    assert answer.status_code == 299
    assert len(optum_auth.exchanges) == 0


def test_hooks_and_auth_of_requests_run(optum_auth: FakeOptum, api: ApiRoute) -> None:
    class Bearer(requests.auth.AuthBase):
        def __call__(self, request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {optum_auth.issue_token()}"
            return request

    seen: list[int] = []

    answer = requests.post(
        API, auth=Bearer(), hooks={"response": lambda r, **_: seen.append(r.status_code)}
    )

    assert (answer.status_code, seen) == (200, [200])


def test_a_hook_may_send_again_after_a_401(
    optum_auth: FakeOptum, api: ApiRoute, bearer: dict[str, str]
) -> None:
    def again(response: Any, **kwargs: Any) -> Any:
        retried = response.request.copy()
        retried.headers.update(bearer)
        return response.connection.send(retried, **kwargs)

    answer = requests.post(API, hooks={"response": again})

    assert answer.status_code == 200
    assert [exchange.status for exchange in api.requests] == [401, 200]


def test_requests_follows_redirects_and_keeps_cookies(
    optum_auth: FakeOptum, bearer: dict[str, str]
) -> None:
    headers = {"Location": "/new", "Set-Cookie": "session=1; Path=/"}
    optum_auth.protect("GET", "/old", status=302, headers=headers)
    new = optum_auth.protect("GET", "/new")

    with requests.Session() as session:
        answer = session.get(f"{optum_auth.base_url}/old", headers=bearer)

    assert (answer.status_code, len(answer.history)) == (200, 1)
    assert session.cookies["session"] == "1"
    assert new.requests[0].headers["Cookie"] == "session=1"


def test_a_prepared_request_is_answered(optum_auth: FakeOptum) -> None:
    request = requests.Request("POST", optum_auth.token_url, data=fields(optum_auth)).prepare()

    with requests.Session() as session:
        assert session.send(request).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"abc", "abc", io.BytesIO(b"abc"), io.StringIO("abc"), ["a", b"bc"], bytearray(b"abc")],
    ids=["bytes", "str", "file", "text-file", "iterable", "bytearray"],
)
def test_requests_sends_any_kind_of_body(body: Any, api: ApiRoute, bearer: dict[str, str]) -> None:
    data = iter(body) if isinstance(body, list) else body

    answer = requests.post(API, data=data, headers=bearer)

    assert answer.json() == [97, 98, 99]
    assert api.requests[0].body == b"abc"


def test_a_file_upload_of_requests_arrives(api: ApiRoute, bearer: dict[str, str]) -> None:
    requests.post(API, files={"file": b"abc"}, headers=bearer)

    assert b'name="file"; filename="file"' in api.requests[0].body


def test_a_response_of_requests_is_what_it_always_is(
    optum_auth: FakeOptum, api: ApiRoute, bearer: dict[str, str]
) -> None:
    answer = requests.post(API, data=b"abc", headers=bearer, stream=True)

    assert (answer.reason, answer.url, answer.ok) == ("OK", API, True)
    assert answer.raw.version == 11
    assert answer.elapsed.total_seconds() >= 0
    assert b"".join(answer.iter_content(3)) == b"[97, 98, 99]"
    assert answer.request.headers["Authorization"] == bearer["Authorization"]
    with pytest.raises(requests.HTTPError, match="401 Client Error: Unauthorized for url"):
        requests.post(API).raise_for_status()


def test_headers_given_as_bytes_arrive(optum_auth: FakeOptum) -> None:
    requests.post(optum_auth.token_url, headers={b"X-Bytes": b"1", "Host": "apigw.optum.com"})

    assert optum_auth.exchanges[0].headers["X-Bytes"] == "1"
    assert optum_auth.exchanges[0].headers["Host"] == "apigw.optum.com"


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_proxy_is_not_asked(
    scheme: str, optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    optum_auth.strict = False
    url = optum_auth.token_url.replace("https", scheme)

    if scheme == "https":
        assert requests.post(url, data=fields(optum_auth)).status_code == 200
    else:
        with pytest.raises(requests.ConnectionError, match="calls to Optum are HTTPS only"):
            requests.post(url, data=fields(optum_auth))

    assert optum_auth.exchanges[0].url == url


@LIBRARIES
def test_nor_does_httpx_ask_one(
    library: ModuleType, optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with library.Client(verify=TLS) as client:
        answer = client.post(optum_auth.token_url, data=fields(optum_auth))

    assert answer.status_code == 200


def test_credentials_of_a_netrc_beside_the_form_are_accepted(
    optum_auth: FakeOptum, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine sandbox-apigw.optum.com login somebody password hush\n")
    monkeypatch.setenv("NETRC", str(netrc))

    assert requests.post(optum_auth.token_url, data=fields(optum_auth)).status_code == 200

    assert optum_auth.exchanges[0].outcome == (
        "issued token #1 (Basic header ignored beside the form fields)"
    )


# httpx and httpx2


def sync_transport(library: ModuleType, seen: list[str]) -> Any:
    class Transport(library.HTTPTransport):
        def handle_request(self, request: Any) -> Any:
            seen.append(request.url.path)
            request.headers["X-Transport"] = "mine"
            return super().handle_request(request)

    return Transport(verify=TLS)


def async_transport(library: ModuleType, seen: list[str]) -> Any:
    class Transport(library.AsyncHTTPTransport):
        async def handle_async_request(self, request: Any) -> Any:
            seen.append(request.url.path)
            request.headers["X-Transport"] = "mine"
            return await super().handle_async_request(request)

    return Transport(verify=TLS)


@LIBRARIES
@pytest.mark.parametrize("place", ["transport", "mounts"])
def test_a_transport_of_ones_own_runs(
    place: str, library: ModuleType, optum_auth: FakeOptum
) -> None:
    seen: list[str] = []
    transport = sync_transport(library, seen)
    chosen = {"transport": transport} if place == "transport" else {"mounts": {"all://": transport}}

    with library.Client(verify=TLS, trust_env=False, **chosen) as client:
        assert client.post(optum_auth.token_url, data=fields(optum_auth)).status_code == 200

    assert seen == ["/apip/auth/sntl/v1/token"]
    assert optum_auth.exchanges[0].headers["X-Transport"] == "mine"


@LIBRARIES
def test_an_async_transport_of_ones_own_runs(library: ModuleType, optum_auth: FakeOptum) -> None:
    seen: list[str] = []

    async def main() -> int:
        async with library.AsyncClient(transport=async_transport(library, seen)) as client:
            answer = await client.post(optum_auth.token_url, data=fields(optum_auth))
            return int(answer.status_code)

    assert asyncio.run(main()) == 200
    assert seen == ["/apip/auth/sntl/v1/token"]


@LIBRARIES
def test_a_transport_that_answers_itself_is_not_asked_past(
    library: ModuleType, optum_auth: FakeOptum
) -> None:
    transport = library.MockTransport(lambda _: library.Response(299))

    with library.Client(transport=transport) as client:
        assert client.post(optum_auth.token_url).status_code == 299

    assert len(optum_auth.exchanges) == 0


@LIBRARIES
def test_event_hooks_run(library: ModuleType, optum_auth: FakeOptum) -> None:
    seen: list[Any] = []
    hooks = {
        "request": [lambda request: seen.append(request.method)],
        "response": [lambda response: seen.append(response.status_code)],
    }

    with library.Client(verify=TLS, event_hooks=hooks) as client:
        client.post(optum_auth.token_url, data=fields(optum_auth))

    assert seen == ["POST", 200]


@LIBRARIES
def test_an_auth_flow_fetches_a_token_and_tries_again(
    library: ModuleType, optum_auth: FakeOptum, api: ApiRoute
) -> None:
    class Flow(library.Auth):
        requires_response_body = True

        def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
            refused = yield request
            assert refused.status_code == 401
            form = fields(optum_auth)
            answer = yield library.Request("POST", optum_auth.token_url, data=form)
            request.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield request

    with library.Client(verify=TLS, auth=Flow()) as client:
        assert client.post(API).status_code == 200

    assert [exchange.kind for exchange in optum_auth.exchanges] == ["api", "token", "api"]


@LIBRARIES
def test_httpx_follows_redirects_and_keeps_cookies(
    library: ModuleType, optum_auth: FakeOptum, bearer: dict[str, str]
) -> None:
    headers = {"Location": "/new", "Set-Cookie": "session=1; Path=/"}
    optum_auth.protect("GET", "/old", status=302, headers=headers)
    new = optum_auth.protect("GET", "/new")

    with library.Client(verify=TLS, follow_redirects=True, headers=bearer) as client:
        answer = client.get(f"{optum_auth.base_url}/old")
        assert client.cookies["session"] == "1"

    assert (answer.status_code, len(answer.history)) == (200, 1)
    assert new.requests[0].headers["Cookie"] == "session=1"


@LIBRARIES
def test_httpx_sends_any_kind_of_body(
    library: ModuleType, api: ApiRoute, bearer: dict[str, str]
) -> None:
    def parts() -> Iterator[bytes]:
        yield b"a"
        yield b"bc"

    with library.Client(verify=TLS, headers=bearer) as client:
        answers = [client.post(API, content=body).json() for body in (b"abc", "abc", parts())]

    assert answers == [[97, 98, 99]] * 3


@LIBRARIES
def test_a_response_of_httpx_is_what_it_always_is(
    library: ModuleType, api: ApiRoute, bearer: dict[str, str]
) -> None:
    with library.Client(verify=TLS) as client:
        with client.stream("POST", API, content=b"abc", headers=bearer) as answer:
            body = b"".join(answer.iter_bytes())

        assert (answer.reason_phrase, answer.http_version, str(answer.url)) == (
            "OK",
            "HTTP/1.1",
            API,
        )
        assert answer.elapsed.total_seconds() >= 0
        assert body == b"[97, 98, 99]"
        with pytest.raises(library.HTTPStatusError, match="401 Unauthorized"):
            client.post(API).raise_for_status()


@LIBRARIES
def test_httpx_tells_how_long_an_answer_took(library: ModuleType, optum_auth: FakeOptum) -> None:
    async def main() -> Any:
        async with library.AsyncClient(verify=TLS) as client:
            return await client.post(optum_auth.token_url, data=fields(optum_auth))

    with library.Client(verify=TLS) as client:
        answers = [client.post(optum_auth.token_url, data=fields(optum_auth)), asyncio.run(main())]

    for answer in answers:
        assert answer.elapsed.total_seconds() >= 0
        assert answer.headers["Content-Length"] == str(len(answer.content))


# An OSError is what requests takes for a failure of the network.
@pytest.mark.parametrize(
    "error", [KeyError("plan"), FileNotFoundError("plan")], ids=lambda error: type(error).__name__
)
def test_a_callable_of_an_api_that_breaks_is_the_users_error(
    error: Exception, optum_auth: FakeOptum, bearer: dict[str, str]
) -> None:
    optum_auth.strict = False

    def broken(_: Exchange) -> object:
        raise error

    optum_auth.protect("GET", "/plans", json=broken)

    with pytest.raises(type(error)) as caught:
        requests.get(f"{optum_auth.base_url}/plans", headers=bearer)

    assert caught.value is error
    name = type(error).__name__
    assert optum_auth.exchanges[0].outcome == f"{name} while the answer was made"
    assert optum_auth.problems() == f"GET /plans: {name}: {error}"


def test_the_https_transport_of_the_suite_says_that_it_wants_a_server() -> None:
    [https] = [transport for transport in TRANSPORTS if transport.name == "https"]

    with pytest.raises(AssertionError, match="when it is served_by"):
        https.send("GET", "https://sandbox-apigw.optum.com/")
