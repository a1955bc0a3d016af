"""Faults of the network: the exceptions are those that a real socket makes a library raise."""

from __future__ import annotations

import time

import pytest
import requests
from loopback_servers import FAILING
from token_requests import ask, call, fields
from transports_under_test import IN_PROCESS, Send, Transport

from pytest_optum_auth import FakeOptum, faults

NETWORK = {
    "connect": faults.connect_error,
    "timeout": faults.timeout,
    "disconnect": faults.disconnect,
}


def caught(send: Send, url: str, timeout: float) -> BaseException:
    with pytest.raises(Exception) as info:  # noqa: PT011 -- its class is compared
        send("POST", url, data={"a": "b"}, timeout=timeout)
    return info.value


def chain(error: BaseException | None) -> list[type]:
    """The classes of an exception and of what it says it was caused by."""
    classes: list[type] = []
    while error is not None and type(error).__module__.partition(".")[0] in ("requests", "urllib3"):
        classes.append(type(error))
        inner = error.args[0] if error.args else None
        reason = getattr(inner, "reason", inner)
        error = reason if isinstance(reason, BaseException) else None
    return classes


@IN_PROCESS
@pytest.mark.parametrize("failure", NETWORK)
def test_a_network_fault_raises_what_a_real_socket_makes_the_library_raise(
    failure: str, transport: Transport, optum_auth: FakeOptum
) -> None:
    fault = NETWORK[failure]()
    injection = optum_auth.inject(fault)
    # Of a socket that fails by itself a slow machine may be long in hearing.
    patience = 0.5 if failure == "timeout" else 10
    with FAILING[failure]() as url:
        genuine = caught(transport.send, url, patience)

    faked = caught(transport.send, optum_auth.token_url, patience)
    control = ask(transport.send, optum_auth)

    assert (repr(fault), fault.network) == (f"{NETWORK[failure].__name__}()", failure)
    assert type(faked) is type(genuine) is transport.raises(failure)
    assert chain(faked) == chain(genuine)
    # urllib3 words a timeout itself.
    assert repr(fault) in str(faked) or "Read timed out. (read timeout=0.5)" in str(faked)
    # aiohttp's exceptions do not know their request.
    assert type(getattr(faked, "request", None)) is type(getattr(genuine, "request", None))
    [faulted, answered] = optum_auth.token_requests
    assert (faulted.status, faulted.outcome, faulted.token) == (None, f"fault: {fault!r}", None)
    assert injection.hits == 1
    assert (control.status, answered.status) == (200, 200)


@pytest.mark.parametrize("failure", NETWORK)
def test_a_network_fault_is_a_network_fault_of_a_protected_api_too(
    failure: str, transport: Transport, optum_auth: FakeOptum
) -> None:
    # POST, since aiohttp sends a GET again by itself when the server disconnects.
    route = optum_auth.protect("POST", "/oihub/claim/inquiry/v1")
    route.inject(NETWORK[failure]())
    token = optum_auth.issue_token()

    with pytest.raises(transport.raises(failure)):
        call(transport.send, token, method="POST", timeout=0.3)

    assert call(transport.send, token, method="POST").status == 200


@pytest.mark.parametrize("failure", NETWORK)
def test_a_network_fault_may_come_after_a_wait(
    failure: str, transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(NETWORK[failure]().after(0.05))

    started = time.perf_counter()
    with pytest.raises(transport.raises(failure)):
        transport.send("POST", optum_auth.token_url, data=fields(optum_auth), timeout=0.3)

    assert time.perf_counter() - started >= 0.05


def test_requests_names_the_host_and_port_as_it_always_does(optum_auth: FakeOptum) -> None:
    optum_auth.inject(faults.timeout())

    with pytest.raises(requests.ReadTimeout, match=r"host='sandbox-apigw.optum.com', port=443"):
        requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=5)


def test_a_silence_that_meets_a_client_with_a_timeout_is_no_complaint(
    transport: Transport, optum_auth: FakeOptum
) -> None:
    optum_auth.inject(faults.timeout())

    with pytest.raises(transport.timeout_error):
        transport.send("POST", optum_auth.token_url, data=fields(optum_auth), timeout=0.2)

    assert optum_auth.problems() == ""
