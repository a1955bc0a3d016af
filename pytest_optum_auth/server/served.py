"""``Server``: what a test gets of the HTTPS server."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..core.clients import Credentials
from ..core.gateway import Gateway
from ..core.state import GatewayState
from .certificates import LOOPBACK, Certificates
from .listener import Listener


class Server:
    """The fake over real HTTPS on loopback.

    ``base_url`` and ``token_url`` are the fake's, with the loopback address and a port for the
    gateway's host; ``ca_bundle`` is the path of the CA that clients must trust (PEM).
    """

    # Another attribute would change nothing, and the test not test what it says.
    __slots__ = ("_certificates", "_clients", "_context", "base_url", "ca_bundle", "token_url")

    def __init__(self, state: GatewayState, origin: str, certificates: Certificates) -> None:
        self._clients = state.clients
        self._certificates = certificates
        self._context: ssl.SSLContext | None = None
        self.base_url = f"{origin}{urlsplit(state.base_url).path}"
        self.token_url = f"{origin}{urlsplit(state.token_url).path}"
        self.ca_bundle = certificates.ca_bundle

    @property
    def credentials(self) -> Credentials:
        """The default client's credentials, as they are now."""
        return self._clients.default

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """For clients: trusts the server's CA and no other."""
        self._context = self._context or self._certificates.client_context()
        return self._context

    def environment(self) -> dict[str, str]:
        """The variables that lead common clients to the CA, and past a proxy."""
        trust = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        variables = dict.fromkeys(trust, self.ca_bundle)
        for name in ("NO_PROXY", "no_proxy"):
            hosts = [*filter(None, [os.environ.get(name)]), LOOPBACK, "localhost"]
            variables[name] = ",".join(hosts)
        return variables

    # A type checker would take it to mean that every name is there.
    if not TYPE_CHECKING:

        def __getattr__(self, name):
            from ..fake import FakeOptum

            if not name.startswith("_") and hasattr(FakeOptum, name):
                raise AttributeError(
                    f"a Server has no {name!r}: it serves the fake of the fixture optum_auth, "
                    f"optum_auth.{name}"
                )
            raise AttributeError(f"a Server has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<Server {self.base_url}>"


class ServerSession:
    """One listener and one CA for the tests of a session; the CA is written into ``directory``.

    A context manager. Raises ``ModuleNotFoundError`` when the extra is not installed, ``OSError``
    when ``port`` (0: any that is free) is taken.
    """

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._certificates = Certificates(directory)
        self._listener = Listener(self._certificates.server_context, port)

    @contextlib.contextmanager
    def serving(self, gateway: Gateway) -> Iterator[Server]:
        """Serve ``gateway``; at the end no connection and no thread of it is left."""
        with self._listener.serving(gateway):
            yield Server(gateway.state, self._listener.origin, self._certificates)

    def __enter__(self) -> ServerSession:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
