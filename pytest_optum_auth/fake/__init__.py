"""``FakeOptum``, what a test talks to: how it is made, entered and left, and what it demands then.

What it offers meanwhile stands in a room for each kind.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Final, TypeVar

from ..core import active, facts
from ..core.gateway import Gateway
from ..core.settings import Settings, SettingValues, checked_base_urls, checked_token_path
from ..core.state import GatewayState
from ..transports import activate, chosen, deactivate, expect
from .apis import Apis
from .issuer import Issuer
from .record import Record
from .trouble import Trouble

if TYPE_CHECKING:
    from typing_extensions import Unpack

__tracebackhide__ = True  # in the traceback of a test

T = TypeVar("T")

# What the marker takes; FakeOptum itself takes where and how to intercept as well.
KEYWORDS: Final = ("client_id", "client_secret", *SettingValues.__annotations__)
# What is looked for here first.
_OF_THE_CLOCK: Final = (
    "advance",
    "expire_token",
    "move_to",
    "nearly_expire_token",
    "now",
    "real",
    "tick",
    "time",
)
_WHERE: Final = ("base_url", "token_path", "transports")


class _Setting:
    """A setting of a fake, which lies in the state of its gateway.

    Were the fake that object, the two would hold each other, and wait for the garbage collector.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, fake: FakeOptum | None, _: object = None) -> object:
        return getattr(Settings if fake is None else fake.gateway.state.settings, self._name)

    def __set__(self, fake: FakeOptum, value: object) -> None:
        setattr(fake.gateway.state.settings, self._name, value)


def _as_one(cls: type[T]) -> type[T]:
    """Make its parts one class: with its settings in its state, and its name where Python refuses
    an argument.
    """
    for name in SettingValues.__annotations__:
        setattr(cls, name, _Setting(name))
    for part in cls.__bases__:
        for name, method in vars(part).items():
            if isinstance(method, FunctionType):
                method.__qualname__ = f"{cls.__name__}.{name}"
    return cls


@_as_one
class FakeOptum(Settings, Record, Issuer, Apis, Trouble):
    """A fake of Optum's token endpoint and of the APIs behind it.

    A context manager: inside, requests to the gateway hosts are answered here; one that was made
    and not entered lets nothing out to them. Keyword arguments
    are the settings (``expires_in``, ``lifetime``, ``scope``, ``token_type``, ``error_format``,
    ``accept_basic``, ``clock_skew``, ``guard_stubs``, ``strict``), ``client_id`` and
    ``client_secret`` of the default client, ``base_url`` (one, or a list whose first is the one
    that is told) and ``token_path`` (both added to the known hosts and paths) and ``transports``
    (names; default: every one whose library is installed).

    Raises ``TypeError`` for an unknown keyword, ``ValueError`` for a value that makes no sense.
    """

    _depth = 0

    def __init__(
        self,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        base_url: str | Sequence[str] | None = None,
        token_path: str | None = None,
        transports: list[str] | tuple[str, ...] | None = None,
        **settings: Unpack[SettingValues],
    ) -> None:
        chosen_settings = Settings()
        for name, value in settings.items():
            if name not in SettingValues.__annotations__:
                known = ", ".join((*KEYWORDS, *_WHERE))
                raise TypeError(f"unknown keyword {name!r}: known are {known}")
            setattr(chosen_settings, name, value)
        self._transports = chosen(transports)
        self._state = GatewayState(
            chosen_settings,
            checked_base_urls(base_url),
            facts.TOKEN_PATH if token_path is None else checked_token_path(token_path),
        )
        self._state.clients.add(client_id, client_secret, None)
        self._gateway = Gateway(self._state)
        if self._transports:
            expect(self._gateway)

    @property
    def gateway(self) -> Gateway:
        """What answers the requests: for what brings them by another way than the transports."""
        return self._gateway

    def problems(self) -> str:
        """What :meth:`verify` would say and nobody was told of yet; ``""``: nothing."""
        return self._state.problems()

    def failed_with(self, error: BaseException) -> None:
        """The test has failed with ``error``: its end does not repeat that."""
        self._state.failed_with(error)

    def verify(self) -> None:
        """Raise ``AssertionError`` now: unmet faults, unexpected requests, stubs never asked.

        The end of the test does not repeat what this said.
        """
        problems = self.problems()
        if problems:
            raise AssertionError(problems)

    def __enter__(self) -> FakeOptum:
        if self._depth == 0:
            self._state.started_at = self._state.local_now()
            activate(self._gateway, self._transports)
            entered.setdefault(self, len(self._state.journal.entries))
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._depth = max(0, self._depth - 1)
        if self._depth or self._gateway not in active.gateways():
            return
        for hold in list(self._state.holds):
            hold.release()
        deactivate(self._gateway)
        if self.strict and kind is None:
            self.verify()

    # A type checker would take it to mean that every name is there.
    if not TYPE_CHECKING:

        def __getattr__(self, name):
            if name in _OF_THE_CLOCK:
                raise AttributeError(
                    f"a FakeOptum has no {name!r}: time is moved by the fixture optum_clock, "
                    f"optum_clock.{name}"
                )
            raise AttributeError(f"a FakeOptum has no attribute {name!r}")

    def __repr__(self) -> str:
        return (
            f"<FakeOptum {self.base_url}, {len(self._state.ledger.tokens)} tokens, "
            f"{len(self._state.journal.exchanges)} exchanges>"
        )


#: Those that the test at hand has entered, or an earlier one and not left, each with how many
#: entries of its journal are older: the report of a failing test shows the others.
entered: Final[weakref.WeakKeyDictionary[FakeOptum, int]] = weakref.WeakKeyDictionary()
