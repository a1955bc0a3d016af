"""A client that offers nothing newer than TLS 1.1, to see whether a server refuses it."""

from __future__ import annotations

import contextlib
import ssl
import warnings


def old_context() -> ssl.SSLContext | None:
    """A context for TLS 1.0 and 1.1; ``None`` when this build of OpenSSL cannot offer them.

    Without that distinction a server that accepts old versions would look as if it refused them.
    """
    context = ssl.create_default_context()
    with warnings.catch_warnings(), contextlib.suppress(ValueError, ssl.SSLError):
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        # At higher levels OpenSSL itself refuses the hashes of the old versions.
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        client = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            # It said hello and waits for the server: the version can be offered.
            return context
    return None
