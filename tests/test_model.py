"""Any history of clients, tokens, time, faults and revocations, against a model of a few lines."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
)

from pytest_optum_auth import Clock, Credentials, FakeOptum, faults
from pytest_optum_auth.core.messages import Headers, Request
from pytest_optum_auth.transports.drive import drive

FORM = "application/x-www-form-urlencoded"


def ask(fake: FakeOptum, client_id: str, client_secret: str) -> tuple[int, Any]:
    """A token request, without a client library: status and content of the answer."""
    fields = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    headers = Headers([("Content-Type", FORM)])
    request = Request("test", "POST", fake.token_url, headers, urlencode(fields).encode())
    got = drive(fake.gateway.respond(request), timeout=None)
    return got.status, json.loads(got.body)


def call(fake: FakeOptum, token: str) -> int:
    """The status of an API call that presents ``token``."""
    headers = Headers([("Authorization", f"Bearer {token}")])
    request = Request("test", "GET", f"{fake.base_url}/api", headers, b"")
    return drive(fake.gateway.respond(request), timeout=None).status


class Model:
    """The endpoint in twenty lines: seconds, secrets, tokens as (client, end), faults to come."""

    def __init__(self) -> None:
        self.now = 0
        self.secrets: dict[str, str] = {}
        self.tokens: dict[str, tuple[str, int]] = {}
        self.faults: list[int] = []
        self.requests = self.needless = 0

    def ask(self, client: str, secret: str) -> int:
        self.requests += 1
        if self.faults:
            return self.faults.pop(0)
        return 200 if self.secrets.get(client) == secret else 401

    def issue(self, client: str, value: str, life: int) -> None:
        self.needless += any(c == client and end - self.now > 60 for c, end in self.tokens.values())
        self.tokens[value] = (client, self.now + life)

    def call(self, value: str) -> int:
        return 200 if value in self.tokens and self.now < self.tokens[value][1] else 401


class Histories(RuleBasedStateMachine):
    """Each rule does one thing to the fake and to the model, and compares."""

    clients = Bundle("clients")
    tokens = Bundle("tokens")

    @initialize(target=clients, life=st.integers(0, 200))
    def start(self, life: int) -> Credentials:
        self.clock = Clock("2026-01-01T00:00:00Z").__enter__()
        self.fake = FakeOptum(transports=(), lifetime=life)
        self.fake.protect("GET", "/api")
        self.model = Model()
        return self.know(self.fake.credentials)

    def know(self, credentials: Credentials) -> Credentials:
        self.model.secrets[credentials.client_id] = credentials.client_secret
        return credentials

    @rule(target=clients)
    def add_client(self) -> Credentials:
        return self.know(self.fake.add_client())

    @rule(target=clients, client=clients)
    def rotate_secret(self, client: Credentials) -> Credentials:
        return self.know(self.fake.rotate_secret(client.client_id))

    @rule(target=tokens, client=clients)
    def token_request(self, client: Credentials) -> Any:
        expected = self.model.ask(*client)
        status, content = ask(self.fake, *client)
        assert status == expected
        if status != 200:
            return multiple()
        self.model.issue(client.client_id, content["access_token"], self.fake.lifetime or 0)
        return content["access_token"]

    @rule(client=clients)
    def token_request_with_a_wrong_secret(self, client: Credentials) -> None:
        assert ask(self.fake, client.client_id, "wrong")[0] == self.model.ask(
            client.client_id, "wrong"
        )

    @rule(target=tokens, client=clients, life=st.integers(0, 200))
    def seed_a_cache(self, client: Credentials, life: int) -> str:
        token = self.fake.issue_token(client_id=client.client_id, expires_in=life)
        needless = self.model.needless
        self.model.issue(client.client_id, token.value, life)
        self.model.needless = needless
        return token.value

    @rule(seconds=st.integers(0, 150))
    def time_goes_by(self, seconds: int) -> None:
        self.clock.tick(seconds)
        self.model.now += seconds

    @rule(status=st.sampled_from([429, 500, 503]), times=st.integers(1, 3))
    def inject(self, status: int, times: int) -> None:
        self.fake.inject(faults.http_error(status, json={}), times=times)
        self.model.faults += [status] * times

    @rule(token=tokens)
    def revoke(self, token: str) -> None:
        self.fake.revoke(next(t for t in self.fake.tokens if t.value == token))
        self.model.tokens.pop(token, None)

    @rule()
    def revoke_all(self) -> None:
        self.fake.revoke_all()
        self.model.tokens.clear()

    @rule(token=tokens)
    def api_call(self, token: str) -> None:
        assert call(self.fake, token) == self.model.call(token)

    def teardown(self) -> None:
        self.clock.__exit__()
        assert len(self.fake.token_requests) == self.model.requests
        assert len(self.fake.needless_token_requests) == self.model.needless
        assert len({token.value for token in self.fake.tokens}) == len(self.fake.tokens)
        numbers = [token.number for token in self.fake.tokens]
        assert numbers == list(range(1, len(numbers) + 1))


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)

moments = st.datetimes(
    dt.datetime(1970, 1, 1), dt.datetime(2200, 12, 31), timezones=st.just(dt.timezone.utc)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=moments, life=st.integers(1, 100_000), skew=st.integers(-100_000, 100_000))
def test_a_token_is_honoured_until_the_last_microsecond_before_its_exp(
    optum_clock: Clock, moment: dt.datetime, life: int, skew: int
) -> None:
    fake = FakeOptum(transports=(), lifetime=life, clock_skew=skew)
    fake.protect("GET", "/api")
    optum_clock.move_to(moment)
    token = fake.issue_token()
    end = token.expires_at - dt.timedelta(seconds=skew)

    optum_clock.move_to(end - dt.timedelta(microseconds=1))
    before = call(fake, token.value)
    optum_clock.move_to(end)
    after = call(fake, token.value)

    assert (before, after) == (200, 401)
    assert token.claims["exp"] == token.claims["iat"] + life
    assert (
        token.issued_at
        <= moment + dt.timedelta(seconds=skew)
        < token.issued_at + dt.timedelta(seconds=1)
    )
