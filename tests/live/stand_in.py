"""A small HTTPS server that plays the sandbox as documented, or deviates from it in one way.

Written from the documentation alone, on the standard library: it shares no code with the fake.
"""

from __future__ import annotations

import json
import ssl
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import jwt
import trustme

FORM = "application/x-www-form-urlencoded"
TOKEN_PATH = "/apip/auth/sntl/v1/token"
CLIENT_ID = "stand-in-client"
CLIENT_SECRET = "canary&\"x/y+z='9Qe-%é-7hT2"
SIGNING_KEY = "a key of the stand-in, long enough for HS256"

# Answers to every request, each a status and a JSON value.
_OUTAGES: dict[str, tuple[int, object]] = {
    "down": (503, {}),
    "too many": (429, {}),
    "page": (200, "<html>Please sign in</html>"),
    "redirect": (302, {}),
    "forbidden": (403, {}),
    "wrong fields": (400, {}),
    "wrong media type": (415, {}),
}


def realm_error(code: str, description: str) -> dict[str, str]:
    """The body of a refusal, as a Keycloak realm writes it."""
    return {"error": code, "error_description": description}


class StandIn:
    """What the stand-in knows, and how it deviates (``deviation`` of ``None``: not at all)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.deviation: str | None = None
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self.tokens: list[str] = []
        self.expires_in = 7200
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def token_url(self) -> str:
        return self.base_url + TOKEN_PATH

    @property
    def wrong_secret_tries(self) -> int:
        return sum(
            fields.get("client_id") == [CLIENT_ID]
            and "client_secret" in fields
            and fields["client_secret"] != [CLIENT_SECRET]
            for _, fields in self.requests
        )

    def answer(self, method: str, media_type: str, body: bytes) -> tuple[int, object]:
        """Status and JSON value; the deviations are asked where the rule stands."""
        fields = parse_qs(body.decode(), keep_blank_values=True)
        self.requests.append((method, fields))
        if self.deviation in _OUTAGES:
            return _OUTAGES[self.deviation]
        if self.deviation == "too many after the first" and len(self.requests) > 1:
            return 429, {}
        if self.deviation == "keycloak":
            return self._as_realm(method, fields if media_type == FORM else {})
        if method != "POST":
            return (200, {}) if self.deviation == "get" else self._refuse(405, "MethodNotAllowed")
        if media_type != FORM:
            if self.deviation == "json_body":
                return self._issue()
            return self._refuse(415, "UnsupportedMediaType")
        if any(name not in fields for name in ("grant_type", "client_id", "client_secret")):
            status = 500 if self.deviation == "missing_field" else 400
            return self._refuse(status, "ValidationError")
        if fields["grant_type"] != ["client_credentials"] and self.deviation != "grant_type":
            return self._refuse(400, "ValidationError")
        if fields["client_id"] != [CLIENT_ID]:
            return self._refuse(403 if self.deviation == "unknown_client" else 401, "InvalidClient")
        if fields["client_secret"] != [CLIENT_SECRET]:
            status = 400 if self.deviation == "wrong_secret" else 401
            return self._refuse(status, "InvalidClient")
        if "scope" in fields and self.deviation != "scope":
            return self._refuse(403, "InsufficientScope")
        return self._issue()

    def _as_realm(self, method: str, fields: dict[str, list[str]]) -> tuple[int, object]:
        if method != "POST":
            return 405, {"error": "HTTP 405 Method Not Allowed"}
        if "grant_type" not in fields:
            return 400, realm_error("invalid_request", "Missing form parameter: grant_type")
        if fields["grant_type"] != ["client_credentials"]:
            return 400, realm_error("unsupported_grant_type", "Unsupported grant_type")
        if "client_id" not in fields:
            return 400, realm_error("invalid_client", "Missing client_id parameter")
        refused = "Invalid client or Invalid client credentials"
        if fields["client_id"] != [CLIENT_ID]:
            return 401, realm_error("invalid_client", refused)
        if fields.get("client_secret") != [CLIENT_SECRET]:
            return 401, realm_error("unauthorized_client", refused)
        if "scope" in fields:
            return 400, realm_error("invalid_scope", f"Invalid scopes: {fields['scope'][0]}")
        return self._issue()

    def headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        if self.deviation == "cacheable":
            headers.pop("Cache-Control")
        if str(self.deviation).startswith("too many"):
            headers["Retry-After"] = "7"
        text = self.deviation == "media_type"
        return {"Content-Type": "text/plain" if text else "application/json", **headers}

    def _refuse(self, status: int, reason: str) -> tuple[int, object]:
        if self.deviation == "no_object":
            return status, [reason]
        if self.deviation == "envelope":
            return status, {"error": reason}
        return status, {"status": str(status), "failureReason": reason, "Errors": [reason]}

    def _issue(self) -> tuple[int, object]:
        now = int(time.time())
        lifetime = 3600 if self.deviation == "one_hour" else self.expires_in
        claims = {"iat": now, "exp": now + lifetime, "jti": uuid.uuid4().hex, "sub": CLIENT_ID}
        token = jwt.encode(claims, SIGNING_KEY, "HS256")
        if self.deviation == "opaque":
            token = uuid.uuid4().hex
        self.tokens.append(token)
        document: dict[str, Any] = {
            "access_token": token,
            "expires_in": self.expires_in,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "broker-read-token idp openid email profile",
        }
        if self.deviation == "wrong_key":
            document["expiresIn"] = document.pop("expires_in")
        if self.deviation == "string":
            document["expires_in"] = str(self.expires_in)
        if self.deviation == "token_type":
            document["token_type"] = "mac"
        return 200, document


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up on the handshake is part of the tests."""


def server_context(authority: trustme.CA, *, old_tls: bool = False) -> ssl.SSLContext:
    """TLS for localhost; with ``old_tls`` also below version 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    if old_tls:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("DEFAULT@SECLEVEL=0")
    return context


@contextmanager
def serving(
    authority: trustme.CA, stand_in: StandIn, *, old_tls: bool = False
) -> Iterator[StandIn]:
    """Serve ``stand_in`` on a free port of localhost."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            media_type = self.headers.get("Content-Type", "").partition(";")[0]
            status, document = stand_in.answer(self.command, media_type, body)
            text = document if isinstance(document, str) else json.dumps(document)
            content = text.encode()
            self.send_response(status)
            for name, value in stand_in.headers().items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *args: Any) -> None:
            """No noise."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        # The handshake belongs to the thread of the connection: it must not block the others.
        server.socket = server_context(authority, old_tls=old_tls).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        stand_in.port = server.server_address[1]
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()
