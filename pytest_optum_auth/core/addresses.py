"""Which URL is what: the hosts that are answered, their token paths, base URLs with a path."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from . import facts
from .messages import host_of
from .token_endpoint import V2, V3, Version

_GATEWAY: Final[Mapping[str, Version]] = {
    facts.TOKEN_PATH: V3,
    facts.SHORT_TOKEN_PATH: V3,
    facts.V2_TOKEN_PATH: V2,
}
_ISSUER: Final[Mapping[str, Version]] = {facts.ISSUER_TOKEN_PATH: V3}
# A host of the user's own, and loopback, stand for all of them.
_EVERY: Final[Mapping[str, Version]] = {**_GATEWAY, **_ISSUER}


# RFC 3986 section 3.3; letters, digits and ``-._~`` are never quoted.
_IN_SEGMENTS: Final = "!$&'()*+,;=:@"
_IS_NORMAL: Final = re.compile(rf"[A-Za-z0-9/._~{_IN_SEGMENTS}-]*")


class Addresses:
    """The URLs of one gateway: ``base_urls`` (the first is the one that is told) beside Optum's.

    ``token_path`` is another path of v3 beside the documented ones. Behind a base URL with a path
    everything answers with and without that path.
    """

    def __init__(self, base_urls: Sequence[str], token_path: str) -> None:
        self.base_url = base_urls[0]
        self.token_url = f"{self.base_url}{token_path}"
        self.own_hosts = frozenset(map(host_of, base_urls))
        self.hosts = facts.HOSTS | self.own_hosts
        self._own_paths = {in_normal_form(token_path).removesuffix("/")} - _EVERY.keys()
        # The longest first, so that of two nested ones the nearer is taken.
        with_path = sorted((url for url in base_urls if urlsplit(url).path), key=len, reverse=True)
        self._prefixes = [(u, host_of(u), in_normal_form(urlsplit(u).path)) for u in with_path]
        # Who names the issuer as his gateway has his APIs there as well.
        self.api_hosts = self.hosts - ({facts.ISSUER_HOST} - self.own_hosts)

    def version_at(self, host: str, path: str) -> Version | None:
        """The version of the token endpoint at that place; ``None``: something else is there.

        With or without a slash at its end, since both are published.
        """
        known = self._known_at(host)
        for candidate in self.paths(host, path):
            version = known.get(candidate.removesuffix("/"))
            if version is not None:
                return version
            if candidate.removesuffix("/") in self._own_paths:
                return V3
        return None

    def paths(self, host: str, path: str) -> list[str]:
        """``path`` in its normal form, and what it is without that of a base URL."""
        path = in_normal_form(path)
        found = [path]
        for _, own_host, prefix in self._prefixes:
            is_there = host == own_host or host not in self.hosts
            if is_there and path.startswith(f"{prefix}/"):
                found.append(path.removeprefix(prefix))
        return found

    def without_base(self, url: str) -> str:
        """The path of a URL that begins with a base URL that has one; another URL as it is."""
        for base, _, _ in self._prefixes:
            if isinstance(url, str) and url.startswith(f"{base}/"):
                return url.removeprefix(base)
        return url

    def is_token_path(self, path: str) -> bool:
        """Whether a token endpoint is there at any host."""
        path = path.removesuffix("/")
        return path in _EVERY or path in self._own_paths

    def token_paths(self, host: str) -> Iterable[str]:
        """Where ``host`` issues tokens."""
        return (*self._own_paths, *self._known_at(host))

    def has_apis(self, host: str) -> bool:
        """Whether APIs are at ``host``: a served fake stands for every host."""
        return host in self.api_hosts or host not in self.hosts

    def _known_at(self, host: str) -> Mapping[str, Version]:
        if host in facts.GATEWAY_HOSTS:
            return _GATEWAY
        return _EVERY if self.has_apis(host) else _ISSUER


def in_normal_form(path: str) -> str:
    """``path`` as most clients write it; some send ``%7E`` for ``~`` (RFC 3986 section 6.2.2.2)."""
    if _IS_NORMAL.fullmatch(path):
        return path
    return "/".join([quote(unquote(segment), safe=_IN_SEGMENTS) for segment in path.split("/")])


@functools.lru_cache(maxsize=64)
def addresses(base_urls: tuple[str, ...], token_path: str) -> Addresses:
    """As :class:`Addresses`, which nothing changes: most fakes of a suite have the same."""
    return Addresses(base_urls, token_path)
