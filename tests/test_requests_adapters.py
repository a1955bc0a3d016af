"""Adapters that a user mounts, and tools around urllib3: they run, and the gateway answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import urllib3
from loopback_servers import answering
from requests.adapters import HTTPAdapter
from token_requests import API, fields
from urllib3.connectionpool import HTTPConnectionPool

from pytest_optum_auth import FakeOptum, faults


class OwnPool(HTTPAdapter):
    """As requests told people to follow its change of 2.32."""

    def get_connection(self, url: Any, proxies: Any = None) -> Any:
        return self.poolmanager.connection_from_url(url)

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        return self.get_connection(request.url, proxies)


class SocketOptions(HTTPAdapter):
    """Changes the pool that the genuine method gives."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.conn_kw["socket_options"] = []
        return pool


class PoolsByHost(HTTPAdapter):
    """Reads what the pool says of itself."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        assert (pool.scheme, pool.host, pool.port) == ("https", "sandbox-apigw.optum.com", 443)
        assert isinstance(pool, urllib3.HTTPSConnectionPool)
        return pool


class OwnPoolClass(HTTPAdapter):
    """Brings pools of a class of its own, which have a default for retries."""

    class Pool(urllib3.HTTPSConnectionPool):
        def urlopen(
            self,
            method: str,
            url: str,
            body: Any = None,
            headers: Any = None,
            retries: Any = None,
            **options: Any,
        ) -> Any:
            return super().urlopen(method, url, body, headers, retries, **options)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": self.Pool}


class OnePool(HTTPAdapter):
    """Has one pool, and never those of requests."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        self.pool = urllib3.HTTPSConnectionPool("sandbox-apigw.optum.com")

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        return self.pool

    def close(self) -> None:
        self.pool.close()


@pytest.fixture(params=[OwnPool, SocketOptions, PoolsByHost, OwnPoolClass, OnePool])
def session(request: pytest.FixtureRequest) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount("https://", request.param())
        yield session


def test_an_adapter_of_the_user_reaches_the_gateway(
    session: requests.Session, optum_auth: FakeOptum
) -> None:
    api = optum_auth.protect("GET", "/oihub/claim/inquiry/v1", json={"claims": 2})
    answer = session.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    assert session.get(API, headers=bearer, timeout=5).json() == {"claims": 2}
    assert [exchange.url for exchange in optum_auth.exchanges] == [optum_auth.token_url, API]
    assert len(api.requests) == 1


def test_an_adapter_of_the_user_meets_faults(
    session: requests.Session, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.connect_error())

    with pytest.raises(requests.ConnectionError):
        session.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)


def by_name(beneath: Callable[..., Any]) -> Callable[..., Any]:
    """A tool around urlopen, with the signature by which requests calls it."""

    def urlopen(
        pool: Any, method: Any, url: Any, body: Any = None, headers: Any = None, **options: Any
    ) -> Any:
        return beneath(pool, method, url, body=body, headers=headers, **options)

    return urlopen


def by_place(beneath: Callable[..., Any]) -> Callable[..., Any]:
    """A tool around urlopen that hands the retries on by their place."""

    def urlopen(
        pool: Any,
        method: Any,
        url: Any,
        body: Any = None,
        headers: Any = None,
        retries: Any = None,
        **options: Any,
    ) -> Any:
        return beneath(pool, method, url, body, headers, retries, **options)

    return urlopen


@pytest.mark.parametrize("tool", [by_name, by_place])
@pytest.mark.parametrize("fault", [None, faults.connect_error(), faults.server_error()], ids=repr)
def test_a_tool_around_urlopen_lets_faults_and_retries_act(
    tool: Callable[..., Any],
    fault: Any,
    optum_auth: FakeOptum,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HTTPConnectionPool, "urlopen", tool(HTTPConnectionPool.urlopen))
    if fault is not None:
        optum_auth.inject(fault)
    retry = urllib3.Retry(1, status_forcelist=[500], allowed_methods=None)

    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=retry))
        answer = session.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)
        with answering(b"theirs") as url:
            assert session.get(url).content == b"theirs"

    assert answer.status_code == 200
    assert len(optum_auth.token_requests) == (1 if fault is None else 2)


def test_a_tool_around_urlopen_has_what_goes_to_other_hosts(
    optum_auth: FakeOptum, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def urlopen(pool: HTTPConnectionPool, *_: Any, **__: Any) -> Any:
        seen.append(pool.host)
        raise urllib3.exceptions.ProtocolError("theirs")

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", urlopen)
    with pytest.raises(requests.ConnectionError, match="theirs"):
        requests.get("https://example.com/", timeout=5)
    with pytest.raises(urllib3.exceptions.ProtocolError, match="theirs"):
        urllib3.PoolManager().request("GET", API)
    answer = requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)

    assert answer.status_code == 200
    assert seen == ["example.com", "sandbox-apigw.optum.com"]


@pytest.mark.parametrize("raises", [True, False])
def test_tries_that_run_out_end_as_the_users_retry_says(
    raises: bool, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.server_error(), times=2)
    retry = urllib3.Retry(1, status_forcelist=[500], allowed_methods=None, raise_on_status=raises)

    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=retry))
        with pytest.raises(requests.exceptions.RetryError) if raises else contextlib.nullcontext():
            answer = session.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)
            assert answer.status_code == 500

    assert len(optum_auth.token_requests) == 2


def test_a_body_tells_when_it_has_been_read_as_one_of_http_client_does(
    optum_auth: FakeOptum,
) -> None:
    answer = requests.post(optum_auth.token_url, data={}, stream=True, timeout=5)
    body = answer.raw._fp
    before = (body.fp is None, body.isclosed())
    content = answer.content

    assert before == (False, False)
    assert (body.fp, body.isclosed()) == (None, True)
    assert content


@pytest.mark.parametrize("total", [0.05, None])
def test_a_timeout_of_urllib3_for_all_together_counts(
    total: float | None, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.slow(30 if total else 0.06))
    timeout = urllib3.Timeout(total=total, read=20)

    with pytest.raises(requests.ReadTimeout) if total else contextlib.nullcontext():
        requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=timeout)

    assert len(optum_auth.token_requests) == 1
