"""An answer as urllib3 hands it to requests."""

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


def urllib3_response(answer: Response, method: str) -> urllib3.HTTPResponse:
    """``answer`` as it comes back to a request with ``method``."""
    cookies = any(name.lower() == "set-cookie" for name, _ in answer.headers)
    return urllib3.HTTPResponse(
        body=io.BytesIO(answer.body),
        headers=urllib3.HTTPHeaderDict(answer.headers),
        status=answer.status,
        version=11,
        version_string="HTTP/1.1",
        reason=http.client.responses.get(answer.status),
        preload_content=False,
        # Of the http.client.HTTPResponse that it is typed as, only what _Original has is read.
        original_response=_Original(answer.headers) if cookies else None,  # type: ignore[arg-type]
        request_method=method,
    )
