"""What a gateway knows: clients, tokens, APIs, faults, holds, and what it has seen."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from . import facts, unexpected
from .addresses import addresses
from .answerers import Stubs
from .clients import ClientRegistry
from .holds import Hold
from .injection import FaultQueue, Injection
from .journal import Journal
from .messages import Request, host_of, netloc_of
from .routes import ApiRoute, RouteTable
from .settings import Settings
from .token_request import PARSERS, ParsedBody
from .tokens import EPOCH, Ledger
from .unexpected import IN_TESTS


class GatewayState:
    """The state of one gateway, safe to be used from many threads.

    ``base_urls`` and ``token_path`` add to the documented hosts and paths; ``ledger``,
    ``journal`` and ``faults`` (those of the token endpoint) may be of another kind than the usual.
    """

    def __init__(
        self,
        settings: Settings,
        base_urls: Sequence[str] = (facts.BASE_URL,),
        token_path: str = facts.TOKEN_PATH,
        *,
        ledger: Ledger | None = None,
        journal: Journal | None = None,
        faults: FaultQueue | None = None,
    ) -> None:
        self.settings = settings
        self.addresses = addresses(tuple(base_urls), token_path)
        self.base_url = self.addresses.base_url
        self.token_url = self.addresses.token_url
        self.hosts = self.addresses.hosts
        self.clients = ClientRegistry()
        self.ledger = Ledger() if ledger is None else ledger
        self.journal = Journal() if journal is None else journal
        self.routes = RouteTable()
        self.faults = FaultQueue(facts.TOKEN_ENDPOINT) if faults is None else faults
        self.api_faults = FaultQueue("an API")
        self._queues = [self.faults, self.api_faults]
        self.holds: list[Hold] = []
        self.not_before = 0
        # Asked in this order where no route answers.
        self.stubs: list[Stubs] = []
        self._unexpected: list[tuple[str, BaseException | None]] = []
        self._told: set[int] = set()
        self._failed = False
        self._last_parsed: tuple[str, bytes, ParsedBody] | None = None
        # What the timeline counts from.
        self.started_at = self.local_now()
        self.protected_by = IN_TESTS
        self.lock: Final = threading.RLock()

    def local_now(self) -> dt.datetime:
        """The time of this machine (aware UTC), as the standard library tells it.

        ``datetime.now`` rather than ``time.time``: freezegun lets the latter through in threads.
        """
        # Plain datetimes: freezegun's own would outlive the freeze.
        return EPOCH + (dt.datetime.now(dt.timezone.utc) - EPOCH)

    def server_now(self) -> dt.datetime:
        """The time on the server's clock (aware UTC)."""
        skew = self.settings.clock_skew
        return self.local_now() + dt.timedelta(seconds=skew) if skew else self.local_now()

    @property
    def api_error_format(self) -> str:
        """How an API writes its errors: no realm answers there, but the gateway."""
        chosen = self.settings.error_format
        return "optum" if chosen == "keycloak" else chosen

    def parse(self, media_type: str, body: bytes) -> ParsedBody:
        """The fields of a token request; most clients send the same body again and again."""
        last = self._last_parsed
        if last is None or last[0] != media_type or last[1] != body:
            last = self._last_parsed = (media_type, body, PARSERS[media_type](body))
        return last[2]

    def add_route(self, route: ApiRoute) -> None:
        """Answer at another path; the earlier route of the same method and path is replaced."""
        with self.lock:
            self.routes.add(route)
            self._queues.append(route.faults)

    def as_addressed(self, request: Request) -> Request:
        """``request`` as a client sends it that is not led to a server on loopback.

        And that writes its host without the dot of the root, and without the port that all use.
        """
        origin = urlsplit(request.url)
        is_own = host_of(request.url) in self.addresses.hosts
        netloc = netloc_of(request.url if is_own else self.base_url)
        if origin.netloc == netloc:
            return request
        return request._replace(url=origin._replace(scheme="https", netloc=netloc).geturl())

    def note(self, text: str) -> None:
        """Write into the journal what happens now between exchanges."""
        with self.lock:
            self.journal.note(self.local_now(), text)

    def unexpected(self, message: str, error: BaseException | None = None) -> None:
        """Remember what the end of the test must complain of; ``error`` has been raised for it."""
        with self.lock:
            self._unexpected.append((message, error))

    def failed_with(self, error: BaseException) -> None:
        """The test has failed with ``error``: its end need not repeat that."""
        with self.lock:
            self._failed = True
            self._unexpected = [entry for entry in self._unexpected if entry[1] is not error]

    def problems(self) -> str:
        """What the end of the test complains of and nobody was told yet; ``""``: nothing.

        Unmet faults, unexpected requests, and stubs that were never asked.
        """
        # Nearly always there is none.
        if not (self.stubs or self._unexpected or any(q.injections for q in self._queues)):
            return ""
        with self.lock:
            unmet = [i for queue in self._queues for i in queue.injections if i.unmet]
            messages = [
                *map(_explain_unmet, unmet),
                *(message for message, _ in self._unexpected),
                *self._never_asked(),
            ]
            for injection in unmet:
                injection.reported = True
            self._unexpected.clear()
        return _each_once(messages)

    def _never_asked(self) -> Iterator[str]:
        # A test that has failed did not come to them.
        for stubs in [] if self._failed else self.stubs:
            for stub in stubs.never_asked():
                if stub.key not in self._told:
                    self._told.add(stub.key)
                    yield unexpected.never_asked(stubs.name, stub, self.addresses.api_hosts)


def _each_once(messages: list[str]) -> str:
    return "\n".join(
        message if count == 1 else f"{count} times: {message}"
        for message, count in Counter(messages).items()
    )


def _explain_unmet(injection: Injection) -> str:
    return (
        f"{injection.fault!r} on {injection.where} was injected {injection.times}x and met "
        f"{injection.hits}x: the test does not test it"
    )
