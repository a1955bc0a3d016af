"""``keeps-secrets``: where a secret is found, and where nothing is one."""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from promising_clients import Flow, GoodClient, Refused, in_threads, post_with_requests, told_of

from pytest_optum_auth import ClientCheck, FakeOptum
from pytest_optum_auth.checks.leaks import Listener, shown_of


def told(kind: type[GoodClient]) -> str:
    """Where the client shows a secret."""
    return told_of_call(lambda fake: in_threads(kind(fake), post_with_requests))


def told_of_call(make: Callable[[FakeOptum], Callable[[], object]]) -> str:
    def try_it(check: ClientCheck, fake: FakeOptum) -> None:
        check(make(fake))

    said = told_of("keeps-secrets", try_it)
    where = re.search(r"The client showed its secret or a token in (.*)\. In production", said)
    return said if where is None else where[1]


@pytest.fixture
def apart() -> Iterator[logging.Logger]:
    """A logger that a project has set apart."""
    logger = logging.getLogger("eligibility.apart")
    logger.propagate, logger.disabled = False, True
    logger.setLevel(logging.CRITICAL)
    yield logger
    logger.propagate, logger.disabled = True, False
    logger.setLevel(logging.NOTSET)


def says(say: Callable[[GoodClient], object]) -> type[GoodClient]:
    """A client that says something when it has fetched a token."""

    class Says(GoodClient):
        def call(self) -> Flow:
            yield from super().call()
            say(self)

    return Says


LOG = logging.getLogger("eligibility")


def warn(client: GoodClient) -> None:
    warnings.warn(f"deprecated {client.secret}", FutureWarning, stacklevel=2)


@pytest.mark.parametrize(
    ("say", "where"),
    [
        (lambda c: LOG.debug("%s", c.secret), "a log record of 'eligibility' at DEBUG"),
        (lambda c: LOG.error("%s", c.token), "a log record of 'eligibility' at ERROR"),
        (
            lambda c: LOG.info("fetched", extra={"form": c.form}),
            "a log record of 'eligibility' at INFO",
        ),
        (warn, "a FutureWarning"),
    ],
    ids=["secret", "token", "extra", "warning"],
)
def test_what_a_client_says_is_heard(say: Callable[[GoodClient], object], where: str) -> None:
    assert told(says(say)) == where


def test_a_logger_that_is_set_apart_is_heard_too(apart: logging.Logger) -> None:
    said = told(says(lambda client: apart.debug(client.secret)))

    assert said == "a log record of 'eligibility.apart' at DEBUG"
    assert (apart.propagate, apart.disabled, apart.level) == (False, True, logging.CRITICAL)


def test_logging_that_is_switched_off_is_heard_too() -> None:
    logging.disable(logging.CRITICAL)
    try:
        said = told(says(lambda client: LOG.debug(client.secret)))
        disabled = logging.root.manager.disable
    finally:
        logging.disable(logging.NOTSET)

    assert said == "a log record of 'eligibility' at DEBUG"
    assert disabled == logging.CRITICAL


def test_afterwards_loggers_are_as_before() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), LOG.level, LOG.isEnabledFor(logging.DEBUG))

    assert told(GoodClient) == "kept"

    assert (root.level, list(root.handlers), LOG.level, LOG.isEnabledFor(logging.DEBUG)) == before


@pytest.mark.parametrize(
    "say",
    [
        lambda c: LOG.debug("token %s...", c.token[:40]),
        lambda c: LOG.debug("%s", c.form["client_id"]),
        lambda c: LOG.debug("%d", "no number"),
        lambda c: LOG.debug("hidden %.0s", c.secret),
    ],
    ids=["head of a token", "client_id", "no record at all", "cut away"],
)
def test_what_is_no_secret_may_be_said(say: Callable[[GoodClient], object]) -> None:
    assert told(says(say)) == "kept"


def raises(error: Callable[[GoodClient], Exception]) -> type[GoodClient]:
    class Raises(GoodClient):
        def call(self) -> Flow:
            try:
                yield from super().call()
            except Refused as refused:
                raise error(self) from refused

    return Raises


@pytest.mark.parametrize(
    "error",
    [
        lambda c: LookupError(f"refused: {c.form}"),
        lambda c: LookupError(c.secret.encode("unicode_escape").decode("latin-1")),
    ],
    ids=["form", "escaped"],
)
def test_the_text_of_an_exception_is_read(error: Callable[[GoodClient], Exception]) -> None:
    assert told(raises(error)) == "the text of LookupError"


class ShowsItsSecret(LookupError):
    """Raised by a client in one kind of trouble only."""


class InALongOutage(GoodClient):
    def fetch(self) -> Flow:
        for _ in range(2):
            answer = yield from super().fetch()
            if answer.status != 503:
                return answer
        raise ShowsItsSecret(self.secret)


class WhenItsSecretIsRefused(GoodClient):
    def fetch(self) -> Flow:
        answer = yield from super().fetch()
        if answer.status == 401:
            raise ShowsItsSecret(self.secret)
        return answer


class WhenItsTokenIsRefused(GoodClient):
    def ask(self, token: str | None) -> Flow:
        answer = yield from super().ask(token)
        if answer.status == 401:
            raise ShowsItsSecret(self.secret)
        return answer


def test_the_secret_of_another_registration_is_one_too() -> None:
    class Another(WhenItsTokenIsRefused):
        def __init__(self, fake: FakeOptum) -> None:
            super().__init__(fake)
            client_id, self.secret = fake.add_client()
            self.form |= {"client_id": client_id, "client_secret": self.secret}

    assert told(Another) == "the text of ShowsItsSecret"


@pytest.mark.parametrize("kind", [InALongOutage, WhenItsSecretIsRefused, WhenItsTokenIsRefused])
def test_a_client_is_heard_in_trouble_of_each_kind(kind: type[GoodClient]) -> None:
    assert told(kind) == "the text of ShowsItsSecret"


def test_the_text_of_what_it_was_raised_from_is_read_too() -> None:
    class Raises(GoodClient):
        def call(self) -> Flow:
            try:
                yield from super().call()
            except Refused:
                raise LookupError("no token") from ValueError(self.secret)

    assert told(Raises) == "the text of LookupError"


@dataclass
class Shown:
    """A client whose repr shows what it holds."""

    secret: str
    flow: Callable[[], object]

    def call(self) -> object:
        return self.flow()

    def __call__(self) -> object:
        return self.flow()


class HasNoRepr:
    def __init__(self, flow: Callable[[], object]) -> None:
        self.call = flow

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def shown(fake: FakeOptum) -> Shown:
    client = GoodClient(fake)
    return Shown(client.secret, in_threads(client, post_with_requests))


def closing_over(fake: FakeOptum) -> Callable[[], object]:
    client, of_the_test = shown(fake), fake.credentials.client_secret

    def call() -> object:
        return client.call() if of_the_test else not_assigned_yet

    [not_assigned_yet := None for _ in ()]
    return call


@pytest.mark.parametrize(
    "make",
    [
        lambda fake: shown(fake).call,
        shown,
        closing_over,
        lambda fake: functools.partial(Shown.call, shown(fake)),
        lambda fake: functools.partial(lambda client: client.call(), client=shown(fake)),
    ],
    ids=["bound", "the client itself", "closed over", "partial", "partial by name"],
)
def test_the_repr_of_the_client_is_read(make: Callable[[FakeOptum], Any]) -> None:
    assert told_of_call(make) == "repr(Shown)"


def test_what_the_test_itself_knows_is_not_the_clients() -> None:
    def make(fake: FakeOptum) -> Callable[[], object]:
        secret, call = (
            fake.credentials.client_secret,
            in_threads(GoodClient(fake), post_with_requests),
        )
        return lambda: call() or (secret and fake and None)

    assert told_of_call(make) == "kept"


def test_a_client_without_a_repr_shows_nothing() -> None:
    def make(fake: FakeOptum) -> Callable[[], object]:
        client = HasNoRepr(in_threads(GoodClient(fake), post_with_requests))
        return lambda: client.call()

    assert told_of_call(make) == "kept"


def test_of_many_places_three_are_named() -> None:
    def say(client: GoodClient) -> None:
        for name in ("a", "b", "c", "d", "e"):
            logging.getLogger(name).info(client.secret)

    assert told(says(say)) == (
        "a log record of 'a' at INFO, a log record of 'b' at INFO, a log record of 'c' at INFO "
        "and 2 more"
    )


def test_three_places_are_all_there_are() -> None:
    def say(client: GoodClient) -> None:
        for name in ("a", "b", "c"):
            logging.getLogger(name).info(client.secret)

    assert told(says(say)).endswith("'b' at INFO, a log record of 'c' at INFO")


def test_a_function_that_closes_over_itself_is_gone_through_once() -> None:
    def again() -> object:
        return again

    assert list(shown_of([None], again())) == []


def test_a_listener_that_fails_to_start_leaves_all_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = list(logging.getLogger().handlers)
    monkeypatch.setattr(warnings, "catch_warnings", None)

    with pytest.raises(TypeError):
        Listener().__enter__()

    assert logging.getLogger().handlers == before
