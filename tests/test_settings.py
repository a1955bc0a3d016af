"""The settings: plain attributes and keyword arguments that refuse what makes no sense."""

from __future__ import annotations

import ast
import gc
import importlib.util
import inspect
import itertools
import sys
import weakref
from typing import Any

import httpx2
import pytest
from token_requests import ask
from transports_under_test import Send
from transports_under_test import send_with_requests as send
from whole_message import whole

from pytest_optum_auth import FakeOptum
from pytest_optum_auth.core.settings import Settings, SettingValues

CENTURY = "a whole number of seconds from 0 to 3162240000 (a century)"
DEFAULTS = {
    "expires_in": 7200,
    "lifetime": None,
    "scope": "broker-read-token idp openid email profile",
    "token_type": "Bearer",
    "error_format": "optum",
    "accept_basic": False,
    "clock_skew": 0,
    "strict": True,
}
OTHERS: dict[str, Any] = {
    "expires_in": 60,
    "lifetime": 3600,
    "scope": "openid",
    "token_type": "bearer",
    "error_format": "rfc6749",
    "accept_basic": True,
    "clock_skew": -30,
    "strict": False,
}
BAD = [
    *[
        ("expires_in", value, f"expires_in must be {CENTURY}")
        for value in (-1, 1.5, "7200", None, True, 10**10)
    ],
    *[
        ("lifetime", value, f"lifetime must be None (as expires_in) or {CENTURY}")
        for value in (-1, 0.5, "x", False)
    ],
    *[
        (
            "scope",
            value,
            "scope must be scope names separated by single spaces, for example 'openid email'",
        )
        for value in (None, ["openid"], "openid  email", " openid", "openid\temail", "open\x00id")
    ],
    *[
        (
            "scope",
            value,
            "scope must be ASCII without quotation mark and backslash, for example 'openid email'",
        )
        for value in ('ad"min', "ad\\min", "admén")
    ],
    *[
        ("token_type", value, "token_type must be a string that is not empty")
        for value in ("", None, 1)
    ],
    *[
        ("error_format", value, "error_format must be 'optum', 'rfc6749' or 'keycloak'")
        for value in ("OPTUM", "", None)
    ],
    *[
        (
            "clock_skew",
            value,
            "clock_skew must be a whole number of seconds, positive when the server's clock runs "
            "ahead",
        )
        for value in (1.5, "5", None, True, 10**10)
    ],
    *[("accept_basic", value, "accept_basic must be True or False") for value in (1, None, "no")],
    *[("strict", value, "strict must be True or False") for value in (1, None, "no")],
]


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_setting_has_its_default_and_is_an_attribute(name: str) -> None:
    fake = FakeOptum()
    before = getattr(fake, name)
    setattr(fake, name, OTHERS[name])

    assert (before, getattr(fake, name)) == (DEFAULTS[name], OTHERS[name])
    assert getattr(FakeOptum(), name) == DEFAULTS[name]


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_setting_is_a_keyword_argument(name: str) -> None:
    assert getattr(FakeOptum(**{name: OTHERS[name]}), name) == OTHERS[name]


@pytest.mark.parametrize("name", SettingValues.__annotations__)
def test_a_setting_is_documented_where_it_stands(name: str) -> None:
    # As editors and documentation generators read it: by the string that follows.
    (body,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(body, ast.ClassDef)
    documented = {
        here.target.id: there.value.value
        for here, there in itertools.pairwise(body.body)
        if isinstance(here, ast.AnnAssign) and isinstance(here.target, ast.Name)
        if isinstance(there, ast.Expr) and isinstance(there.value, ast.Constant)
    }
    assert str(documented[name]).endswith(".")


@pytest.mark.parametrize(("name", "value", "wanted"), BAD)
def test_a_value_that_makes_no_sense_is_refused_as_attribute_and_keyword(
    name: str, value: object, wanted: str
) -> None:
    fake = FakeOptum()
    message = whole(f"{name}={value!r}: {wanted}")

    with pytest.raises(ValueError, match=message):
        setattr(fake, name, value)
    with pytest.raises(ValueError, match=message):
        FakeOptum(**{name: value})

    assert getattr(fake, name) == DEFAULTS[name]


def test_an_empty_scope_is_a_scope(optum_auth: FakeOptum) -> None:
    optum_auth.scope = ""

    assert ask(send, optum_auth).json()["scope"] == ""


def test_settings_show_in_the_answer(send: Send, optum_auth: FakeOptum) -> None:
    optum_auth.expires_in = 60
    optum_auth.token_type = "bearer"
    optum_auth.scope = "openid"

    content = ask(send, optum_auth).json()

    assert (content["expires_in"], content["token_type"], content["scope"]) == (
        60,
        "bearer",
        "openid",
    )


@pytest.mark.optum_auth(expires_in=60, client_id="mine", client_secret="s", strict=False)
def test_settings_are_arguments_of_the_marker(optum_auth: FakeOptum) -> None:
    assert (optum_auth.expires_in, optum_auth.strict) == (60, False)
    assert tuple(optum_auth.credentials) == ("mine", "s")


def test_an_unknown_keyword_is_refused_with_those_that_are_known() -> None:
    message = (
        "unknown keyword 'expire_in': known are client_id, client_secret, expires_in, lifetime, "
        "scope, token_type, error_format, accept_basic, clock_skew, guard_stubs, strict, base_url, "
        "token_path, transports"
    )

    with pytest.raises(TypeError, match=whole(message)):
        FakeOptum(expire_in=60)


def test_a_setting_that_does_not_exist_is_refused(optum_auth: FakeOptum) -> None:
    message = (
        "there is no setting 'expire_in': known are expires_in, lifetime, scope, token_type, "
        "error_format, accept_basic, clock_skew, guard_stubs, strict"
    )

    with pytest.raises(AttributeError, match=whole(message)):
        optum_auth.expire_in = 60


def test_a_read_only_attribute_cannot_be_set(optum_auth: FakeOptum) -> None:
    with pytest.raises(AttributeError):
        optum_auth.base_url = "https://example.com"


# Another gateway.


def test_a_base_url_and_a_token_path_add_to_the_known() -> None:
    with FakeOptum(base_url="https://gw.example.com/", token_path="/oauth/token") as fake:
        assert fake.base_url == "https://gw.example.com"
        assert fake.token_url == "https://gw.example.com/oauth/token"
        urls = [
            fake.token_url,
            "https://gw.example.com/apip/auth/sntl/v1/token",
            "https://sandbox-apigw.optum.com/oauth/token",
            "https://apigw.optum.com/apip/auth/sntl/v1/token",
        ]
        form = {
            "grant_type": "client_credentials",
            "client_id": fake.credentials.client_id,
            "client_secret": fake.credentials.client_secret,
        }

        assert [send("POST", url, data=form).status for url in urls] == [200] * 4


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://GW.example.com.", "https://gw.example.com"),
        ("https://gw.example.com:443/Optum/", "https://gw.example.com/Optum"),
        ("https://gw.example.com:8443", "https://gw.example.com:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_a_base_url_is_spelled_as_requests_are(given: str, shown: str) -> None:
    with FakeOptum(base_url=given) as fake:
        assert fake.base_url == shown


def test_a_base_url_may_have_a_path() -> None:
    with FakeOptum(base_url="https://gw.example.com/optum") as fake:
        assert fake.token_url == "https://gw.example.com/optum/apip/auth/sntl/v1/token"
        assert ask(send, fake).status == 200


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://gw.example.com", "http://gw.example.com"),
        ("gw.example.com", "gw.example.com"),
        ("https://", "https://"),
        ("", ""),
        ("https://gw.example.com?x=1", "https://gw.example.com?x=1"),
        ("https://user:hush@gw.example.com", "https://***@gw.example.com"),
        ("https://user:hush@[::1", "https://***@[::1"),
        ("https://gw.example.com#x", "https://gw.example.com#x"),
        ("https://gw.example.com:port", "https://gw.example.com:port"),
        ("https://gw.example.com:65536", "https://gw.example.com:65536"),
        (8443, 8443),
        ([None], None),
        ([], ""),
    ],
)
def test_a_base_url_that_is_none_is_refused(given: Any, shown: object) -> None:
    message = (
        f"base_url {shown!r}: a base URL is https:// and a host, for example "
        "'https://sandbox-apigw.optum.com'"
    )

    with pytest.raises(ValueError, match=whole(message)):
        FakeOptum(base_url=given)


@pytest.mark.parametrize("path", ["token", "/token?x=1", "/token#x", "", 1, b"/token"])
def test_a_token_path_that_is_none_is_refused(path: Any) -> None:
    message = (
        f"token_path {path!r}: a path starts with a slash and has no query, for example "
        "'/apip/auth/sntl/v1/token'"
    )

    with pytest.raises(ValueError, match=whole(message)):
        FakeOptum(token_path=path)


def test_an_unknown_transport_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\Aunknown transport 'urllib': known are requests, "):
        FakeOptum(transports=["urllib"])


@pytest.mark.parametrize(
    ("given", "example"), [("requests httpx", ["requests", "httpx"]), (1, ["requests"])]
)
def test_transports_that_are_no_list_are_refused(given: Any, example: list[str]) -> None:
    message = f"transports={given!r}: give a list of names, as in {example}"

    with pytest.raises(TypeError, match=whole(message)):
        FakeOptum(transports=given)


def a_machine_without(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.delitem(sys.modules, library)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == library else find_spec(name)
    )


def test_a_transport_whose_library_is_missing_is_refused_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_machine_without("httpx2", monkeypatch)
    message = (
        "transport 'httpx2' needs the library of that name: install httpx2 or take it out of "
        "optum_transports"
    )

    with pytest.raises(ValueError, match=whole(message)):
        FakeOptum(transports=["requests", "httpx2"])


def test_a_library_that_is_missing_is_left_out_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_machine_without("httpx2", monkeypatch)
    before = httpx2.Client.send

    with FakeOptum() as fake:
        assert httpx2.Client.send is before
        assert ask(send, fake).status == 200


def test_the_repr_says_where_it_is_and_what_happened(optum_auth: FakeOptum) -> None:
    ask(send, optum_auth)
    ask(send, optum_auth, client_secret="wrong")

    assert repr(optum_auth) == (
        "<FakeOptum https://sandbox-apigw.optum.com, 1 tokens, 2 exchanges>"
    )


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="counts no references")
def test_a_fake_that_nobody_holds_is_gone_without_a_garbage_collection() -> None:
    gc.disable()
    try:
        with FakeOptum(expires_in=3600) as fake:
            assert ask(send, fake).status == 200
        gone = weakref.ref(fake)
        del fake
        assert gone() is None
    finally:
        gc.enable()
