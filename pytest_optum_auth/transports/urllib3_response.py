"""An answer as urllib3 hands it to requests, whichever urllib3 is there.

requests reads cookies from urllib3's ``original_response``, which neither promises: it stands here
and nowhere else, with a test that fails when it is gone.
"""

from __future__ import annotations

import http.client
import io
from email.message import Message

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


def urllib3_response(answer: Response, method: str) -> urllib3.HTTPResponse:
    """``answer`` as it comes back to a request with ``method``."""
    cookies = any(name.lower() == "set-cookie" for name, _ in answer.headers)
    response = urllib3.HTTPResponse(
        body=_Body(answer.body),
        # urllib3's own kind of headers is at another place in each of its versions.
        headers=answer.headers,  # type: ignore[arg-type]
        status=answer.status,
        version=11,
        reason=http.client.responses.get(answer.status),
        preload_content=False,
        # Of the http.client.HTTPResponse that it is typed as, only what _Original has is read.
        original_response=_Original(answer.headers) if cookies else None,  # type: ignore[arg-type]
        request_method=method,
    )
    # Before urllib3 2.2.2 it is not told.
    response.version_string = "HTTP/1.1"
    return response
