"""An answer as urllib3 hands it to requests, whichever urllib3 is there.

Beneath it lies a response of http.client that has read its head, as beneath one from the network:
so a body that is coded, read bit by bit, past its end or after it was closed is what it is there.

requests reads cookies from urllib3's ``original_response``, which neither promises, and whether
somebody has laid his own body over ours is told by ``_fp`` alone: both stand here and nowhere else,
with a test that fails when they are gone.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import urllib3
from urllib3.util import Retry

from ..core.messages import Response


class _Received(http.client.HTTPResponse):
    """``answer`` to a request with ``method``, as far as its body."""

    def __init__(self, answer: Response, method: str) -> None:
        # Of a socket it takes nothing else.
        socket: Any = SimpleNamespace(makefile=lambda _: io.BytesIO(answer.body))
        super().__init__(socket, method=method)
        self.headers = self.msg = http.client.HTTPMessage()
        for name, value in answer.headers:
            self.headers[name] = value
        self.code = self.status = answer.status
        self.reason = http.client.responses.get(answer.status, "")
        self.version = 11
        self.will_close = False
        self.chunked = False
        length = self.headers.get("content-length", "")
        if method == "HEAD" or answer.status in (204, 304):
            self.length = 0
        elif length.isdecimal():
            self.length = int(length)
        else:
            # As far as the connection goes.
            self.length = None


class Urllib3Response(urllib3.HTTPResponse):
    """``answer`` as it comes back to a request with ``method`` for ``path``.

    ``retries``: what was left of them. The body is here already: who wants all of it at once gets
    it without urllib3's buffers.
    """

    def __init__(
        self,
        answer: Response,
        method: str,
        path: str,
        retries: Retry,
        *,
        decode_content: bool = False,
    ) -> None:
        self._received = _Received(answer, method)
        self._size = len(answer.body)
        self._read_at_once = 0
        fields = self._received.headers
        self._is_plain = "content-encoding" not in fields
        super().__init__(
            body=self._received,
            # urllib3's own kind of headers is at another place in each of its versions.
            headers=answer.headers,  # type: ignore[arg-type]
            status=answer.status,
            version=11,
            reason=self._received.reason,
            preload_content=False,
            decode_content=decode_content,
            # Where there are none, requests need not look for them.
            original_response=self._received if "set-cookie" in fields else None,
            request_method=method,
            request_url=path,
            retries=retries,
        )
        # Before urllib3 2.2.2 it is not told.
        self.version_string = "HTTP/1.1"

    def stream(
        self, amt: int | None = 2**16, decode_content: bool | None = None
    ) -> Generator[bytes, None, None]:
        size, body = self._size, self._received
        if (
            not self._is_plain
            or self._fp is not body
            or body.length != size
            or self.length_remaining not in (None, size)
            or not 0 < size <= (amt or size)
        ):
            yield from super().stream(amt, decode_content)
            return
        self.length_remaining = 0
        self._read_at_once = size
        yield body.read()
        body.close()

    def tell(self) -> int:
        return self._read_at_once or super().tell()
