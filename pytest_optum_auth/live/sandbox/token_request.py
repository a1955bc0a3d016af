"""The one request that a live run makes by itself: a token, or a sentence why there is none."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import jwt

from ...core import facts
from ...core.clients import Credentials
from . import http as wire
from .http import Answer, LiveError

# A test that gets no answer shows its own line and one sentence, not the way to it.
__tracebackhide__ = True

#: Seconds that the local clock may differ from the server's before it counts as frozen or wrong.
CLOCK_TOLERANCE: Final = 300.0
_HEADERS: Final = {
    "Accept": facts.JSON,
    "Content-Type": facts.FORM,
    "User-Agent": "pytest-optum-auth",
}


class CredentialsRefusedError(LiveError):
    """The sandbox said no to these credentials; asking again could lock the account."""


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token of the sandbox; ``expires_at`` in epoch seconds of the local clock."""

    value: str = field(repr=False)
    expires_at: float


def request_token(token_url: str, credentials: Credentials) -> LiveToken:
    """Ask ``token_url`` for a token, as the documentation page says.

    Raises :class:`~.http.LiveError` when no answer came or the answer is no token, and its
    subclass :class:`CredentialsRefusedError` for 400, 401 and 403; each is one sentence that
    shows neither the secret nor the body.
    """
    client_id, client_secret = credentials
    form = {
        "grant_type": facts.GRANT_TYPE,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    answer = wire.send("POST", token_url, headers=_HEADERS, body=urlencode(form).encode())
    return read_token(urlsplit(token_url).hostname or "", answer, time.time())


def read_token(host: str, answer: Answer, now: float) -> LiveToken:
    """The token in ``answer``, received at ``now`` (epoch seconds); errors as above."""
    check_answer(host, answer)
    document = json_object(answer)
    if document is None:
        raise LiveError(
            f"{host} answered 200 with a body that is not a JSON object: check that "
            "OPTUM_TOKEN_URL is the token endpoint and that no proxy answers in its place."
        )
    _check_clock(host, answer.headers, now)
    value = document.get("access_token")
    if not isinstance(value, str) or not value:
        raise LiveError(
            f"{host} answered 200 without an access_token: check that OPTUM_TOKEN_URL is the "
            "token endpoint."
        )
    return LiveToken(value, now + _lifetime(document.get("expires_in"), value))


def json_object(answer: Answer) -> dict[str, Any] | None:
    """The JSON object in ``answer``; ``None`` when there is none."""
    # Brackets without end are no ValueError.
    with contextlib.suppress(ValueError, RecursionError):
        document = json.loads(answer.body)
        if isinstance(document, dict):
            return document
    return None


def refuses_client(answer: Answer) -> bool:
    """Whether ``answer`` says no to the client, which a server may do by 400 as well.

    RFC 6749 section 5.2 has the codes.
    """
    code = (json_object(answer) or {}).get("error")
    return answer.status == 401 or code in ("invalid_client", "unauthorized_client")


def check_answer(host: str, answer: Answer) -> None:
    """Raise :class:`~.http.LiveError` unless a right request was answered with 200 and no page.

    By 400, 401 and 403 it is a :class:`CredentialsRefusedError`, whatever the body.
    """
    is_told_by_status = 300 <= answer.status < 400 or answer.status == 429 or answer.status >= 500
    if is_page(answer) and not is_told_by_status:
        sentence = (
            f"{host} answered {answer.status} with an HTML page: a proxy, a firewall or a sign-in "
            "page stands in between, check HTTPS_PROXY and OPTUM_TOKEN_URL."
        )
    elif answer.status != 200:
        sentence = _refusal(host, answer)
    else:
        return
    refused = answer.status in (400, 401, 403)
    raise (CredentialsRefusedError if refused else LiveError)(sentence)


def is_from_elsewhere(answer: Answer) -> bool:
    """Whether something before the endpoint answers, or it says that it cannot now."""
    is_redirect = 300 <= answer.status < 400
    is_busy = answer.status in (429, 502, 503, 504)
    return is_redirect or is_busy or (answer.status == 200 and is_page(answer))


def is_page(answer: Answer) -> bool:
    """Whether ``answer`` is for people."""
    is_html = answer.headers.get_content_type() == "text/html"
    return is_html or answer.body.lstrip().startswith(b"<")


def _refusal(host: str, answer: Answer) -> str:
    status = answer.status
    if refuses_client(answer):
        # The published example names the field: "invalid client_secret".
        said = json.dumps(json_object(answer))
        named = [
            variable
            for field_name, variable in (
                ("client_id", facts.ENV_CLIENT_ID),
                ("client_secret", facts.ENV_CLIENT_SECRET),
            )
            if f"invalid {field_name}" in said
        ]
        look_at = " and ".join(named or [facts.ENV_CLIENT_ID, facts.ENV_CLIENT_SECRET])
        return (
            f"{host} refused the credentials ({status}): check {look_at}, credentials of "
            "production or of another organisation are not valid here."
        )
    if status == 403:
        return (
            f"{host} refused the client (403): ask Optum whether it may use this host; a firewall "
            "in between says the same, check HTTPS_PROXY."
        )
    if 300 <= status < 400:
        return (
            f"{host} answered {status}, a redirect, which is never followed with a secret: set "
            "OPTUM_TOKEN_URL to the address of the token endpoint itself."
        )
    if status in (404, 405):
        return f"{host} answered {status}: check the path in OPTUM_TOKEN_URL."
    when = _when(answer.headers)
    if status == 429:
        return f"{host} answered 429: these are too many requests, try again {when}."
    if status >= 500:
        page = ", or a proxy in between (check HTTPS_PROXY)" if is_page(answer) else ""
        return f"{host} answered {status}: the sandbox is down{page}, try again {when}."
    return (
        f"{host} answered {status} to a documented token request: check OPTUM_TOKEN_URL, or run "
        "the contract (pytest --pyargs pytest_optum_auth.contract) to see what changed."
    )


def _when(headers: Message) -> str:
    """What ``Retry-After`` says (RFC 9110 section 10.2.3): seconds, or a date."""
    said = str(headers.get("Retry-After", "")).strip()
    if said.isdecimal():
        return f"in {said} seconds (Retry-After)"
    with contextlib.suppress(TypeError, ValueError):
        return f"after {_date(said):%Y-%m-%d %H:%M:%S %Z} (Retry-After)"
    return "later"


def _date(said: str) -> datetime:
    date = parsedate_to_datetime(said)
    # -0000 as well: RFC 9110 section 5.6.7 knows no other zone.
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


def _check_clock(host: str, headers: Message, now: float) -> None:
    with contextlib.suppress(TypeError, ValueError):
        apart = now - _date(headers.get("Date", "")).timestamp()
        if abs(apart) <= CLOCK_TOLERANCE:
            return
        raise LiveError(
            f"The clock here is {abs(apart):.0f} seconds {'ahead of' if apart > 0 else 'behind'} "
            f"that of {host}: a live test needs the real time, take the frozen clock out of it or "
            "set the clock of this machine."
        )


def _lifetime(expires_in: object, value: str) -> float:
    """Seconds for which the token is surely good: the shortest of what it and the answer say.

    0 when neither says anything usable, so that the token is used once.
    """
    known = []
    with contextlib.suppress(TypeError, ValueError):
        known.append(float(str(expires_in)))
    with contextlib.suppress(jwt.InvalidTokenError, TypeError, KeyError):
        claims = jwt.decode(value, options={"verify_signature": False})
        # The difference of two instants of the server, so that a skewed clock does not count.
        known.append(float(claims["exp"] - claims["iat"]))
    return min(known, default=0.0)
