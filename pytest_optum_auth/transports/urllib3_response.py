"""An answer as urllib3 hands it to requests, whichever urllib3 is there.

requests reads cookies from urllib3's ``original_response``, which neither promises, and whether
somebody has laid his own body over ours is told by ``_fp`` alone: both stand here and nowhere else,
with a test that fails when they are gone.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Generator
from email.message import Message
from typing import Any, Final

import urllib3

from ..core.messages import Response


class _Original:
    """The part of a response that requests reads cookies from."""

    def __init__(self, headers: tuple[tuple[str, str], ...]) -> None:
        self.msg = Message()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


class _Body(io.BytesIO):
    """A body that tells its end as one of http.client does: it has no file any more.

    Caches (CacheControl) keep an answer when they see that.
    """

    def isclosed(self) -> bool:
        return self.closed or self.tell() == len(self.getbuffer())

    @property
    def fp(self) -> io.BytesIO | None:
        return None if self.isclosed() else self


# What stands in the way of a body's bytes.
_CODED: Final = frozenset({"content-encoding", "transfer-encoding"})


class Urllib3Response(urllib3.HTTPResponse):
    """``answer`` as it comes back to a request with ``method``.

    It is here already: who wants all of it at once gets it without urllib3's buffers.
    """

    def __init__(self, answer: Response, method: str) -> None:
        names = {name.lower() for name, _ in answer.headers}
        self._whole = _Body(answer.body)
        self._read_at_once = 0
        self._is_plain = names.isdisjoint(_CODED)
        # Of the http.client.HTTPResponse that it is typed as, only what _Original has is read.
        original: Any = _Original(answer.headers) if "set-cookie" in names else None
        super().__init__(
            body=self._whole,
            # urllib3's own kind of headers is at another place in each of its versions.
            headers=answer.headers,  # type: ignore[arg-type]
            status=answer.status,
            version=11,
            reason=http.client.responses.get(answer.status),
            preload_content=False,
            original_response=original,
            request_method=method,
        )
        # Before urllib3 2.2.2 it is not told.
        self.version_string = "HTTP/1.1"

    def stream(
        self, amt: int | None = 2**16, decode_content: bool | None = None
    ) -> Generator[bytes, None, None]:
        size = len(self._whole.getbuffer())
        body: Any = self._fp
        if (
            not self._is_plain
            or body is not self._whole
            or self._whole.tell()
            or self.length_remaining not in (None, size)
            or not 0 < size <= (amt or size)
        ):
            yield from super().stream(amt, decode_content)
            return
        self.length_remaining = 0
        self._read_at_once = size
        yield self._whole.read()

    def tell(self) -> int:
        return self._read_at_once or super().tell()
