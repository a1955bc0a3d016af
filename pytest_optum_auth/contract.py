"""The contract of Optum's token endpoint: ``pytest --pyargs pytest_optum_auth.contract``.

One test for each documented promise that can be checked from outside without harm, against the
fake and, when credentials are set, against the sandbox. A test that fails ``[live]`` shows drift:
the sandbox does not do (any more) what the documentation says and the fake plays. A run sends the
sandbox ten requests, one of them with a wrong secret; under xdist at most twelve and two.
"""

from __future__ import annotations

import pytest

from pytest_optum_auth.core import facts
from pytest_optum_auth.live.contract.demands import (
    claims,
    is_keycloaks,
    json_object,
    keeps,
    lifetime,
    refuses,
    success,
)
from pytest_optum_auth.live.contract.probes import Probes, fake_send, live_send, too_many_workers
from pytest_optum_auth.live.sandbox import LiveSandbox
from pytest_optum_auth.live.sandbox.http import Answer, LiveError
from pytest_optum_auth.live.sandbox.refused import refused_in
from pytest_optum_auth.live.target import Target, live_target

_TYPES = {"access_token": "str", "expires_in": "int", "token_type": "str", "scope": "str"}
_REQUIRED = {*_TYPES, "refresh_expires_in", "not-before-policy"}
# The v3 spec names these too; the page's example does without them.
_OPTIONAL = {"refresh_token", "id_token", "session_state"}


@pytest.fixture(scope="session")
def sandbox_answers() -> dict[str, Answer | LiveError]:
    """What the sandbox has answered so far: no request is repeated."""
    return {}


@pytest.fixture
def probes(
    request: pytest.FixtureRequest,
    optum_target: Target,
    sandbox_answers: dict[str, Answer | LiveError],
) -> Probes:
    """The requests of the contract, on the fake or live."""
    if optum_target.is_live:
        return live_probes(request, optum_target, sandbox_answers)
    send = fake_send(request.config.getini("optum_transports"))
    if send is None:
        pytest.skip("no client library that the fake intercepts: install requests or httpx")
    return Probes(optum_target, send, {})


def live_probes(
    request: pytest.FixtureRequest, target: Target, answers: dict[str, Answer | LiveError]
) -> Probes:
    """The requests of the contract on the sandbox, unless the run would send too many."""
    refusal = too_many_workers()
    if refusal is not None:
        pytest.fail(refusal, pytrace=False)
    return Probes(target, live_send, answers, refused_in(request))


def test_a_right_request_gets_the_documented_keys(probes: Probes) -> None:
    """A right request gets 200 and exactly the documented keys.

    Source: page, example response; v3 spec, 200.
    """
    keys = set(success(probes))
    keeps(sorted(keys - _OPTIONAL), sorted(_REQUIRED))


@pytest.mark.parametrize("key", list(_TYPES))
def test_the_values_have_the_documented_types(probes: Probes, key: str) -> None:
    """A value has the documented type.

    Source: v3 spec, 200.
    """
    keeps(type(success(probes).get(key)).__name__, _TYPES[key])


@pytest.mark.parametrize("key", ["refresh_expires_in", "not-before-policy"])
def test_there_is_nothing_to_refresh(probes: Probes, key: str) -> None:
    """A value is the number 0: there is no refresh token.

    Source: page, example response.
    """
    keeps(success(probes).get(key), 0)


def test_the_token_type_is_bearer(probes: Probes) -> None:
    """The token type is Bearer, in any case.

    Source: page, example response; RFC 6749 section 5.1.
    """
    keeps(str(success(probes).get("token_type")).lower(), "bearer")


def test_the_answer_is_json(probes: Probes) -> None:
    """A token comes as application/json.

    Source: v3 spec, 200; RFC 6749 section 5.1.
    """
    keeps(probes.right().headers.get_content_type(), facts.JSON)


@pytest.mark.parametrize("header", list(facts.NO_STORE))
def test_a_token_is_not_cached(probes: Probes, header: str) -> None:
    """An answer with a token forbids caching.

    Source: RFC 6749 section 5.1.
    """
    given = probes.right().headers.get(header)
    # Further directives beside the promised one do no harm.
    promised = facts.NO_STORE[header]
    keeps(promised if promised in (given or "").lower() else given, promised)


@pytest.mark.parametrize("claim", ["iat", "exp"])
def test_the_token_is_a_jwt(probes: Probes, claim: str) -> None:
    """A token is a JWT that tells its times.

    Source: page, 'Access Control via Web Tokens'; RFC 7519 section 4.1.
    """
    keeps(isinstance(claims(probes).get(claim), (int, float)), True)


def test_the_token_lives_as_long_as_the_answer_says(probes: Probes) -> None:
    """A token expires when expires_in says.

    Source: page, 'two hours'; RFC 6749 section 5.1.
    """
    keeps(success(probes).get("expires_in"), lifetime(claims(probes)))


def test_a_json_body_is_refused(probes: Probes) -> None:
    """A JSON body is refused with 415.

    Source: page, 'can only be sent in'; auth-only spec, 415.
    """
    refuses(probes, probes.json_body(), 415, 400)


@pytest.mark.parametrize("field", facts.REQUIRED_FIELDS)
def test_a_missing_field_is_refused(probes: Probes, field: str) -> None:
    """A missing field is refused with 400.

    Source: auth-only spec, 400.
    """
    # A realm says 401 to a client that shows no secret.
    realm = 401 if field == "client_secret" else 400
    refuses(probes, probes.without(field), 400, realm)


def test_another_grant_type_is_refused(probes: Probes) -> None:
    """Another grant type is refused with 400.

    Source: auth-only spec, enum of grant_type.
    """
    refuses(probes, probes.other_grant_type(), 400, 400)


def test_a_wrong_secret_is_refused(probes: Probes) -> None:
    """A wrong secret is refused with 401.

    Source: auth-only spec, 401.
    """
    refuses(probes, probes.wrong_secret(), 401, 401)


def test_an_unknown_client_is_refused(probes: Probes) -> None:
    """An unknown client is refused with 401.

    Source: auth-only spec, 401.
    """
    refuses(probes, probes.unknown_client(), 401, 401)


def test_a_scope_that_was_not_granted_is_refused(probes: Probes) -> None:
    """A scope that was not granted is refused with 403.

    Source: auth-only spec, 403.
    """
    refuses(probes, probes.refused_scope(), 403, 400)


def test_a_refusal_says_why(probes: Probes) -> None:
    """A refusal is the published envelope: status, failureReason, Errors.

    Source: auth-only spec, examples of 400 to 500.
    """
    answer = probes.wrong_secret()
    envelope = json_object(answer)
    if is_keycloaks(answer):
        probes.as_keycloak = True
        keeps(envelope["error"], "unauthorized_client")
    else:
        keeps(sorted(envelope), ["Errors", "failureReason", "status"])
        keeps(envelope["status"], str(answer.status))


def test_get_is_refused(probes: Probes) -> None:
    """GET is refused with 405.

    Source: v3 spec, which knows POST only; RFC 9110 section 15.5.6.
    """
    keeps(probes.get().status, 405)


def test_old_tls_is_refused(
    request: pytest.FixtureRequest,
    optum_live: LiveSandbox,
    sandbox_answers: dict[str, Answer | LiveError],
) -> None:
    """TLS below version 1.2 is refused.

    Source: page, 'Security via TLS'.
    """
    # In process there is no TLS: this promise has no [fake].
    probes = live_probes(request, live_target(optum_live), sandbox_answers)
    accepted = probes.answers_old_tls()
    if accepted is None:
        pytest.skip("cannot be tried: this Python offers no TLS 1.1, or the URL is plain http")
    keeps("accepted" if accepted else "refused", "refused")
