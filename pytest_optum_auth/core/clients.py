"""The clients that the token endpoint knows, and their credentials."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Final, SupportsIndex, overload

from .masking import Whole

__tracebackhide__ = True  # in the traceback of a test

# A secret as real ones are: it breaks a client that forgets to escape its form fields. Within what
# RFC 6749 allows (appendix A.2): some clients send no other.
_AWKWARD: Final = "&+=%/: "


class Credentials(Whole, tuple[str, str]):
    """A client's identifier and secret (RFC 6749 section 2.3.1).

    The pair ``(client_id, client_secret)``, also what libraries take as ``auth=``;
    ``**credentials`` gives the fields of a form. ``repr`` hides the secret.
    """

    __slots__ = ()

    def __new__(cls, client_id: str, client_secret: str) -> Credentials:
        return super().__new__(cls, (client_id, client_secret))

    def __getnewargs__(self) -> tuple[str, str]:
        return (self.client_id, self.client_secret)

    @property
    def client_id(self) -> str:
        """The identifier."""
        return tuple.__getitem__(self, 0)

    @property
    def client_secret(self) -> str:
        """The secret."""
        return tuple.__getitem__(self, 1)

    def keys(self) -> tuple[str, str]:
        """So that ``**credentials`` gives the two form fields by their names."""
        return ("client_id", "client_secret")

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> str: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[str, ...]: ...
    def __getitem__(self, key: SupportsIndex | str | slice) -> str | tuple[str, ...]:
        """By index as in a pair, by name as in a form."""
        if isinstance(key, (int, slice)):
            return tuple.__getitem__(self, key)
        if isinstance(key, str) and key in self.keys():
            return str(getattr(self, key))
        raise KeyError(f"{key!r}: there are 'client_id' (or 0) and 'client_secret' (or 1)")

    def __repr__(self) -> str:
        return f"Credentials(client_id={self.client_id!r}, client_secret='***')"


class Client:
    """A registered client; ``scope`` of ``None`` means whatever the endpoint grants."""

    __slots__ = ("credentials", "scope")

    def __init__(self, credentials: Credentials, scope: str | None = None) -> None:
        self.credentials = credentials
        self.scope = scope


class ClientRegistry:
    """Clients by identifier; the first one registered is the default."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._default = ""

    @property
    def default(self) -> Credentials:
        """The credentials of the default client, as they are now."""
        return self._clients[self._default].credentials

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._clients))

    def find(self, client_id: str) -> Client | None:
        """The client of that identifier, or ``None``."""
        return self._clients.get(client_id)

    def is_secret(self, value: str) -> bool:
        """Whether ``value`` is the secret of some client."""
        return any(value == c.credentials.client_secret for c in self._clients.values())

    def known(self, client_id: str | None) -> Client:
        """The client of that identifier (``None``: the default).

        Raises ``ValueError`` when nobody registered it.
        """
        name = self._default if client_id is None else client_id
        if not isinstance(name, str):
            raise ValueError(
                f"client_id {name!r} must be a string, as the client_id of its Credentials"
            )
        client = self._clients.get(name)
        if client is None:
            known = ", ".join(repr(name) for name in list(self._clients)[:10])
            raise ValueError(
                f"unknown client_id {client_id!r}: register it with add_client({client_id!r}); "
                f"known are {known}"
            )
        return client

    def add(
        self, client_id: str | None, client_secret: str | None, scope: str | None
    ) -> Credentials:
        """Register a client; what is ``None`` is made up. ``ValueError`` on a bad value."""
        if client_id is None:
            client_id = self._new_id()
        if client_secret is None:
            client_secret = new_secret()
        for name, value in (("client_id", client_id), ("client_secret", client_secret)):
            if not isinstance(value, str) or not value:
                shown = f" {value!r}" if name == "client_id" else ""
                raise ValueError(f"{name}{shown} must be a string that is not empty")
        if client_id in self._clients:
            raise ValueError(
                f"client_id {client_id!r} is registered already: use rotate_secret({client_id!r}) "
                "to give it another secret"
            )
        credentials = Credentials(client_id, client_secret)
        self._clients[client_id] = Client(credentials, scope)
        self._default = self._default or client_id
        return credentials

    def _new_id(self) -> str:
        number = 1
        while (client_id := f"optum-test-client-{number}") in self._clients:
            number += 1
        return client_id

    def rotate(self, client_id: str | None) -> Credentials:
        """Give a client (``None``: the default) a new secret; the old one is refused from now."""
        client = self.known(client_id)
        client.credentials = Credentials(client.credentials.client_id, new_secret())
        return client.credentials


def new_secret() -> str:
    """A fresh secret that holds characters which a form must escape."""
    return f"s3cr3t{_AWKWARD}{secrets.token_hex(12)}"
