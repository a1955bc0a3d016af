"""A client that keeps every promise, and for each promise one that breaks it and no other.

Each is written once, as a generator that asks for what a client does: send, take a lock, sleep. A
:class:`Library` does that with requests, httpx or aiohttp, in threads or in coroutines.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import jwt
import pytest
import requests
import urllib3
from transports_under_test import TLS, Answer

from pytest_optum_auth import ClientCheck, Clock, FakeOptum
from pytest_optum_auth.checks.client_check import BrokenPromise, UnusableCall
from pytest_optum_auth.checks.promises import PROMISES

API = "/oihub/eligibility/v1/pre-service/member"
TIMEOUT = 5.0
# What the libraries raise when a connection breaks.
LOST = (OSError, httpx.HTTPError, aiohttp.ClientError, urllib3.exceptions.HTTPError)


class Refused(Exception):
    """The endpoint or the API answered something that is no success."""


@dataclass(frozen=True)
class Send:
    """One POST of a form, or of nothing."""

    url: str
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = TIMEOUT


class Take:
    """Take the client's lock."""


class Leave:
    """Leave the client's lock."""


@dataclass(frozen=True)
class Sleep:
    """Sleep so many seconds."""

    seconds: float


Wish = Send | Take | Leave | Sleep
Flow = Generator[Wish, Any, Any]


class GoodClient:
    """Keeps every promise."""

    margin = 30

    def __init__(self, fake: FakeOptum) -> None:
        client_id, self.secret = fake.credentials
        self.form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": self.secret,
        }
        self.token_url = fake.token_url
        self.api_url = f"{fake.base_url}{API}"
        self.token: str | None = None
        self.fetched_at = self.replace_at = 0.0

    def call(self) -> Flow:
        token = yield from self.good_token()
        answer = yield from self.ask(token)
        if answer.status == 401 and self.tries_again():
            answer = yield from self.ask((yield from self.good_token(refused=token)))
        succeed(answer)

    def tries_again(self) -> bool:
        return True

    def ask(self, token: str | None) -> Flow:
        return (yield Send(self.api_url, headers={"Authorization": f"Bearer {token}"}))

    def good_token(self, refused: str | None = None) -> Flow:
        yield Take()
        try:
            if self.is_over(refused):
                yield from self.renew()
            return self.token
        finally:
            yield Leave()

    def is_over(self, refused: str | None) -> bool:
        return self.token in (None, refused) or time.time() >= self.replace_at

    def renew(self) -> Flow:
        self.token = None
        self.keep((yield from self.fetch()))

    def fetch(self) -> Flow:
        return (yield Send(self.token_url, form=self.form))

    def keep(self, answer: Answer) -> None:
        succeed(answer)
        told = self.read(answer)
        self.fetched_at = time.time()
        self.replace_at = self.fetched_at + self.life(told) - self.margin
        self.token = self.token_of(told)

    def read(self, answer: Answer) -> dict[str, Any]:
        told: dict[str, Any] = answer.json()
        return told

    def life(self, told: dict[str, Any]) -> int:
        return int(told.get("expires_in", 300))

    def token_of(self, told: dict[str, Any]) -> str:
        token: str = told["access_token"]
        return token


def succeed(answer: Answer) -> None:
    if answer.status >= 400:
        raise Refused(f"status {answer.status}")


class SendsBasicBesideTheForm(GoodClient):
    def fetch(self) -> Flow:
        basic = {"Authorization": "Basic aWQ6c2VjcmV0"}
        return (yield Send(self.token_url, form=self.form, headers=basic))


class TakesATokenForEachJobOfAThread(GoodClient):
    def __init__(self, fake: FakeOptum) -> None:
        super().__init__(fake)
        self.served: list[object] = []

    def call(self) -> Flow:
        if caller() in self.served:
            self.replace_at = 0
        self.served.append(caller())
        yield from super().call()


class RaisesAtTheSecondOfTheEnd(GoodClient):
    end = 0.0

    def is_over(self, refused: str | None) -> bool:
        if time.time() == self.end:
            raise Refused("the token has ended")
        return super().is_over(refused)

    def keep(self, answer: Answer) -> None:
        super().keep(answer)
        self.end = self.replace_at + self.margin


class NeverLooksAtTheTime(GoodClient):
    def is_over(self, refused: str | None) -> bool:
        return self.token in (None, refused)


class TrustsAnOldTokenMoreThanTheApi(GoodClient):
    def tries_again(self) -> bool:
        return time.time() - self.fetched_at < 300


class TrustsAYoungTokenMoreThanTheApi(GoodClient):
    def tries_again(self) -> bool:
        return time.time() - self.fetched_at > 300


class NeverGivesUp(GoodClient):
    def call(self) -> Flow:
        token = yield from self.good_token()
        while (answer := (yield from self.ask(token))).status == 401:
            token = yield from self.good_token(refused=token)
        succeed(answer)


class TriesItsSecretThreeTimes(GoodClient):
    def fetch(self) -> Flow:
        answer = yield from super().fetch()
        for _ in range(2):
            if answer.status == 401 and not self.fetched_at:
                answer = yield from super().fetch()
        return answer


class KeepsAnOutage(GoodClient):
    outage = ""

    def keep(self, answer: Answer) -> None:
        self.outage = self.outage or f"{answer.status}" * (answer.status == 503)
        if self.outage:
            raise Refused(self.outage)
        super().keep(answer)

    def fetch(self) -> Flow:
        if self.outage:
            raise Refused(self.outage)
        return (yield from super().fetch())


class AsksAgainAtOnce(GoodClient):
    def fetch(self) -> Flow:
        answer = yield from super().fetch()
        return (yield from super().fetch()) if answer.status == 429 else answer


class TakesAPageForAToken(GoodClient):
    def read(self, answer: Answer) -> dict[str, Any]:
        page = answer.content.decode()
        return json.loads(page) if page.startswith("{") else {"access_token": page}


class SendsBearerNone(GoodClient):
    def token_of(self, told: dict[str, Any]) -> str:
        return str(told.get("access_token"))


class NeedsExpiresIn(GoodClient):
    def life(self, told: dict[str, Any]) -> int:
        return int(told["expires_in"])


class NeedsANumber(GoodClient):
    def life(self, told: dict[str, Any]) -> int:
        life: int = told.get("expires_in", 300) + 0
        return life


class NeedsACapitalBearer(GoodClient):
    def read(self, answer: Answer) -> dict[str, Any]:
        told = super().read(answer)
        if told["token_type"] != "Bearer":
            raise Refused("not a bearer token")
        return told


class DiesWithItsConnection(GoodClient):
    is_dead = False

    def fetch(self) -> Flow:
        if self.is_dead:
            raise Refused("no connection")
        try:
            return (yield from super().fetch())
        except LOST:
            self.is_dead = True
            raise


class WaitsForEver(GoodClient):
    def ask(self, token: str | None) -> Flow:
        bearer = {"Authorization": f"Bearer {token}"}
        return (yield Send(self.api_url, headers=bearer, timeout=None))


class HasNoLock(GoodClient):
    def good_token(self, refused: str | None = None) -> Flow:
        if self.is_over(refused):
            self.keep((yield from self.fetch()))
        return self.token


class GoesOnWithItsOldToken(GoodClient):
    def renew(self) -> Flow:
        answer = yield from self.fetch()
        if answer.status != 401 or self.token is None:
            self.token = None
            self.keep(answer)


class LogsItsForm(GoodClient):
    def fetch(self) -> Flow:
        logging.getLogger("eligibility").debug("POST %s", dict(self.form))
        return (yield from super().fetch())


# Others keep them in another way.


class SleepsAsLongAsRetryAfterSays(GoodClient):
    def fetch(self) -> Flow:
        answer = yield from super().fetch()
        if answer.status == 429:
            yield Sleep(int(answer.headers["Retry-After"]))
            answer = yield from super().fetch()
        return answer


class TriesThroughAnOutage(GoodClient):
    def fetch(self) -> Flow:
        for pause in (1, 5, 20):
            try:
                answer = yield from super().fetch()
            except LOST:
                answer = None
            if answer and answer.status < 500:
                return answer
            yield Sleep(pause)
        return (yield from super().fetch())


class ReplacesAtTheVeryEnd(GoodClient):
    margin = 0


class ReadsTheEndInTheToken(GoodClient):
    def is_over(self, refused: str | None) -> bool:
        if self.token in (None, refused):
            return True
        claims = jwt.decode(self.token, options={"verify_signature": False})
        return time.time() >= claims["exp"]


class WaitsUntilSomebodyElseHasFetched(GoodClient):
    is_fetching = False

    def good_token(self, refused: str | None = None) -> Flow:
        while self.is_fetching:
            yield Sleep(0.01)
        if self.is_over(refused):
            self.is_fetching = True
            try:
                yield from self.renew()
            finally:
                self.is_fetching = False
        return self.token


class FetchesWhenItIsMade(GoodClient):
    def __init__(self, fake: FakeOptum) -> None:
        super().__init__(fake)
        self.keep(post_with_requests(Send(self.token_url, form=self.form)))


KEEPING: list[type[GoodClient]] = [
    SleepsAsLongAsRetryAfterSays,
    TriesThroughAnOutage,
    ReplacesAtTheVeryEnd,
    ReadsTheEndInTheToken,
    WaitsUntilSomebodyElseHasFetched,
    FetchesWhenItIsMade,
]

# Of each promise who breaks it, and no other.
BREAKING: dict[str, type[GoodClient]] = {
    "documented-request": SendsBasicBesideTheForm,
    "reuses-token": TakesATokenForEachJobOfAThread,
    "renews-expired-token": RaisesAtTheSecondOfTheEnd,
    "renews-in-time": NeverLooksAtTheTime,
    "survives-early-death": TrustsAnOldTokenMoreThanTheApi,
    "survives-revocation": TrustsAYoungTokenMoreThanTheApi,
    "no-endless-401": NeverGivesUp,
    "wrong-secret": TriesItsSecretThreeTimes,
    "outage-is-not-cached": KeepsAnOutage,
    "rate-limit": AsksAgainAtOnce,
    "html-success": TakesAPageForAToken,
    "no-access-token": SendsBearerNone,
    "no-expires-in": NeedsExpiresIn,
    "string-expires-in": NeedsANumber,
    "lower-case-bearer": NeedsACapitalBearer,
    "connection-lost": DiesWithItsConnection,
    "sets-timeout": WaitsForEver,
    "single-flight": HasNoLock,
    "rotated-secret-is-told": GoesOnWithItsOldToken,
    "keeps-secrets": LogsItsForm,
}


def caller() -> object:
    """The task that asks, or else the thread."""
    try:
        return asyncio.current_task() or threading.current_thread()
    except RuntimeError:
        return threading.current_thread()


def in_threads(client: GoodClient, post: Callable[[Send], Answer]) -> Callable[[], object]:
    """The call of ``client`` for threads, sent with ``post``."""
    lock = threading.Lock()

    def act(wish: Wish) -> object:
        if isinstance(wish, Send):
            return post(wish)
        if isinstance(wish, Sleep):
            return time.sleep(wish.seconds)
        return lock.acquire() if isinstance(wish, Take) else lock.release()

    def call() -> None:
        flow, answer, error = client.call(), None, None
        try:
            while True:
                wish = flow.throw(error) if error is not None else flow.send(answer)
                try:
                    answer, error = act(wish), None
                except BaseException as raised:
                    error = raised
        except StopIteration:
            return

    return call


def in_tasks(
    client: GoodClient,
    post: Callable[[Send], Awaitable[Answer]],
    new_lock: Callable[[], Any] = asyncio.Lock,
) -> Callable[[], Awaitable[object]]:
    """The call of ``client`` for coroutines, sent with ``post``."""
    lock = new_lock()

    async def act(wish: Wish) -> object:
        if isinstance(wish, Send):
            return await post(wish)
        if isinstance(wish, Sleep):
            return await asyncio.sleep(wish.seconds)
        return await lock.acquire() if isinstance(wish, Take) else lock.release()

    async def call() -> None:
        flow, answer, error = client.call(), None, None
        while True:
            try:
                wish = flow.throw(error) if error is not None else flow.send(answer)
            except StopIteration:
                return
            try:
                answer, error = await act(wish), None
            except BaseException as raised:
                error = raised

    return call


def post_with_requests(wish: Send) -> Answer:
    with requests.Session() as session:
        session.trust_env = False
        got = session.post(wish.url, data=wish.form, headers=wish.headers, timeout=wish.timeout)
    return Answer(got.status_code, got.headers, got.content)


def post_with_httpx(wish: Send) -> Answer:
    with httpx.Client(verify=TLS, trust_env=False, timeout=wish.timeout) as http:
        got = http.post(wish.url, data=wish.form, headers=wish.headers)
    return Answer(got.status_code, got.headers, got.content)


async def post_with_httpx_async(wish: Send) -> Answer:
    async with httpx.AsyncClient(verify=TLS, trust_env=False, timeout=wish.timeout) as http:
        got = await http.post(wish.url, data=wish.form, headers=wish.headers)
    return Answer(got.status_code, got.headers, got.content)


async def post_with_aiohttp(wish: Send) -> Answer:
    limits = aiohttp.ClientTimeout(total=wish.timeout)
    async with (
        aiohttp.ClientSession(timeout=limits) as session,
        session.post(wish.url, data=wish.form, headers=wish.headers) as got,
    ):
        return Answer(got.status, got.headers, await got.read())


POST: dict[str, Callable[[Send], Answer]] = {
    "requests": post_with_requests,
    "httpx": post_with_httpx,
}
POST_ASYNC: dict[str, Callable[[Send], Awaitable[Answer]]] = {
    "httpx-async": post_with_httpx_async,
    "aiohttp": post_with_aiohttp,
}


def told_of(
    promise: str, try_it: Callable[[ClientCheck, FakeOptum], object], **settings: Any
) -> str:
    """What the check of ``promise`` says, in one line."""
    with Clock() as clock, FakeOptum(strict=False, **settings) as fake:
        fake.protect("POST", API, json={"covered": True})
        try:
            try_it(ClientCheck(PROMISES[promise], fake, clock), fake)
        except (BrokenPromise, UnusableCall, pytest.skip.Exception) as verdict:
            return " ".join(str(verdict).split())
    return "kept"


def told(promise: str, make: Callable[[FakeOptum], GoodClient], **settings: object) -> str:
    """What the check says of the client that ``make`` makes: what it did, or the whole."""

    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        check(in_threads(make(fake), post_with_requests))

    said = told_of(promise, try_it, **settings)
    did = re.search(r"\. The client (.*?)\. In production: ", said)
    return said if did is None else did[1]
