"""A ``FakeOptum()`` that was made and not entered: nothing goes out to its hosts meanwhile."""

from __future__ import annotations

import gc
import http.client
import socket
import subprocess
import sys
import textwrap
import urllib.request
import weakref
from collections.abc import Callable, Iterator

import pytest
import requests
from inner_runs import Run, part
from token_requests import ask
from transports_under_test import IN_PROCESS, Transport, send_with_requests

from pytest_optum_auth import FakeOptum, network_watch, transports
from pytest_optum_auth.core import active
from pytest_optum_auth.transports import egress_guard
from pytest_optum_auth.transports.egress_guard import EscapedRequest

# Nobody has that name: what goes out by mistake ends in this machine.
HOST = "gateway.invalid"
BASE_URL = f"https://{HOST}"
NOT_ENTERED = (
    "a FakeOptum() was made but not entered, and answers only inside of "
    "`with FakeOptum() as optum:`"
)
STOPPED = f"a connection to {HOST} was stopped: {NOT_ENTERED}"
WITHOUT_FAKE = f"a connection to {HOST} was stopped, since no fake answers there now."


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The hosts that the resolver was asked for; it knows none."""
    hosts: list[str] = []

    def resolve(host: object, *_: object, **__: object) -> None:
        hosts.append(network_watch.normal_host(host))
        raise socket.gaierror(socket.EAI_NONAME, "nobody has that name")

    with monkeypatch.context() as resolver:
        resolver.setattr(socket, "getaddrinfo", resolve)
        yield hosts


def by_urllib() -> None:
    urllib.request.urlopen(BASE_URL)


def by_a_tunnel() -> None:
    http.client.HTTPSConnection("127.0.0.1", 9).set_tunnel(HOST)


@IN_PROCESS
def test_a_request_is_stopped(transport: Transport, asked: list[str]) -> None:
    made = FakeOptum(base_url=BASE_URL)

    with pytest.raises(EscapedRequest) as caught:
        transport.send("GET", made.token_url)

    assert str(caught.value) == STOPPED
    assert not asked


@pytest.mark.parametrize("way", [by_urllib, by_a_tunnel])
def test_so_is_one_of_a_client_that_no_transport_knows(
    way: Callable[[], None], asked: list[str]
) -> None:
    made = FakeOptum(base_url=BASE_URL)

    with pytest.raises(EscapedRequest) as caught:
        way()

    assert str(caught.value) == STOPPED
    assert not asked
    assert not made.exchanges


@IN_PROCESS
def test_when_it_is_entered_later_it_answers_and_its_end_lets_out(
    transport: Transport, asked: list[str]
) -> None:
    made = FakeOptum(base_url=BASE_URL)
    with pytest.raises(EscapedRequest):
        transport.send("GET", made.token_url)

    with made:
        status = ask(transport.send, made).status
    with pytest.raises(transport.connect_error):
        transport.send("GET", made.token_url)

    assert status == 200
    assert asked == [HOST]


@IN_PROCESS
def test_one_that_nobody_holds_any_more_lets_out(transport: Transport, asked: list[str]) -> None:
    url = FakeOptum(base_url=BASE_URL).token_url

    with pytest.raises(transport.connect_error):
        transport.send("GET", url)

    assert asked == [HOST]


@pytest.mark.parametrize("transports", [[], ()])
def test_one_that_intercepts_nothing_lets_out(
    transports: list[str] | tuple[str, ...], asked: list[str]
) -> None:
    made = FakeOptum(base_url=BASE_URL, transports=transports)

    with pytest.raises(requests.ConnectionError):
        requests.get(made.token_url)

    assert asked == [HOST]


def test_other_hosts_are_asked_as_ever(asked: list[str]) -> None:
    made = FakeOptum(base_url=BASE_URL)

    with pytest.raises(requests.ConnectionError):
        requests.get("https://other.invalid")

    assert asked == ["other.invalid"]
    assert not made.exchanges


def test_of_several_each_has_to_be_entered(asked: list[str]) -> None:
    made = FakeOptum(base_url=BASE_URL), FakeOptum(base_url="https://second.invalid")

    with made[1], pytest.raises(EscapedRequest) as beside_another:
        ask(send_with_requests, made[0])
    with made[0]:
        status = ask(send_with_requests, made[0]).status
    with pytest.raises(requests.ConnectionError):
        requests.get(made[0].token_url)

    assert str(beside_another.value) == STOPPED
    assert status == 200
    assert asked == [HOST]


def test_where_two_were_made_the_one_that_is_entered_answers(asked: list[str]) -> None:
    first, second = FakeOptum(base_url=BASE_URL), FakeOptum(base_url=BASE_URL)

    with first:
        status = ask(send_with_requests, first).status
    with pytest.raises(EscapedRequest) as caught:
        ask(send_with_requests, second)

    assert status == 200
    assert str(caught.value) == STOPPED


def test_a_start_that_failed_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    made = FakeOptum(base_url=BASE_URL)
    with monkeypatch.context() as broken:
        broken.setattr(transports.load("requests"), "install", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made.__enter__()

    with pytest.raises(EscapedRequest) as caught:
        requests.get(made.token_url)

    assert str(caught.value) == STOPPED


def covered() -> list[object]:
    """What the guard would change of the standard library."""
    return [http.client.HTTPConnection.set_tunnel, *sorted(vars(socket.socket))]


def connect_elsewhere() -> None:
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", 9))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that other tests have left, nor what somebody still holds of them."""
    monkeypatch.setattr(active, "_unentered", weakref.WeakKeyDictionary())
    transports.release()
    egress_guard.remove_unless_needed()


@pytest.mark.usefixtures("alone")
def test_its_guard_goes_with_its_end() -> None:
    before = covered()
    made = FakeOptum(base_url=BASE_URL)
    meanwhile = covered()
    with made:
        pass

    assert meanwhile != before
    assert covered() == before


@pytest.mark.usefixtures("alone")
def test_the_guard_of_one_that_is_gone_goes_with_the_next_connection() -> None:
    before = covered()
    FakeOptum(base_url=BASE_URL)
    gc.collect()
    connect_elsewhere()

    assert covered() == before


@pytest.mark.usefixtures("alone")
def test_a_connection_does_not_take_away_a_guard_that_is_just_put_in() -> None:
    before = covered()
    egress_guard.install()
    with egress_guard._lock:
        connect_elsewhere()
        meanwhile = covered()
    connect_elsewhere()

    assert meanwhile != before
    assert covered() == before


IMPORTS = """
import pytest
import requests
from pytest_optum_auth import FakeOptum

URL = "https://gateway.invalid"
"""
FIXTURE = """
@pytest.fixture(scope="%s")
def optum():
    return FakeOptum(base_url=URL)
"""


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_a_fixture_that_forgets_to_enter_it_is_told(scope: str, run: Run) -> None:
    result = run(
        f"""{IMPORTS}{FIXTURE % scope}
def test_it(optum):
    requests.get(optum.token_url)

def test_another(optum):
    requests.get(optum.token_url)
"""
    )

    result.assert_outcomes(failed=2)
    assert result.stdout.str().count(f"EscapedRequest: {STOPPED}") == 2


def test_one_of_a_module_may_be_entered_by_each_test(run: Run) -> None:
    result = run(
        f"""{IMPORTS}
optum = FakeOptum(base_url=URL)

@pytest.mark.parametrize("time", [1, 2])
def test_it(time):
    with optum:
        assert requests.get(optum.token_url).status_code == 405
"""
    )

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("place", ["", FIXTURE % "session"], ids=["in the test", "in a fixture"])
def test_beside_the_guard_of_the_session_the_test_is_named(place: str, run: Run) -> None:
    result = run(
        f"""{IMPORTS}{place}
def test_another(optum_auth):
    pass

def test_it({"optum" if place else ""}):
    {"" if place else "optum = FakeOptum(base_url=URL)"}
    try:
        requests.get(optum.token_url)
    except Exception:
        pass
"""
    )

    result.assert_outcomes(passed=2, errors=1)
    file = "test_beside_the_guard_of_the_session_the_test_is_named.py::test_it"
    assert part(result, "ERROR at teardown of test_it") == [
        f"{WITHOUT_FAKE} {file} opened it: {NOT_ENTERED}"
    ]


@pytest.mark.parametrize("beside", ["", "def test_fake(optum_auth): pass"], ids=["alone", "guard"])
def test_a_live_test_means_the_sandbox(
    beside: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTUM_CLIENT_ID", "a-client-of-nobody")
    monkeypatch.setenv("OPTUM_CLIENT_SECRET", "a-secret-of-nobody")

    result = run(
        f"""{IMPORTS}
optum = FakeOptum(base_url=URL)
{beside}

@pytest.mark.optum_live
def test_asks():
    with pytest.raises(requests.ConnectionError):
        requests.get(URL)
"""
    )

    assert set(result.parseoutcomes()) == {"passed"}


def test_a_script_without_pytest_is_told_too() -> None:
    script = """
        import sys, urllib.request
        from pytest_optum_auth import FakeOptum

        optum = FakeOptum(base_url="https://gateway.invalid")
        assert "pytest" not in sys.modules
        urllib.request.urlopen(optum.token_url)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith(f"EscapedRequest: {STOPPED}")
