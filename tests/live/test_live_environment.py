"""Which addresses and credentials a live run takes from the environment, and which it refuses."""

from __future__ import annotations

import os

import pytest

from pytest_optum_auth.live.sandbox.environment import read_environment
from pytest_optum_auth.live.sandbox.hosts import is_loopback, listed_problem, url_problem

CREDENTIALS = {"OPTUM_CLIENT_ID": "me", "OPTUM_CLIENT_SECRET": "my secret of some length"}
TOKEN_PATH = "/apip/auth/sntl/v1/token"
ISSUER = "https://idx.linkhealth.com/auth/realms/developer-platform/protocol/openid-connect/token"
OLDER = "https://sandbox.apigw.changehealthcare.com"


@pytest.mark.parametrize(
    ("urls", "base_url", "token_url"),
    [
        (
            {},
            "https://sandbox-apigw.optum.com",
            f"https://sandbox-apigw.optum.com{TOKEN_PATH}",
        ),
        (
            {"OPTUM_BASE_URL": "https://localhost:8443/"},
            "https://localhost:8443",
            f"https://localhost:8443{TOKEN_PATH}",
        ),
        (
            {"OPTUM_TOKEN_URL": "https://localhost:8443/some/token"},
            "https://localhost:8443",
            "https://localhost:8443/some/token",
        ),
        (
            {"OPTUM_BASE_URL": "https://127.0.0.1/api", "OPTUM_TOKEN_URL": "https://[::1]/token"},
            "https://127.0.0.1/api",
            "https://[::1]/token",
        ),
        (
            {"OPTUM_BASE_URL": "", "OPTUM_TOKEN_URL": "  "},
            "https://sandbox-apigw.optum.com",
            f"https://sandbox-apigw.optum.com{TOKEN_PATH}",
        ),
        ({"OPTUM_TOKEN_URL": ISSUER}, "https://sandbox-apigw.optum.com", ISSUER),
        (
            {"OPTUM_TOKEN_URL": ISSUER, "OPTUM_BASE_URL": "https://localhost:8443"},
            "https://localhost:8443",
            ISSUER,
        ),
        (
            {"OPTUM_TOKEN_URL": f"{OLDER}/apip/auth/v2/token"},
            OLDER,
            f"{OLDER}/apip/auth/v2/token",
        ),
    ],
    ids=["neither", "base", "token", "both", "blank", "issuer", "issuer and base", "older"],
)
def test_each_url_follows_from_what_is_set(
    urls: dict[str, str], base_url: str, token_url: str
) -> None:
    environment = read_environment({**CREDENTIALS, **urls})

    assert (environment.base_url, environment.token_url) == (base_url, token_url)
    assert environment.problem is None


def test_the_credentials_are_those_of_the_environment() -> None:
    credentials = read_environment(CREDENTIALS).credentials

    assert tuple(credentials) == ("me", "my secret of some length")
    assert "my secret" not in repr(read_environment(CREDENTIALS))


@pytest.mark.parametrize(
    "variable", ["OPTUM_CLIENT_ID", "OPTUM_CLIENT_SECRET", "OPTUM_TOKEN_URL", "OPTUM_BASE_URL"]
)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_around_a_variable_are_told(variable: str, quote: str) -> None:
    environ = {**CREDENTIALS, variable: f"{quote}https://localhost{quote}"}

    assert read_environment(environ).problem == (
        f"{variable} is wrapped in quotes that are part of its value (docker --env-file and some "
        "CI systems keep them): remove the quotes."
    )


@pytest.mark.parametrize("variable", ["OPTUM_CLIENT_SECRET", "OPTUM_TOKEN_URL"])
@pytest.mark.parametrize(
    ("value", "character"),
    [
        ("\ufeffhttps://localhost", "U+FEFF"),
        ("https://local\u200bhost", "U+200B"),
        ("https://local\u00adhost", "U+00AD"),
        ("https://local\thost", "U+0009"),
    ],
)
def test_a_character_that_cannot_be_seen_is_told(variable: str, value: str, character: str) -> None:
    assert read_environment({**CREDENTIALS, variable: value}).problem == (
        f"{variable} holds a character that cannot be seen ({character}; editors and copies from "
        "web pages leave such behind): remove it."
    )


def test_bytes_that_are_no_utf_8_are_told() -> None:
    environ = {**CREDENTIALS, "OPTUM_CLIENT_SECRET": os.fsdecode(b"caf\xe9 of the client")}

    assert read_environment(environ).problem == (
        "OPTUM_CLIENT_SECRET is not UTF-8 text: save it as UTF-8 and set it again."
    )


@pytest.mark.parametrize("value", ["https://localhost\n", " https://localhost", "secret\r\n"])
def test_white_space_around_a_variable_is_told(value: str) -> None:
    assert read_environment({**CREDENTIALS, "OPTUM_CLIENT_SECRET": value}).problem == (
        "OPTUM_CLIENT_SECRET begins or ends with white space (a line break from a file or an "
        "editor): remove it."
    )


@pytest.mark.parametrize("value", ["it's", "'", '"begins', "two words"])
def test_a_quote_or_a_space_inside_a_secret_is_fine(value: str) -> None:
    assert read_environment({**CREDENTIALS, "OPTUM_CLIENT_SECRET": value}).problem is None


PRODUCTION = (
    "OPTUM_TOKEN_URL points to the production host {}, which tests never call: set it to the "
    "sandbox (sandbox-apigw.optum.com), or unset it."
)


@pytest.mark.parametrize("listed", [[], ["apigw.optum.com"]], ids=["unlisted", "listed"])
@pytest.mark.parametrize(
    "url",
    [
        "https://apigw.optum.com/token",
        "https://APIGW.Optum.COM/token",
        "https://apigw.optum.com./token",
        "https://apigw.optum.com:443/token",
        "https://user:word@apigw.optum.com/token",
        "https://sandbox-apigw.optum.com@apigw.optum.com/token",
        "https://\uff41\uff50\uff49\uff47\uff57.optum.com/token",
        "https://apigw\u3002optum\u3002com/token",
        "http://apigw.optum.com/token",
    ],
)
def test_production_is_recognised_in_any_spelling(url: str, listed: list[str]) -> None:
    assert url_problem("OPTUM_TOKEN_URL", url, listed) == PRODUCTION.format("apigw.optum.com")


@pytest.mark.parametrize("host", ["apigw.changehealthcare.com", "apis.changehealthcare.com"])
def test_the_other_production_hosts_are_refused_alike(host: str) -> None:
    assert url_problem("OPTUM_TOKEN_URL", f"https://{host}/token") == PRODUCTION.format(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://sandbox-apigw.optum.com/token",
        "https://SANDBOX-apigw.optum.com.:443/token",
        "https://localhost:8443/token",
        "http://localhost:8080/token",
        "http://127.1.2.3/token",
        "http://[::1]:80/token",
        "https://Gateway.example.com:8443/token",
    ],
)
def test_the_sandbox_loopback_and_listed_hosts_may_be_called(url: str) -> None:
    assert url_problem("OPTUM_TOKEN_URL", url, ["gateway.EXAMPLE.com."]) is None


@pytest.mark.parametrize(
    "host",
    ["example.com", "sandbox-apigw.optum.com.example.com", "127.0.0.1.example.com", "10.0.0.1"],
)
def test_an_unlisted_host_is_refused(host: str) -> None:
    assert url_problem("OPTUM_BASE_URL", f"https://{host}/") == (
        f"OPTUM_BASE_URL points to {host}, which is not a host for live tests: set it to "
        "sandbox-apigw.optum.com, or list the host in ini optum_live_hosts."
    )


@pytest.mark.parametrize("variable", ["OPTUM_TOKEN_URL", "OPTUM_BASE_URL"])
@pytest.mark.parametrize("host", ["sandbox.apis", "sandbox.apigw"])
def test_the_older_sandbox_hosts_may_be_called(host: str, variable: str) -> None:
    assert url_problem(variable, f"https://{host}.changehealthcare.com/x") is None


def test_the_issuer_may_be_called_for_tokens_alone() -> None:
    assert url_problem("OPTUM_TOKEN_URL", ISSUER) is None
    assert url_problem("OPTUM_BASE_URL", "https://IDX.linkhealth.com/") == (
        "OPTUM_BASE_URL points to idx.linkhealth.com, which issues tokens only: the APIs of the "
        "sandbox are at sandbox-apigw.optum.com."
    )


@pytest.mark.parametrize("host", ["sandbox-apigw.optum.com", "gateway.example.com"])
def test_plain_http_is_refused_beyond_loopback(host: str) -> None:
    assert url_problem("OPTUM_BASE_URL", f"http://{host}/", ["gateway.example.com"]) == (
        f"OPTUM_BASE_URL uses plain http to {host}: write https, plain http is allowed to "
        "loopback only."
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://me:word@sandbox-apigw.optum.com/token",
        "https://sandbox-apigw.optum.com/token?client_secret=word",
        "https://localhost/token#word",
    ],
)
def test_a_url_that_may_hold_a_secret_is_refused_without_being_shown(url: str) -> None:
    assert url_problem("OPTUM_TOKEN_URL", url) == (
        "OPTUM_TOKEN_URL holds more than scheme, host and path: take the user name, the query and "
        "the fragment out, credentials belong into OPTUM_CLIENT_ID and OPTUM_CLIENT_SECRET."
    )


@pytest.mark.parametrize(
    "url",
    [
        "sandbox-apigw.optum.com/token",
        "https:///token",
        "ftp://sandbox-apigw.optum.com/token",
        "https://sandbox-apigw.optum.com:port/token",
        "https://[::1/token",
        "https://apigw.op\ttum.com/token",
        "https://sandbox-apigw.optum.com\\@example.com/token",
    ],
)
def test_what_is_no_url_is_refused_without_being_shown(url: str) -> None:
    assert url_problem("OPTUM_TOKEN_URL", url) == (
        "OPTUM_TOKEN_URL is not a URL that can be called: write it as "
        "https://sandbox-apigw.optum.com/apip/auth/sntl/v1/token."
    )


def test_a_production_host_cannot_be_listed() -> None:
    assert read_environment(CREDENTIALS, ["APIGW.optum.com."]).problem == (
        "ini optum_live_hosts lists the production host apigw.optum.com, which tests never call: "
        "remove it."
    )


@pytest.mark.parametrize("entry", ["https://example.com", "example.com:443", "example.com/", ""])
def test_only_bare_host_names_can_be_listed(entry: str) -> None:
    assert listed_problem([entry]) == (
        "ini optum_live_hosts wants bare host names, such as gateway.example.com: remove scheme, "
        "port and path."
    )


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
