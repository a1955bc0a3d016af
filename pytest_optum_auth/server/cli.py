"""The fake as a development server: for people without credentials, for other languages."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shlex
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..core import facts
from ..core.gateway import Gateway
from ..core.journal import Exchange, Journal
from ..core.routes import new_route
from ..core.settings import Settings
from ..core.state import GatewayState
from ..core.unexpected import ProtectedBy
from .fault_rates import Share, Shares, parse_share
from .served import Server, ServerSession
from .signed_ledger import SignedLedger

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_PORT: Final = 8443
_POLL: Final = 0.1
_BY_OPTION: Final = ProtectedBy("--protect", "start the server with --protect '{method} {path}'")


def add_command(commands: Commands) -> None:
    """Add ``serve`` to the commands."""
    parser = commands.add_parser(
        "serve",
        help="serve the fake token endpoint over HTTPS on loopback",
        description="Serve the fake token endpoint over HTTPS on loopback until Ctrl-C.",
    )
    parser.add_argument(
        "--port", type=_port, default=_PORT, help=f"default {_PORT}; 0: any that is free"
    )
    parser.add_argument(
        "--expires-in", type=int, metavar="SECONDS", help="of the tokens (default: as documented)"
    )
    parser.add_argument("--client-id", metavar="ID", help="default: made up")
    parser.add_argument("--client-secret", metavar="SECRET", help="default: made up")
    parser.add_argument(
        "--fault",
        dest="shares",
        type=_share,
        action="append",
        default=[],
        metavar="STATUS:SHARE",
        help="answer this share of the token requests so, as in 503:0.1; may be repeated",
    )
    parser.add_argument(
        "--protect",
        dest="apis",
        type=_api,
        action="append",
        default=[],
        metavar="'METHOD /path'",
        help="answer an API with {} where the bearer token is good; may be repeated",
    )
    parser.set_defaults(run=lambda options: run(parser, options))


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Serve until SIGINT (Ctrl-C) or SIGTERM; returns the exit status."""
    try:
        gateway = _gateway(options)
    except ValueError as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory(prefix="optum-ca-") as directory:
        try:
            session = ServerSession(Path(directory), options.port)
        except ModuleNotFoundError as error:
            parser.exit(1, f"{error}\n")
        except OSError as error:
            parser.error(f"--port {options.port}: {error}")
        with session, session.serving(gateway) as server:
            stopped = _stop_signal()
            _tell(_explain(server))
            # With a timeout, since Windows delivers no signal to a thread that waits without.
            while not stopped.is_set():
                stopped.wait(_POLL)
    _tell("stopped")
    return 0


def _gateway(options: argparse.Namespace) -> Gateway:
    settings = Settings()
    if options.expires_in is not None:
        settings.expires_in = options.expires_in
    faults = Shares(options.shares) if options.shares else None
    state = _State(settings, ledger=SignedLedger(), journal=_Log(), faults=faults)
    state.protected_by = _BY_OPTION
    state.clients.add(options.client_id, options.client_secret, None)
    for method, path in options.apis:
        route = new_route(method, path, state.addresses.api_hosts, scope=None, unauthorized=None)
        if state.addresses.is_token_path(route.path):
            raise ValueError(f"--protect {method} {path}: that is the token endpoint")
        route.then()
        route.seen = _Nothing()
        state.add_route(route)
    return Gateway(state)


class _State(GatewayState):
    """Without a test there is no end of it that complains: nothing is kept for that."""

    def unexpected(self, message: str, error: BaseException | None = None) -> None:
        """The log has told it."""


class _Nothing(list[Exchange]):
    """A list that stays empty, however long the server runs."""

    def append(self, exchange: Exchange) -> None:
        """The log has told it."""


class _Log(Journal):
    """One line for each exchange; keeps none of them."""

    def record(self, exchange: Exchange) -> None:
        status = "---" if exchange.status is None else exchange.status
        self._say(exchange.at, f"{exchange.method} {exchange.path}  {status}  {exchange.outcome}")
        if exchange.advice:
            self._say(exchange.at, exchange.advice)

    def note(self, at: dt.datetime, text: str) -> None:
        self._say(at, text)

    def _say(self, at: dt.datetime, text: str) -> None:
        _tell(f"{at.astimezone():%H:%M:%S}  {text}")


def _tell(text: str) -> None:
    """Print at once, whatever the terminal can write.

    The server goes on when nobody reads any more, as behind ``| head``.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        # What is still to be written, at the end of Python too, goes nowhere.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _stop_signal() -> threading.Event:
    stopped = threading.Event()

    def stop(*_: Any) -> None:
        stopped.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped


def _explain(server: Server) -> str:
    client_id, client_secret = server.credentials
    # Quoted for a shell, and each field escaped by curl: the secret that is made up needs both.
    command = ["curl", "--cacert", server.ca_bundle, server.token_url]
    for field in (
        f"grant_type={facts.GRANT_TYPE}",
        f"client_id={client_id}",
        f"client_secret={client_secret}",
    ):
        command += ["--data-urlencode", field]
    return "\n".join(
        [
            f"base URL       {server.base_url}",
            f"token URL      {server.token_url}",
            f"client id      {client_id}",
            f"client secret  {client_secret}",
            f"CA (PEM)       {server.ca_bundle}",
            f"try it         {shlex.join(command)}",
            "stop with Ctrl-C",
        ]
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a port is a number up to 65535")
    return int(text)


def _api(text: str) -> tuple[str, str]:
    method, _, path = text.partition(" ")
    if not path.strip():
        raise argparse.ArgumentTypeError(
            f"{text!r} is no API: write method and path in quotes, as in 'POST /oihub/claims'"
        )
    return method, path.strip()


def _share(text: str) -> Share:
    try:
        return parse_share(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
