"""Authlib's authorization server as a stand-in: standard OAuth 2.0, not Optum's dialect of it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import jwt
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Flask, Response
from stand_in import CLIENT_ID, CLIENT_SECRET, TOKEN_PATH
from werkzeug.serving import WSGIRequestHandler, make_server

LIFETIME = 864000


class _Client(ClientMixin):
    """The one client; what is not asked of it here is left out."""

    client_id = CLIENT_ID

    def get_allowed_scope(self, scope: str) -> str:
        return scope if scope == "read" else ""

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_post"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


class _Grant(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)


class _Quiet(WSGIRequestHandler):
    def log(self, *args: Any) -> None:
        """No noise."""


def _jwt(**_: Any) -> str:
    now = int(time.time())
    return jwt.encode({"iat": now, "exp": now + LIFETIME}, CLIENT_SECRET * 2, "HS256")


@contextmanager
def authlib_serving(context: ssl.SSLContext) -> Iterator[str]:
    """Serve it over HTTPS on a free port of localhost; yields the token URL."""
    app = Flask(__name__)
    app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = _jwt
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: _Client() if client_id == CLIENT_ID else None,
        save_token=lambda token, request: None,
    )
    server.register_grant(_Grant)

    @app.post(TOKEN_PATH)
    def token() -> Response:
        response: Response = server.create_token_response()
        return response

    served = make_server("127.0.0.1", 0, app, ssl_context=context, request_handler=_Quiet)
    thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{served.server_port}{TOKEN_PATH}"
    finally:
        served.shutdown()
        thread.join()
        served.server_close()
