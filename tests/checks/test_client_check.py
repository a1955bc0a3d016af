"""The fixture ``optum_client_check``: its items, its marker, and how a test fails by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from inner_runs import Run, part

from pytest_optum_auth.checks.promises import PROMISES

HERE = Path(__file__)
# As many items has a test.
EACH = len(PROMISES)
HEADER = """
import pytest
from promising_clients import *

@pytest.fixture
def call(optum_auth):
    optum_auth.protect("POST", API)
    return in_threads(GoodClient(optum_auth), post_with_requests)

@pytest.fixture
def broken_call(optum_auth):
    optum_auth.protect("POST", API)
    return in_threads(NeedsExpiresIn(optum_auth), post_with_requests)
"""


def test_a_test_has_an_item_for_each_promise(run: Run) -> None:
    result = run(
        f"{HEADER}\ndef test_it(call, optum_client_check):\n    optum_client_check(call)\n", "-v"
    )

    result.assert_outcomes(passed=EACH)
    result.stdout.fnmatch_lines([f"*::test_it[[]{promise}[]] PASSED*" for promise in PROMISES])


def test_k_selects_a_promise(run: Run) -> None:
    result = run(
        f"{HEADER}\ndef test_it(call, optum_client_check):\n    optum_client_check(call)\n",
        "-k",
        "reuses-token or single-flight",
    )

    result.assert_outcomes(passed=2, deselected=EACH - 2)


def test_a_broken_promise_is_a_paragraph_and_the_timeline(run: Run) -> None:
    result = run(
        f"{HEADER}\ndef test_it(broken_call, optum_client_check):\n"
        "    optum_client_check(broken_call)\n"
    )

    result.assert_outcomes(passed=EACH - 1, failed=1)
    assert part(result, "test_it[no-expires-in]") == [
        "no-expires-in is broken. No answer of the token endpoint had expires_in, and the check",
        "called the client twice. The client raised KeyError: 'expires_in'. In production: the",
        "day the field is left out, as the standard allows, every call fails with a KeyError. To",
        "mend it, without expires_in, take a short life for granted (five minutes), and a 401 for",
        "the end. Source: RFC 6749 section 5.1: expires_in is recommended only.",
    ]
    assert part(result, "Optum traffic") == [
        "+0 s  requests  POST …/sntl/v1/token  200  fault: without('expires_in'), issued token #1",
    ]
    result.stdout.no_fnmatch_line("*checks.client_check*")


TESTS_OF_ALL_KINDS = """
pytestmark = pytest.mark.optum_client_check(only=["reuses-token", "no-expires-in"])

class TestInAClass:
    def test_method(self, call, optum_client_check):
        optum_client_check(call)

@pytest.mark.parametrize("a", [1, 2])
@pytest.mark.parametrize("b", ["x"])
def test_with_parameters(a, call, optum_client_check, b):
    optum_client_check(call)

@pytest.fixture
def through_a_fixture(optum_client_check):
    return optum_client_check

def test_through_a_fixture(call, through_a_fixture):
    through_a_fixture(call)

@pytest.mark.anyio
async def test_coroutine(optum_auth, optum_client_check):
    optum_auth.protect("POST", API)
    client = GoodClient(optum_auth)
    await optum_client_check.run_async(in_tasks(client, post_with_httpx_async))

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


@pytest.mark.parametrize("workers", [[], ["-p", "xdist.plugin", "-n", "2"]], ids=["one", "xdist"])
def test_tests_of_all_kinds_have_their_column(run: Run, workers: list[str]) -> None:
    # The workers have a path of their own.
    importing = f"import sys\nsys.path[:0] = {[*map(str, HERE.parents[:2])]}\n"

    result = run(f"{importing}{HEADER}{TESTS_OF_ALL_KINDS}", "-p", "anyio", *workers)

    result.assert_outcomes(passed=10)
    header, *rows = part(result, "promises of a good client")
    assert header.split() == [
        "promise",
        "test_coroutine",
        "test_through_a_fixture",
        "test_with_parameters[x-1]",
        "test_with_parameters[x-2]",
        "test_method",
    ]
    assert [row.split() for row in rows[:2]] == [
        ["reuses-token", *["kept"] * 5],
        ["no-expires-in", *["kept"] * 5],
    ]


def test_the_check_of_an_autouse_fixture_gives_every_test_its_items(run: Run) -> None:
    result = run(
        f"""{HEADER}
@pytest.fixture(autouse=True)
def checked(call, optum_client_check):
    optum_client_check(call)

@pytest.mark.optum_client_check(only=["reuses-token"])
def test_it():
    pass
"""
    )

    result.assert_outcomes(passed=1)


KNOWN = f"""{HEADER}
pytestmark = pytest.mark.optum_client_check(known={{"no-expires-in": "of the module"}})

@pytest.mark.optum_client_check(known={{"no-expires-in": "of the class"}})
class TestKnown:
    @pytest.mark.optum_client_check(only=["no-expires-in", "reuses-token"])
    def test_broken(self, broken_call, optum_client_check):
        optum_client_check(broken_call)

    @pytest.mark.optum_client_check(only=["no-expires-in"], known={{"reuses-token": "too"}})
    def test_kept(self, call, optum_client_check):
        optum_client_check(call)
"""


def test_a_known_one_is_a_strict_xfail_with_its_reason(run: Run) -> None:
    result = run(KNOWN, "-rx")

    result.assert_outcomes(passed=1, xfailed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["XFAIL *::TestKnown::test_broken[[]no-expires-in[]] - of the class"]
    )
    assert part(result, "TestKnown.test_kept[no-expires-in]") == [
        "[XPASS(strict)] of the class",
    ]


def test_an_empty_list_of_the_nearest_marker_means_all_again(run: Run) -> None:
    result = run(
        f"""{HEADER}
@pytest.mark.optum_client_check(only=["reuses-token"])
class TestAll:
    @pytest.mark.optum_client_check(only=[])
    def test_it(self, call, optum_client_check):
        optum_client_check(call)
""",
        "--collect-only",
    )

    result.stdout.fnmatch_lines([f"*{EACH} tests collected*"])


def test_the_table_tells_what_is_known(run: Run) -> None:
    result = run(KNOWN)

    assert part(result, "promises of a good client") == [
        "promise        test_broken  test_kept",
        "reuses-token   kept         -",
        "no-expires-in  known        kept",
        "kept           1 of 2       1 of 1",
        "known: no-expires-in in test_broken: of the class",
    ]


def test_a_known_one_does_not_cover_a_mistake_of_the_test(run: Run) -> None:
    result = run(
        f"""{HEADER}
@pytest.mark.optum_client_check(known={{"reuses-token": "really"}}, only=["reuses-token"])
@pytest.mark.parametrize("mistake", ["in the test", "in the call"])
def test_it(call, optum_client_check, mistake):
    if mistake == "in the test":
        raise RuntimeError(mistake)
    optum_client_check(lambda: None)
"""
    )

    result.assert_outcomes(failed=2)


ALL = ", ".join(PROMISES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'reuses-token'", " takes no argument without a name: known are known, only"),
        ("skip=[]", ": unknown keyword 'skip': known are known, only"),
        ("known=['x']", ": known=['x'] must map promises to reasons"),
        ("known={'x': 'y'}", f": unknown promise 'x': known are {ALL}"),
        ("known={'reuses-token': ' '}", ": known['reuses-token']=' ' must be the reason, as text"),
        ("known={'reuses-token': 1}", ": known['reuses-token']=1 must be the reason, as text"),
        ("only='reuses-token'", ": only='reuses-token' must be a list of promises"),
        ("only=1", ": only=1 must be a list of promises"),
        ("only=['x', 'reuses-token']", f": unknown promise 'x': known are {ALL}"),
    ],
)
def test_a_marker_that_makes_no_sense_is_told_once(run: Run, arguments: str, message: str) -> None:
    result = run(
        f"{HEADER}\n@pytest.mark.optum_client_check({arguments})\n"
        "def test_it(call, optum_client_check):\n    optum_client_check(call)\n"
    )

    result.assert_outcomes(errors=1)
    told = part(result, "ERROR at setup of test_it[usage-error]")
    assert told[0] == f"usage error: @pytest.mark.optum_client_check{message}"


def test_one_that_asks_for_it_too_late_is_told_so(run: Run) -> None:
    result = run("def test_it(request):\n    request.getfixturevalue('optum_client_check')\n")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["optum_client_check runs a test once for each promise: name it among the test's *"]
    )


def test_a_wrong_call_is_told_once(run: Run) -> None:
    result = run(
        f"{HEADER}\ndef test_it(call, optum_client_check):\n    optum_client_check(lambda: None)\n",
        "-rs",
    )

    result.assert_outcomes(failed=1, skipped=EACH - 1)
    assert part(result, "test_it[documented-request]")[:2] == [
        "the call itself is wrong, no promise can be judged by it: it made no request to",
        "https://sandbox-apigw.optum.com; it returned as if all was well, without an API request",
    ]
    result.stdout.fnmatch_lines(
        [
            f"SKIPPED [[]{EACH - 1}[]] *: not judged: "
            "test_a_wrong*::test_it[[]documented-request[]] tells why"
        ]
    )


def test_another_test_is_judged_all_the_same(run: Run) -> None:
    result = run(
        f"""{HEADER}
@pytest.mark.parametrize("right", [False, True])
def test_it(call, optum_client_check, right):
    optum_client_check(call if right else lambda: None)
"""
    )

    result.assert_outcomes(failed=1, skipped=EACH - 1, passed=EACH)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "pass",
            "optum_client_check was never called: hand it the call, as in "
            "optum_client_check(lambda: client.check('member-1')), in a coroutine `await "
            "optum_client_check.run_async(call)`",
        ),
        (
            "optum_client_check(call())",
            "the check is handed the call itself, and this is a NoneType: as in "
            "optum_client_check(lambda: client.check('member-1'))",
        ),
        (
            "task = in_tasks(GoodClient(optum_auth), post_with_aiohttp); "
            "optum_client_check(task())",
            "the check is handed the call itself, and this is a coroutine: as in "
            "optum_client_check(lambda: client.check('member-1'))",
        ),
        (
            "task = in_tasks(GoodClient(optum_auth), post_with_aiohttp); "
            "asyncio.run(optum_client_check.run_async(task()))",
            "the check is handed the call itself, and this is a coroutine: as in "
            "optum_client_check(lambda: client.check('member-1'))",
        ),
        (
            "optum_client_check(call); optum_client_check(call)",
            "optum_client_check was called twice: one test tries one call",
        ),
        (
            "optum_client_check(in_tasks(GoodClient(optum_auth), post_with_aiohttp))",
            "the call is a coroutine function: use `await optum_client_check.run_async(call)`",
        ),
        (
            "task = in_tasks(GoodClient(optum_auth), post_with_aiohttp); "
            "optum_client_check(lambda: task())",
            "the call gives a coroutine: use `await optum_client_check.run_async(call)`",
        ),
        (
            "asyncio.run(optum_client_check.run_async(call))",
            "the call gives nothing to await: use `optum_client_check(call)`",
        ),
    ],
    ids=[
        "never",
        "result",
        "coroutine",
        "coroutine awaited",
        "twice",
        "coroutine function",
        "gives a coroutine",
        "gives no coroutine",
    ],
)
def test_a_check_that_is_used_in_a_wrong_way_says_how_it_is_used(
    run: Run, body: str, message: str
) -> None:
    result = run(f"{HEADER}\ndef test_it(call, optum_auth, optum_client_check):\n    {body}\n")

    result.assert_outcomes(failed=1, skipped=EACH - 1)
    assert part(result, "test_it[documented-request]")[0] == message


def test_the_failure_of_a_test_that_does_not_get_to_its_check_is_its_own(run: Run) -> None:
    result = run(
        f"""{HEADER}
@pytest.mark.optum_client_check(only=["reuses-token"])
def test_it(optum_client_check):
    raise RuntimeError("no client")
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*never called*")
    assert part(result, "promises of a good client")[1] == "reuses-token  not judged"


def test_the_table_is_written_as_markdown(run: Run, pytester: pytest.Pytester) -> None:
    run(KNOWN, "--optum-client-table=reports/table.md")

    assert (pytester.path / "reports/table.md").read_text() == (
        "| promise | test_broken | test_kept |\n"
        "| --- | --- | --- |\n"
        "| reuses-token | kept | - |\n"
        "| no-expires-in | known | kept |\n"
        "| kept | 1 of 2 | 1 of 1 |\n"
        "\n"
        "- known: no-expires-in in test_broken: of the class\n"
    )


def test_a_run_without_a_check_has_no_table(run: Run, pytester: pytest.Pytester) -> None:
    result = run("def test_it():\n    pass\n", "--optum-client-table=table.md")

    result.stdout.no_fnmatch_line("*promises of a good client*")
    assert not (pytester.path / "table.md").exists()


def test_a_test_that_is_repeated_counts_as_it_ended(run: Run) -> None:
    result = run(
        f"""{HEADER}
tries = []

@pytest.mark.optum_client_check(only=["no-expires-in"])
def test_it(call, broken_call, optum_client_check):
    tries.append(1)
    optum_client_check(broken_call if len(tries) == 1 else call)
""",
        "-p",
        "pytest_rerunfailures",
        "--reruns=1",
    )

    assert part(result, "promises of a good client")[1] == "no-expires-in  kept"


def test_tests_of_the_same_name_are_told_apart(run: Run, pytester: pytest.Pytester) -> None:
    body = (
        f"{HEADER}\npytestmark = pytest.mark.optum_client_check(only=['reuses-token'])\n"
        "def test_it(call, optum_client_check):\n    optum_client_check(call)\n"
    )
    pytester.makepyfile(test_one=body, test_two=body)

    result = run("")

    header = part(result, "promises of a good client")[0]
    assert header.split() == ["promise", "test_one.py::test_it", "test_two.py::test_it"]


def test_a_report_shows_no_secret_that_the_client_logged_or_printed(run: Run) -> None:
    result = run(
        f"""{HEADER}
class Leaky(NeedsExpiresIn):
    def fetch(self):
        print("printed", self.secret)
        logging.getLogger("eligibility").warning("logged %s", self.secret)
        return (yield from super().fetch())

@pytest.mark.optum_client_check(only=["no-expires-in", "keeps-secrets"])
def test_it(optum_auth, optum_client_check):
    optum_auth.protect("POST", API)
    optum_client_check(in_threads(Leaky(optum_auth), post_with_requests))
"""
    )

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["printed [[]client_secret]", "*logged [[]client_secret]"])
    result.stdout.no_fnmatch_line("*s3cr3t*")


def test_what_a_scenario_does_not_reach_is_no_fault_of_the_test(run: Run) -> None:
    result = run(
        f"""{HEADER}
from pytest_optum_auth import faults

@pytest.mark.optum_client_check(only=["wrong-secret"])
def test_it(optum_auth, call, optum_client_check):
    optum_auth.protect("POST", "/other").inject(faults.timeout())
    optum_client_check(call)
"""
    )

    result.assert_outcomes(passed=1)
