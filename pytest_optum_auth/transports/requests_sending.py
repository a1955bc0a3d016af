"""How requests sends: by the genuine adapter, whose connection pool ends at the gateway.

So retries, backoff, timeouts, exceptions, hooks, redirects and cookies are those of requests and
urllib3 themselves, and the adapters that a user has mounted do their work, with pools of their own.
"""

from __future__ import annotations

import contextvars
import functools
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from ..core.active import gateway_at, gateway_for
from ..core.gateway import Gateway
from ..core.messages import Response
from ..core.other_tools import ShownAnswer
from ..patching import Interception, Lookout, Method
from ..patching.originals import genuine_class
from ..stubs.foreign import Library, passage_of, past, tool_of, tried_again
from .drive import drive
from .requests_shortcut import incoming, is_final
from .urllib3_call import Asked, Call, RaisedByStub
from .urllib3_response import Urllib3Response

__tracebackhide__ = True  # in the traceback of a test

NAME: Final = "requests"
# What requests is sending, and what the gateway has said already: urllib3 alone is no transport.
_sending: Final = contextvars.ContextVar[tuple[Any, Asked | None]]("_sending", default=(None, None))


def _by_requests(
    send: Method, sender: Any, request: Any, *args: Any, asked: Asked | None = None, **kwargs: Any
) -> Any:
    """``send()``, whose connections to a gateway are ours."""
    token = _sending.set((request, asked))
    try:
        return send(sender, request, *args, **kwargs)
    except RaisedByStub as by_stub:
        raised = by_stub.error
    finally:
        _sending.reset(token)
    if isinstance(raised, requests.RequestException):
        raised.request = raised.request or request
    raise raised


def send_genuinely(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
    """What the genuine method makes of the gateway's answer."""
    asked = _asked_already(adapter, request, *args, **kwargs) if _urlopen.is_genuine else None
    if asked is not None and is_final(asked.outcome, adapter.max_retries, request.method):
        how = request.method, request.path_url, adapter.max_retries
        return adapter.build_response(request, Urllib3Response(asked.outcome, *how))
    return _by_requests(_adapter_send.genuine, adapter, request, *args, asked=asked, **kwargs)


def _asked_already(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Asked | None:
    """What the gateway says by the short way; ``None``: it is to be asked by the long one."""
    gateway, short = gateway_for(request.url, NAME), incoming(adapter, request, *args, **kwargs)
    if gateway is None or short is None:
        return None
    passage = passage_of(request)
    try:
        return Asked(drive(gateway.respond(short, passage), short.timeout), passage)
    except Exception as error:
        return Asked(error, passage)


def _around_send(beneath: Method) -> Method:
    tool = tool_of(beneath)

    def send(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        _rise()
        if gateway_for(request.url, NAME) is None:
            return beneath(adapter, request, *args, **kwargs)

        def onward() -> Any:
            return send_genuinely(adapter, request, *args, **kwargs)

        def stubbed() -> Any:
            return beneath(adapter, request, *args, **kwargs)

        asked = tried_again(request) if tool is None else (tool, stubbed)
        return onward() if asked is None else past(asked[0], request, asked[1], onward, LIBRARY)

    return send


def _around_urlopen(beneath: Method) -> Method:
    def urlopen(pool: HTTPConnectionPool, *args: Any, **kwargs: Any) -> Any:
        request, asked = _sending.get()
        gateway = None if request is None else _gateway_of(pool, *args, **kwargs)
        if gateway is None:
            return beneath(pool, *args, **kwargs)
        outcome, passage = (None, passage_of(request)) if asked is None else asked
        return Call(gateway, passage, outcome, pool, *args, **kwargs).answer()

    return urlopen


def _gateway_of(
    pool: HTTPConnectionPool, method: str, url: str, *_: Any, **__: Any
) -> Gateway | None:
    # A plain request under HTTP_PROXY is one to the proxy's pool.
    return gateway_for(url, NAME) if url.startswith("http") else gateway_at(pool.host.lower(), NAME)


def around_session_send(beneath: Method) -> Method:
    tool = tool_of(beneath)

    def send(session: requests.Session, request: Any, **kwargs: Any) -> Any:
        _rise()
        if tool is None or gateway_for(request.url, NAME) is None:
            # An adapter of the user's own may call `HTTPAdapter.send(self, request)`.
            return _by_requests(beneath, session, request, **kwargs)
        onward = functools.partial(_by_requests, session_send.genuine, session, request, **kwargs)
        stubbed = functools.partial(beneath, session, request, **kwargs)
        # By its connection, which follows no redirects.
        again = functools.partial(beneath, session, **kwargs | {"allow_redirects": False})
        return past(tool, request, stubbed, onward, LIBRARY, again)

    return send


def _shown(answer: requests.Response) -> ShownAnswer:
    """For the journal; of an answer that was redirected the first one."""
    first = answer.history[0] if answer.history else answer
    return ShownAnswer(first.status_code, first.headers.items(), functools.partial(_content, first))


def _content(answer: requests.Response) -> bytes:
    try:
        return answer.content or b""
    except RuntimeError:  # taken from the stream
        return b""


def _read(answer: requests.Response) -> Response:
    return Response(answer.status_code, tuple(answer.headers.items()), answer.content)


LIBRARY: Final = Library(_shown, _read)
_Adapter: Final = genuine_class(HTTPAdapter, "requests")
_Session: Final = genuine_class(requests.Session, "requests")
_adapter_send: Final = Interception(_Adapter, "send", _around_send, comes_back=True)
_urlopen: Final = Interception(
    genuine_class(HTTPConnectionPool, "urllib3"), "urlopen", _around_urlopen
)
session_send: Final = Interception(_Session, "send", around_session_send, comes_back=True)


def _rise() -> None:
    """Lie on top again, whoever has come since."""
    for interception in (_urlopen, _adapter_send, session_send):
        interception.rise()


#: What stands in requests and urllib3, the innermost first.
INTERCEPTIONS: Final = (
    _urlopen,
    _adapter_send,
    session_send,
    # A tracer above us may call the genuine method, which it was shown, and so pass us by. Then
    # this alone lets us rise above a mock that has started since.
    Lookout(genuine_class(requests.PreparedRequest, "requests"), "__init__", _rise),
)
