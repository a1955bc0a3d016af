"""The certificates of the HTTPS server: a CA made for the session, and what it signs."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from ..clock.freezegun_internals import genuine_datetime
from ..core import facts

MISSING_EXTRA: Final = (
    "the HTTPS server needs the extra 'server': pip install 'pytest-optum-auth[server]'"
)
LOOPBACK: Final = "127.0.0.1"
NAMES: Final = ("localhost", LOOPBACK, *sorted(facts.HOSTS))


class Certificates:
    """A CA, and a certificate for loopback and the gateway hosts.

    The CA's certificate is written into ``directory``; ``ca_bundle`` is its path (PEM). The keys
    stay in memory. Raises ``ModuleNotFoundError`` when the extra is not installed.
    """

    def __init__(self, directory: Path) -> None:
        try:
            import trustme
        except ModuleNotFoundError:
            raise ModuleNotFoundError(MISSING_EXTRA) from None
        # cryptography keeps the class of the first date that it is given, and refuses others.
        with genuine_datetime():
            authority = trustme.CA(organization_name="pytest-optum-auth")
            leaf = authority.issue_cert(*NAMES)
        path = directory / "optum-ca.pem"
        authority.cert_pem.write_to_path(path)
        # A string: httpx takes no path.
        self.ca_bundle = str(path)
        self.server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.server_context.set_alpn_protocols(["http/1.1"])
        leaf.configure_cert(self.server_context)

    def client_context(self) -> ssl.SSLContext:
        """A context for clients: it trusts this CA and no other."""
        return ssl.create_default_context(cafile=self.ca_bundle)
