"""``optum_responses``: stubs written with responses, that answer every client library.

Never started: nothing of requests is replaced. The gateway asks them by ``unbound_on_send()``. What
is private of responses stands here alone, with a test that fails when it is gone:
``RequestsMock._find_match`` and a registry's ``_responses``.
"""

from __future__ import annotations

import copy
import functools
import io
import re
from collections.abc import Callable
from typing import Any, Final

import requests
import responses
import urllib3
from requests.adapters import HTTPAdapter
from responses.registries import FirstMatchRegistry

from ..core.answerers import Mismatch, Stub
from ..core.asking import Ask, Steps
from ..core.messages import Request, Response, host_of
from .network_failures import network_fault

__tracebackhide__ = True  # in the traceback of a test

_NAME: Final = "optum_responses"
_FORM: Final = "application/x-www-form-urlencoded"
_PASSES: Final = "it passes requests through, and nothing leaves the machine"
_Found = tuple[responses.BaseResponse, list[responses.BaseResponse]]


class ResponsesStubs:
    """The stubs of one fake: ``mock`` is what the test writes them with."""

    name = _NAME

    def __init__(self) -> None:
        self.mock = _Mock()
        self._send = self.mock.unbound_on_send()
        self._adapter = HTTPAdapter()

    def find(self, request: Request) -> Callable[[], Steps] | Mismatch:
        """What answers ``request``; no stub is used up yet."""
        if not self.mock.registered():
            return Mismatch()
        prepared = _prepared(request)
        send = functools.partial(
            self._send,
            self._adapter,
            prepared,
            stream=False,
            timeout=request.timeout,
            verify=True,
            cert=None,
            proxies={},
        )
        try:
            send()
        except _Look as look:
            if look.reasons is not None:
                return Mismatch(_NAME, look.reasons)
            prepared.found = look.found
        prepared.only_look = False
        return functools.partial(self._answer, send)

    def _answer(self, send: Callable[[], requests.Response]) -> Steps:
        try:
            answer = yield Ask(send)
        except Exception as error:
            fault = network_fault(error, _NAME)
            if fault is None:
                raise
            raise fault from error
        return _response(answer, self.mock.response_callback is not None)

    def never_asked(self) -> list[Stub]:
        """The stubs that no request has reached, unless the test has said that it does not mind."""
        if not self.mock.assert_all_requests_are_fired:
            return []
        return [
            Stub(_shown(stub), _host(stub), id(stub))
            for stub in self.mock.registered()
            if not stub.call_count
        ]


class _Look(Exception):
    """What the registry would find; ``reasons``: nothing, and why.

    ``found``: the stub, and all that were there, where finding it used none of them up.
    """

    def __init__(
        self, reasons: tuple[tuple[str, str], ...] | None, found: _Found | None = None
    ) -> None:
        super().__init__()
        self.reasons = reasons
        self.found = found


class _Prepared(requests.PreparedRequest):
    """A request; ``only_look``: to see whether a stub would answer it, and no more."""

    only_look = True
    found: _Found | None = None


class _Mock(responses.RequestsMock):
    def _find_match(self, request: Any) -> tuple[responses.BaseResponse | None, list[str]]:
        if not isinstance(request, _Prepared):
            # The test has started it, for other hosts too.
            return super()._find_match(request)
        if not request.only_look:
            stub, looked_at = request.found or (None, None)
            # While they are the same ones, the same one would be found again.
            same = self.registered() == looked_at
            return (stub, []) if same else super()._find_match(request)
        # Finding uses up: a copy. Of whatever kind, since reset() and users replace it.
        registry, stubs = copy.copy(self.get_registry()), list(self.registered())
        registry._responses = list(stubs)
        found, reasons = registry.find(request)
        if found is None:
            raise _Look(tuple(zip(map(_shown, stubs), reasons, strict=False)))
        if found.passthrough:
            raise _Look(((_shown(found), _PASSES),))
        pure = type(registry) is FirstMatchRegistry and registry.registered == stubs
        raise _Look(None, (found, stubs) if pure else None)


def _prepared(request: Request) -> _Prepared:
    """As requests itself would have prepared it."""
    prepared = _Prepared()
    prepared.method = request.method
    prepared.url = request.url
    # requests leaves Host to the connection.
    fields = [(n, value) for n, value in request.headers.as_sent() if n.lower() != "host"]
    prepared.headers = requests.structures.CaseInsensitiveDict(fields)
    body: bytes | str | None = request.body or None
    if body and request.media_type == _FORM:
        body = request.body.decode("utf-8", "replace")
    prepared.body = body
    # Private, and so unknown to the stubs of requests.
    return prepared


def _response(answer: requests.Response, changed: bool) -> Response:
    """``changed``: a callback may have read it, and put something else in its place."""
    raw = answer.raw
    # Of a connection there was none.
    fields = [field for field in raw.headers.items() if field[0].lower() != "connection"]
    if changed:
        fields = [(name, value) for name, value in fields if name.lower() != "content-encoding"]
        return Response(answer.status_code, tuple(fields), answer.content)
    body = raw.read(decode_content=False) or b""
    # Once more, for who reads it among the calls of the mock.
    answer.raw = urllib3.HTTPResponse(
        io.BytesIO(body), raw.headers, raw.status, preload_content=False
    )
    return Response(answer.status_code, tuple(fields), body)


def _shown(stub: responses.BaseResponse) -> str:
    url = stub.url.pattern if isinstance(stub.url, re.Pattern) else stub.url
    return f"{stub.method} {url}"


def _host(stub: responses.BaseResponse) -> str | None:
    """The host that the stub is for; ``None``: a pattern, nobody knows."""
    return None if isinstance(stub.url, re.Pattern) else host_of(stub.url)
