"""requests-mock, which stands above the adapters of requests; loaded once a test has loaded it.

What it does not offer publicly stands here, with a test that fails when it changes:
``MockerCore._mock_target``, the session that a mock is for.
"""

from __future__ import annotations

import functools
from types import MethodType
from typing import Any, Final

from requests.adapters import HTTPAdapter
from requests_mock.adapter import Adapter
from requests_mock.mocker import MockerCore

from ..core.active import gateway_for
from ..patching import Interception, Method
from ..stubs.foreign import REQUESTS_MOCK, past
from .requests_sending import LIBRARY, NAME, around_session_send, send_genuinely, session_send

__tracebackhide__ = True  # in the traceback of a test


def _around_send(beneath: Method) -> Method:
    def send(adapter: Any, request: Any, **kwargs: Any) -> Any:
        if gateway_for(request.url, NAME) is None:
            return beneath(adapter, request, **kwargs)

        def onward() -> Any:
            # requests-mock has replaced the adapter that the user mounted, and does not tell which.
            answer = send_genuinely(HTTPAdapter(), request, **kwargs)
            # A hook sends again by it.
            answer.connection = adapter
            return answer

        stubbed = functools.partial(beneath, adapter, request, **kwargs)
        return past(REQUESTS_MOCK, request, stubbed, onward, LIBRARY)

    return send


# requests-mock keeps a lock while it sends: what the gateway answers must not wait for that.


def _around_start(beneath: Method) -> Method:
    def start(mocker: Any) -> None:
        beneath(mocker)
        session_send.rise()
        session: Any = mocker._mock_target
        if not isinstance(session, type):
            # The mock of one session; when it stops, it puts back what it has found.
            above = around_session_send(session.send.__func__)
            session.send = MethodType(above, session)

    return start


def _around_stop(beneath: Method) -> Method:
    def stop(mocker: Any) -> None:
        beneath(mocker)
        session_send.rise()

    return stop


#: Where it stands: its adapter, and what starts and stops it.
INTERCEPTIONS: Final = (
    Interception(Adapter, "send", _around_send),
    Interception(MockerCore, "start", _around_start),
    Interception(MockerCore, "stop", _around_stop),
)
