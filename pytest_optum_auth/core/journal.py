"""What the fake has seen: every exchange, oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, overload
from urllib.parse import parse_qs, urlsplit

from . import facts
from .json_body import parse_json
from .masking import Body, Form, mask_url, shown_path
from .messages import Headers, Request, Response
from .other_tools import ShownAnswer
from .token_request import parse_form
from .tokens import Token

Kind = Literal["token", "api"]
_PATH_WIDTH: Final = 17
# Stands for the token in an answer that is kept; no JSON holds it as it is.
_TOKEN: Final = b"\0"


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """What was answered: ``status``, ``headers`` (any case) and ``body`` (bytes), as sent.

    ``repr`` shows no body.
    """

    status: int
    headers: Headers
    body: bytes


class Exchange:
    """One request and what was answered.

    ``kind`` is ``"token"`` or ``"api"``; ``at`` the moment of the answer (aware UTC, local
    clock); ``transport`` the client library; ``method``, ``url``, ``headers`` (any case), ``body``
    (bytes), ``path``, ``query``, ``json``, ``form`` (the decoded fields; for v2 those of the JSON
    object) tell the request, and ``timeout`` how long the client would have waited for the answer
    (seconds: the read timeout of requests and httpx, the ``total`` of aiohttp or else its
    ``sock_read``; ``None``: for ever, and always over HTTPS, where nobody knows);
    ``status`` and ``response`` (``None``: a network fault answered), ``path_params``, ``outcome``
    (a line for people) and ``token`` (issued or presented) the answer. Credentials in ``url`` are
    masked; ``repr`` shows neither credentials nor tokens.
    """

    __slots__ = (
        "_answer",
        "_parse",
        "accepted",
        "advice",
        "at",
        "body",
        "headers",
        "kind",
        "method",
        "needless",
        "outcome",
        "path_params",
        "timeout",
        "token",
        "transport",
        "url",
    )

    def __init__(
        self,
        kind: Kind,
        request: Request,
        *,
        parse: Callable[[bytes], Iterable[tuple[str, str]]] | None = None,
        path_params: dict[str, str] | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.transport = request.transport
        self.method = request.method
        self.url = mask_url(request.url)
        self.headers: Headers = request.headers
        self.body: bytes = Body(request.body)
        # Fields are parsed again for who asks: keeping them costs more than all the rest.
        self._parse = parse
        self.path_params: dict[str, str] = path_params or {}
        self.timeout = request.timeout
        self.at: dt.datetime
        self._answer: Response | ShownAnswer | None = None
        self.outcome = ""
        # The way out of a refusal; told once in a journal.
        self.advice = ""
        self.token: Token | None = None
        self.needless = False
        # Of an API request: whether its token was good.
        self.accepted = False

    @property
    def form(self) -> dict[str, str]:
        """The decoded fields of the body; of a repeated field the last value."""
        if self._parse is not None:
            return Form(self._parse(self.body))
        media_type = self.headers.field("content-type").partition(";")[0].strip().lower()
        return Form(parse_form(self.body).pairs if media_type == facts.FORM else ())

    @property
    def path(self) -> str:
        """The path of the URL, as it was sent: without host and query."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> dict[str, list[str]]:
        """The decoded fields of the URL's query: of each name every value, in their order."""
        return parse_qs(urlsplit(self.url).query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body parsed as JSON; ``ValueError`` when it is none."""
        try:
            return parse_json(self.body)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the body of {self.request_line} is no JSON: {error}") from None

    @property
    def status(self) -> int | None:
        """The status of the answer; ``None`` when a network fault answered."""
        return None if self._answer is None else self._answer.status

    @property
    def response(self) -> RecordedResponse | None:
        """The answer as it was sent; ``None`` when a network fault answered."""
        sent = self._answer
        if sent is None:
            return None
        body = sent.body
        if self.kind == "token" and self.token is not None:
            body = body.replace(_TOKEN, self.token.value.encode())
        return RecordedResponse(sent.status, Headers(sent.headers), Body(body))

    def end(self, at: dt.datetime, answer: Response | ShownAnswer | None) -> None:
        """The gateway's: what was answered, and when."""
        if answer is not None and self.kind == "token" and self.token is not None:
            # Most of the answer is the token, which is kept already.
            body = answer.body.replace(self.token.value.encode(), _TOKEN)
            answer = Response(answer.status, answer.headers, body)
        self.at = at
        self._answer = answer

    @property
    def request_line(self) -> str:
        """Method and path, for a line for people: of a long path the end, from a slash on."""
        path = shown_path(self.path)
        if len(path) > _PATH_WIDTH:
            end = path[-_PATH_WIDTH + 1 :]
            path = f"…{end[max(0, end.find('/')) :]}"
        return f"{self.method[:10]} {path}"

    def __repr__(self) -> str:
        status = "no answer" if self.status is None else self.status
        return f"<Exchange {self.request_line}: {status}, {self.outcome}>"


class Exchanges(Sequence[Exchange]):
    """The exchanges seen when it was asked for; later ones do not appear in it."""

    __slots__ = ("_seen", "_size")

    def __init__(self, seen: list[Exchange]) -> None:
        # The list only grows: remembering its length is a snapshot that costs nothing.
        self._seen = seen
        self._size = len(seen)

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> list[Exchange]: ...
    def __getitem__(self, index: int | slice) -> Exchange | list[Exchange]:
        if isinstance(index, slice):
            return [self._seen[i] for i in range(*index.indices(self._size))]
        if not -self._size <= index < self._size:
            raise IndexError(f"there is no [{index}] of {self._size} exchanges")
        return self._seen[index % self._size]

    def __iter__(self) -> Iterator[Exchange]:
        return (self._seen[i] for i in range(self._size))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (list, tuple, Exchanges)):
            return list(self) == list(other)
        return NotImplemented

    def __repr__(self) -> str:
        # One line of less than 240 characters, since pytest cuts what is longer.
        shown = [repr(exchange)[10:-1][:66] for exchange in self[:3]]
        if self._size > 3:
            shown.append(f"{self._size - 3} more")
        return f"[{' | '.join(shown)}]"


class Note:
    """Something that happened between exchanges: the clock moved, a token was revoked."""

    __slots__ = ("at", "text")

    def __init__(self, at: dt.datetime, text: str) -> None:
        self.at = at
        self.text = text


class Journal:
    """Exchanges and notes in the order in which they happened; only ever appended to."""

    def __init__(self) -> None:
        self.entries: list[Exchange | Note] = []
        self.exchanges: list[Exchange] = []
        self.token_requests: list[Exchange] = []
        self.api_requests: list[Exchange] = []
        self.needless: list[Exchange] = []
        self._advised: set[str] = set()

    def record(self, exchange: Exchange) -> None:
        """Append an exchange that has been answered."""
        self.entries.append(exchange)
        if exchange.advice and exchange.advice not in self._advised:
            self._advised.add(exchange.advice)
            self.note(exchange.at, exchange.advice)
        self.exchanges.append(exchange)
        if exchange.kind == "token":
            self.token_requests.append(exchange)
        else:
            self.api_requests.append(exchange)
        if exchange.needless:
            self.needless.append(exchange)

    def note(self, at: dt.datetime, text: str) -> None:
        """Append what happened between exchanges."""
        self.entries.append(Note(at, text))
