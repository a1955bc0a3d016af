"""Why no answer came from the sandbox, as one sentence with the next step."""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import urllib.request
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ...network_watch import normal_host
from . import hosts

# Of OpenSSL (x509_vfy.h): the two that say a certificate is another's, and those about its time.
_OTHER_NAME: Final = (62, 64)
_NOT_YET, _EXPIRED = 9, 10
_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d+)")


@dataclass(frozen=True, slots=True)
class Way:
    """The host that is called and, where the environment names one, the proxy in between."""

    host: str
    proxy: str | None

    @classmethod
    def to(cls, url: str) -> Way:
        """The way to ``url``; the proxy without user name and password."""
        parts = urlsplit(url)
        host = normal_host(parts.hostname or "")
        proxy = urllib.request.getproxies().get(parts.scheme)
        if proxy is None or hosts.is_loopback(host) or urllib.request.proxy_bypass(host):
            return cls(host, None)
        return cls(host, proxy.rpartition("//")[2].rpartition("@")[2].rstrip("/"))


def explain(way: Way, cause: BaseException, timeout: float) -> str:
    """Why no answer came, and what to look at; ``timeout`` in seconds."""
    host = way.host
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _of_certificate(host, cause)
    if isinstance(cause, ssl.SSLError):
        return (
            f"No TLS connection to {host} ({cause.reason or 'handshake failed'}): check that the "
            "port in OPTUM_TOKEN_URL speaks HTTPS and that no proxy breaks TLS."
        )
    if way.proxy is not None:
        return _of_proxy(host, way.proxy, cause, timeout)
    if isinstance(cause, socket.gaierror):
        return (
            f"The name {host} cannot be resolved (DNS): check the network or VPN, HTTPS_PROXY, "
            "and the host in OPTUM_TOKEN_URL."
        )
    if isinstance(cause, TimeoutError):
        return (
            f"No answer from {host} within {timeout:g} seconds: check HTTPS_PROXY and the "
            "firewall, or try again later."
        )
    if isinstance(cause, ConnectionRefusedError):
        return (
            f"{host} refused the connection: check host and port in OPTUM_TOKEN_URL, and "
            "HTTPS_PROXY."
        )
    if isinstance(cause, (http.client.HTTPException, ConnectionError)):
        return (
            f"{host} closed the connection without an HTTP answer ({type(cause).__name__}): "
            "check OPTUM_TOKEN_URL and HTTPS_PROXY, or try again later."
        )
    return (
        f"No connection to {host} ({type(cause).__name__}: {cause}): check the network, "
        "HTTPS_PROXY and OPTUM_TOKEN_URL."
    )


def _of_certificate(host: str, cause: ssl.SSLCertVerificationError) -> str:
    if cause.verify_code in _OTHER_NAME:
        return (
            f"The certificate that came from {host} is for another name: check the host in "
            "OPTUM_TOKEN_URL, and whether a proxy or a changed hosts file leads elsewhere."
        )
    if cause.verify_code in (_NOT_YET, _EXPIRED):
        state = "has expired" if cause.verify_code == _EXPIRED else "is not valid yet"
        return (
            f"The certificate of {host} {state}: check the clock of this machine; if it is right, "
            "whoever runs the host or the proxy has to renew it."
        )
    unusable = _unusable_ca_file()
    if unusable is not None:
        return unusable
    return (
        f"The certificate of {host} is not trusted ({cause.verify_message}): if a company "
        "proxy signs it, point SSL_CERT_FILE to the proxy's CA."
    )


def _unusable_ca_file() -> str | None:
    """What is wrong with the file of ``SSL_CERT_FILE``, which OpenSSL passes over in silence."""
    path = os.environ.get("SSL_CERT_FILE", "")
    if not path:
        return None
    try:
        with open(path, "rb"):
            pass
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        problem = "holds no certificate that can be read"
    except OSError as error:
        problem = f"cannot be read ({type(error).__name__})"
    else:
        return None
    return (
        f"SSL_CERT_FILE is {path}, which {problem}: point it to a PEM file with the CA to "
        "trust, or unset it."
    )


def _of_proxy(host: str, proxy: str, cause: BaseException, timeout: float) -> str:
    if isinstance(cause, http.client.InvalidURL):
        return "HTTPS_PROXY is not an address that can be called: write it as http://host:port."
    tunnel = _TUNNEL.search(str(cause))
    if tunnel is not None:
        step = "put its user name and password into HTTPS_PROXY, http://name:password@host:port"
        if tunnel[1] != "407":
            step = f"ask its operator to let {host} through, or list the host in NO_PROXY"
        return f"The proxy {proxy} refused the way to {host} ({tunnel[1]}): {step}."
    if isinstance(cause, socket.gaierror):
        said = "has a name that cannot be resolved (DNS)"
    elif isinstance(cause, TimeoutError):
        said = f"gave no answer within {timeout:g} seconds"
    elif isinstance(cause, ConnectionRefusedError):
        said = "refused the connection"
    else:
        said = f"closed the connection without an answer ({type(cause).__name__})"
    return (
        f"The proxy {proxy}, by which {host} is called, {said}: check HTTPS_PROXY, or list the "
        "host in NO_PROXY."
    )
