"""Which hosts a live run may call: the sandbox, its issuer, loopback, those the user lists."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from ...core import facts
from ...network_watch import normal_host

_PORTS: Final = {"https": 443, "http": 80}


def is_loopback(host: str) -> bool:
    """Whether a normal host is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_problem(variable: str, url: str, listed: Iterable[str] = ()) -> str | None:
    """Why a live run must not call ``url``, as a sentence that names ``variable``.

    ``listed`` are the hosts of ini ``optum_live_hosts``. The sentence shows the host at most:
    a URL may carry a password. ``None`` when the URL is fine.
    """
    parts = _split(url)
    if parts is None:
        return (
            f"{variable} is not a URL that can be called: "
            f"write it as {facts.BASE_URL}{facts.TOKEN_PATH}."
        )
    host = normal_host(parts.hostname or "")
    if host in facts.PRODUCTION_HOSTS:
        return (
            f"{variable} points to the production host {host}, which tests never call: "
            f"set it to the sandbox ({facts.SANDBOX_HOST}), or unset it."
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        return (
            f"{variable} holds more than scheme, host and path: take the user name, the query "
            f"and the fragment out, credentials belong into {facts.ENV_CLIENT_ID} and "
            f"{facts.ENV_CLIENT_SECRET}."
        )
    if is_loopback(host):
        return None
    if parts.scheme != "https":
        return (
            f"{variable} uses plain http to {host}: write https, "
            "plain http is allowed to loopback only."
        )
    if host == facts.ISSUER_HOST and variable == facts.ENV_BASE_URL:
        return (
            f"{variable} points to {host}, which issues tokens only: the APIs of the sandbox are "
            f"at {facts.SANDBOX_HOST}."
        )
    known = facts.SANDBOX_HOSTS | {facts.ISSUER_HOST}
    if host not in known and host not in {normal_host(name) for name in listed}:
        return (
            f"{variable} points to {host}, which is not a host for live tests: set it to "
            f"{facts.SANDBOX_HOST}, or list the host in ini optum_live_hosts."
        )
    return None


def listed_problem(listed: Iterable[str]) -> str | None:
    """What is wrong with ini ``optum_live_hosts``, as a sentence; ``None`` when it is fine."""
    for name in listed:
        host = normal_host(name)
        if host in facts.PRODUCTION_HOSTS:
            return (
                f"ini optum_live_hosts lists the production host {host}, which tests never call: "
                "remove it."
            )
        if not host or set(host) & set("/:@?#"):
            return (
                "ini optum_live_hosts wants bare host names, such as gateway.example.com: "
                "remove scheme, port and path."
            )
    return None


def gateway_beside(token_url: str) -> str:
    """Where the APIs are whose tokens come from there: on the same host, but for the issuer's."""
    parts = urlsplit(token_url)
    if normal_host(parts.hostname or "") == facts.ISSUER_HOST:
        return facts.BASE_URL
    return f"{parts.scheme}://{parts.netloc}"


def _split(url: str) -> SplitResult | None:
    # urlsplit silently drops tabs and newlines, and libraries differ in what they make of a
    # backslash: such a URL could be read as another host than the one compared here.
    if any(character <= " " or character == "\\" for character in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return parts if port and parts.hostname else None
