"""The traceback of a failing test shows its own lines and those of its client, none of ours."""

from __future__ import annotations

import pytest
from inner_runs import Run

STATEMENTS = (
    "requests.get(url)",
    "httpx.get(url)",
    "asyncio.run(httpx_get(url))",
    "asyncio.run(aiohttp_get(url))",
    "urllib.request.urlopen(url)",
    "optum_auth.inject('nothing')",
    "optum_auth.expires_in = -1",
    "optum_auth.issue_token(iat=0)",
    "optum_clock.tick('soon')",
    "optum_clock.expire_token()",
)
SOURCE = """
import asyncio, urllib.request
import aiohttp, httpx, requests

async def httpx_get(url):
    async with httpx.AsyncClient() as client:
        await client.get(url)

async def aiohttp_get(url):
    async with aiohttp.ClientSession() as session:
        await session.get(url)

def test_it(optum_auth, optum_clock):
    url = "https://sandbox-apigw.optum.com/oihub/claim/inquiry/v1"
    STATEMENT
"""


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_frame_of_the_plugin_stands_in_it(statement: str, run: Run) -> None:
    source = SOURCE.replace("STATEMENT", statement)

    result = run(source, "--tb=short")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{statement}"])
    result.stdout.no_fnmatch_line("*pytest_optum_auth/*")


def test_the_full_trace_shows_them(run: Run) -> None:
    result = run(SOURCE.replace("STATEMENT", "requests.get(url)"), "--full-trace")

    result.stdout.fnmatch_lines(["*pytest_optum_auth/transports/*.py:*"])
