"""The table of how public clients ask for a token: each row is asked, and answered as it says."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import pytest
import requests
from documentation_pages import text_of

from pytest_optum_auth import FakeOptum

LINES = [line for line in text_of("reference/ways-to-ask.md").splitlines() if line[:3] == "| `"]
ROWS = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in LINES]


def status_of(optum: FakeOptum, host: str, path: str, kind: str, credentials: str) -> int:
    """The status of the request that a row describes."""
    fields = {"grant_type": "client_credentials"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"https://{host}{path}"
    if credentials in ("form", "JSON", "form and Basic"):
        fields |= dict(optum.credentials)
    if credentials == "query":
        url += f"?{urlencode(dict(optum.credentials))}"
    if "Basic" in credentials:
        pair = base64.b64encode(":".join(optum.credentials).encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    body = urlencode(fields)
    if kind == "JSON":
        body = json.dumps(fields)
        headers["Content-Type"] = "application/json"
    return requests.post(url, body, headers=headers, timeout=10).status_code


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_each_way_to_ask_is_answered_as_the_table_says(
    row: list[str], optum_auth: FakeOptum
) -> None:
    host, path, kind, credentials, by_default, as_reported = row
    found = [status_of(optum_auth, host, path, kind, credentials)]
    optum_auth.error_format = "keycloak"
    optum_auth.accept_basic = True
    found.append(status_of(optum_auth, host, path, kind, credentials))

    assert found == [int(by_default), int(as_reported)]


def test_the_table_has_every_kind_of_way() -> None:
    assert {kind for _, _, kind, *_ in ROWS} == {"form", "JSON"}
    known = {"form", "JSON", "Basic", "form and Basic", "query"}
    assert {credentials for _, _, _, credentials, *_ in ROWS} == known
