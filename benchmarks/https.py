"""A token request over real HTTPS on loopback, against bare pytest-httpserver.

Client and server share the process, so that its CPU time is that of both. Either client keeps its
connection; pytest-httpserver closes it after each answer.
"""

from __future__ import annotations

import logging
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import requests
import trustme
from pytest_httpserver import HTTPServer

from benchmarks.measure import Figure, compared, cpu_seconds
from pytest_optum_auth import FakeOptum
from pytest_optum_auth.server.served import ServerSession

PATH = "/apip/auth/sntl/v1/token"
ANSWER = {"access_token": "a" * 400, "expires_in": 7200, "token_type": "Bearer"}
CALLS = 20


def measure(rounds: int) -> Iterator[Figure]:
    """The figure of HTTPS."""
    # A line for each request would be measured too.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, FakeOptum(transports=[]) as fake:
        bare, bare_ca = _bare_server(Path(folder))
        try:
            with ServerSession(Path(folder)) as session, session.serving(fake.gateway) as server:
                ours = _Client(server.token_url, server.ca_bundle, *fake.credentials)
                theirs = _Client(bare.url_for(PATH), bare_ca, *fake.credentials)
                yield compared(
                    "token request over HTTPS, keep-alive / bare pytest-httpserver",
                    theirs.seconds,
                    ours.seconds,
                    bound=0.25,
                    rounds=rounds,
                )
        finally:
            bare.stop()


def _bare_server(directory: Path) -> tuple[HTTPServer, str]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    bundle = directory / "bare_ca.pem"
    authority.cert_pem.write_to_path(bundle)
    server = HTTPServer(host="127.0.0.1", port=0, ssl_context=context)
    server.expect_request(PATH, method="POST").respond_with_json(ANSWER)
    server.start()
    return server, str(bundle)


class _Client:
    def __init__(self, url: str, bundle: str, client_id: str, client_secret: str) -> None:
        self._session = requests.Session()
        # What the machine says of proxies and authorities is not the question.
        self._session.trust_env = False
        self._session.verify = bundle
        self._url = url
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }

    def seconds(self) -> float:
        return cpu_seconds(self._fetch, CALLS)

    def _fetch(self) -> None:
        assert self._session.post(self._url, data=self._form).json()["expires_in"] == 7200
