"""What other libraries do not promise and this project needs: each name, and where it stands.

When a test here fails, a library has changed: see how the file uses the name, find what has taken
its place, and support both or move the bounds in pyproject.toml.
"""

from __future__ import annotations

import ast
import inspect
import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.client_proto
import httpx
import httpx2
import pytest
import requests
import requests_mock
import responses
import responses.registries
import respx
import urllib3
from _pytest._code import code
from _pytest._io import pprint, saferepr
from _pytest.capture import CaptureManager
from _pytest.logging import LogCaptureHandler
from respx.mocks import Mocker

import pytest_optum_auth

PACKAGE = Path(pytest_optum_auth.__file__).parent


def takes(function: Callable[..., Any], *names: str) -> bool:
    """Whether the parameters of ``function`` begin with ``names``."""
    return tuple(inspect.signature(function).parameters)[: len(names)] == names


def clients_choose() -> bool:
    clients = (httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient)
    return all(takes(client._transport_for_url, "self", "url") for client in clients)


def pools() -> list[Any]:
    libraries: tuple[Any, ...] = (httpx, httpx2)
    transports = [(lib.HTTPTransport, lib.AsyncHTTPTransport) for lib in libraries]
    return [transport(verify=False, retries=3)._pool for pair in transports for transport in pair]


Found = Callable[[pytest.FixtureRequest], Any]
# By the file that needs it, what a library keeps to itself, and what we count on.
PRIVATE: dict[str, dict[str, Found]] = {
    "transports/aiohttp_.py": {
        "_create_connection": lambda _: takes(
            aiohttp.TCPConnector._create_connection, "self", "req", "traces", "timeout"
        ),
        "_request": lambda _: takes(aiohttp.ClientSession._request, "self", "method", "str_or_url"),
        "_build_url": lambda _: takes(aiohttp.ClientSession._build_url, "self", "str_or_url"),
        "_body": lambda _: "_body" in vars(aiohttp.ClientResponse),
    },
    "transports/aiohttp_connection.py": {
        "ResponseHandler": lambda _: takes(aiohttp.client_proto.ResponseHandler, "loop"),
    },
    "network_watch.py": {
        "_create_proxy_connection": lambda _: (
            "_create_proxy_connection" in vars(aiohttp.TCPConnector)
        ),
    },
    "transports/httpx_family.py": {
        "_transport_for_url": lambda _: clients_choose(),
        "_pool": lambda _: len(pools()) == 4,
        "_retries": lambda _: [pool._retries for pool in pools()] == [3] * 4,
    },
    "transports/requests_mock_.py": {
        "_mock_target": lambda _: requests_mock.Mocker()._mock_target is requests.Session,
    },
    "transports/urllib3_response.py": {
        "original_response": lambda _: (
            "original_response" in inspect.signature(urllib3.HTTPResponse).parameters
        ),
        "_fp": lambda _: isinstance(urllib3.HTTPResponse(body=io.BytesIO())._fp, io.BytesIO),
    },
    "stubs/responses_.py": {
        "_find_match": lambda _: takes(responses.RequestsMock._find_match, "self", "request"),
        "_responses": lambda _: responses.registries.FirstMatchRegistry()._responses == [],
    },
    "stubs/respx_internals.py": {
        "registry": lambda _: set(Mocker.registry) >= {"httpcore", "httpx"},
        "routers": lambda _: all(mocker.routers == [] for mocker in Mocker.registry.values()),
        "targets": lambda _: all(mocker.targets for mocker in Mocker.registry.values()),
        "_assert_all_called": lambda _: respx.Router()._assert_all_called is True,
    },
    "pytest_internals.py": {
        "_fixtureinfo": lambda request: "request" in request.node._fixtureinfo.argnames,
        "name2fixturedefs": lambda request: isinstance(
            request.node._fixtureinfo.name2fixturedefs, dict
        ),
        "_report_sections": lambda request: isinstance(request.node._report_sections, list),
        "known_args_namespace": lambda request: hasattr(
            request.config.known_args_namespace, "optum_live"
        ),
        "CaptureManager": lambda _: (
            takes(CaptureManager.suspend_global_capture, "self", "in_")
            and takes(CaptureManager.read_global_capture, "self")
        ),
        "_global_capturing": lambda _: CaptureManager("no")._global_capturing is None,
    },
    "live/redaction/process_patches.py": {
        "_ellipsize": lambda _: takes(saferepr._ellipsize, "s", "maxsize"),
        "SafeRepr.repr_str": lambda _: takes(saferepr.SafeRepr.repr_str, "self", "x", "level"),
        "_wrap_bytes_repr": lambda _: takes(
            pprint._wrap_bytes_repr, "object", "width", "allowance"
        ),
        "safeformat": lambda _: code.safeformat is saferepr.safeformat,
        "LogCaptureHandler": lambda _: issubclass(LogCaptureHandler, logging.Handler),
    },
}
NAMES = [(file, name) for file, names in PRIVATE.items() for name in names]


@pytest.mark.parametrize(("file", "name"), NAMES)
def test_the_library_has_the_name(file: str, name: str, request: pytest.FixtureRequest) -> None:
    assert PRIVATE[file][name](request), f"{name} is not what {file} needs any more"


@pytest.mark.parametrize(("file", "name"), NAMES)
def test_the_file_tells_it_at_its_top(file: str, name: str) -> None:
    told = ast.get_docstring(ast.parse((PACKAGE / file).read_text())) or ""

    assert name in told


# The insides of freezegun and asyncio have tests of their own.
ELSEWHERE = {"clock/freezegun_internals.py", "clock/timers.py"}
STANDARD = {"_getframe", "_current_frames", "_replace", "_make", "_SubParsersAction"}


def private_names(file: Path) -> Iterator[str]:
    """The attributes that begin with an underscore, of others than the objects at hand."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
            yield node.attr


def test_no_other_file_needs_a_private_name() -> None:
    files = {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*.py")}
    found = {
        (file, name)
        for file, path in files.items()
        if file not in ELSEWHERE
        for name in private_names(path)
        if name.startswith("_") and not name.startswith("__") and name not in STANDARD
    }

    assert found <= set(NAMES)
