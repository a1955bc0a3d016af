"""A comparison that fails: pytest shows in what two things differ, and no secret among it."""

from __future__ import annotations

import pytest
from inner_runs import Run

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.core.masking import hidden

SECRET = "hush-hush-hush"
TEST = """
import pytest, requests

PARTS = "hush", "hush", "hush"

@pytest.fixture
def asked(optum_auth):
    form = {"grant_type": "client_credentials", **optum_auth.credentials}
    requests.post(optum_auth.token_url, data=form)
    requests.post("https://apigw.optum.com/apip/auth/v2/token", json=[form])
    optum_auth.protect("GET", "/")
    bearer = {"Authorization": "Bearer " + optum_auth.last_token.value}
    requests.get(optum_auth.base_url, headers=bearer)
    return optum_auth.exchanges

@pytest.mark.optum_auth(client_id="billing", client_secret="-".join(PARTS))
def test_it(optum_auth, optum_env, asked):
    assert """


@pytest.mark.parametrize("verbosity", ["-q", "-vv"])
@pytest.mark.parametrize(
    ("comparison", "shown"),
    [
        ("asked[0].form == {}", "'client_secret': '***'"),
        ("{'client_secret': 1} == asked[0].form", "{'client_secret': '***'}"),
        ("asked[1].json == []", "'client_secret': '***'"),
        ("asked[2].headers == {}", "tion': '***'}"),
        ("optum_env == {}", "'OPTUM_CLIENT_SECRET': '***'"),
        ("optum_auth.credentials == ('billing', '?')", "client_secret='***') == ('billing', '?')"),
        ("optum_auth.credentials == optum_auth.add_client()", "client_secret='***') == Cred"),
    ],
)
def test_a_comparison_that_fails_shows_no_secret(
    comparison: str, shown: str, verbosity: str, run: Run
) -> None:
    """The whole of an object hides its secrets; so does each part in which it differs."""
    result = run(f"{TEST}{comparison}\n", verbosity)

    result.assert_outcomes(failed=1)
    output = result.stdout.str()
    assert shown in output
    assert SECRET not in output
    assert "eyJ" not in output


def test_a_comparison_of_other_things_is_left_to_pytest(run: Run) -> None:
    result = run(f"{TEST}[optum_auth.expires_in] == [1]\n")

    result.stdout.fnmatch_lines(["E*At index 0 diff: 7200 != 1"])


def test_what_is_hidden_is_the_real_thing() -> None:
    value = {"a": ["hush", 7, {"b": "hush"}], "c": None}

    assert hidden(value) == value
    assert repr(hidden(value)) == "{'a': ['***', 7, {'b': '***'}], 'c': None}"
    assert f"{hidden('hush')}" == "hush"


def test_what_a_client_is_given_hides_nothing(
    optum_auth: FakeOptum, optum_env: dict[str, str]
) -> None:
    """A client that shows its secret does so in a test as well, and is found."""
    _, client_secret = optum_auth.credentials

    for given in (
        client_secret,
        optum_auth.credentials.client_secret,
        optum_auth.credentials[1],
        dict(optum_auth.credentials)["client_secret"],
        optum_env["OPTUM_CLIENT_SECRET"],
    ):
        assert repr(given) == f"'{client_secret}'"
