"""The timeline as a picture: what it shows of the story, in shapes that need no colours."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from xml.etree import ElementTree

import inner_runs
import pytest
import requests
from token_requests import fields

from pytest_optum_auth import Clock, FakeOptum, faults
from pytest_optum_auth.plugin.pictures import file_name

Run = inner_runs.Run
SVG = "{http://www.w3.org/2000/svg}"
TOKEN_ROW, API_ROW = 52, 84
API = "/oihub/claim/inquiry/v1"


class Picture:
    """The shapes of a picture, by what they stand for."""

    def __init__(self, source: str) -> None:
        self.root = ElementTree.fromstring(source)
        self.told = [title.text or "" for title in self.root.iter(f"{SVG}title")]
        self.texts = [text.text or "" for text in self.root.iter(f"{SVG}text")]

    def bar(self, number: int) -> tuple[float, float]:
        """From where to where the bar of that token goes."""
        groups = self.root.iter(f"{SVG}g")
        [bar] = [g[1] for g in groups if (g[0].text or "").startswith(f"token #{number} ")]
        x, width = float(bar.attrib["x"]), float(bar.attrib["width"])
        return x, x + width

    def marks(self) -> list[tuple[str, str]]:
        """The shape of each request, and what it tells."""
        groups = self.root.iter(f"{SVG}g")
        return [(shape_of(g[1]), g[0].text or "") for g in groups if ": " in (g[0].text or "")]

    def x_of(self, moment: str) -> float:
        """Where the axis has that moment."""
        [x] = [float(t.attrib["x"]) for t in self.root.iter(f"{SVG}text") if t.text == moment]
        return x


def shape_of(shape: ElementTree.Element) -> str:
    hollow = "hollow " if shape.attrib["fill"] == "#fbfcfd" else ""
    name = shape.tag.removeprefix(SVG)
    path = shape.attrib.get("d", "")
    return hollow + (name if name != "path" else "cross" if "m0 -10" in path else "triangle")


@pytest.fixture
def ask(optum_auth: FakeOptum) -> Callable[[], None]:
    """A request to a protected API with the last token."""
    optum_auth.protect("GET", API)

    def ask() -> None:
        headers = {"Authorization": f"Bearer {optum_auth.last_token}"}
        requests.get(f"{optum_auth.base_url}{API}", headers=headers)

    return ask


def fetch(optum: FakeOptum) -> None:
    requests.post(optum.token_url, data=fields(optum))


def test_every_kind_of_answer_has_a_shape_of_its_own(
    optum_auth: FakeOptum, ask: Callable[[], None]
) -> None:
    optum_auth.inject(faults.server_error())
    fetch(optum_auth)
    fetch(optum_auth)
    ask()
    optum_auth.revoke()
    ask()
    optum_auth.issue_token()
    optum_auth.protect("GET", API, status=503)
    ask()

    assert Picture(optum_auth.timeline_svg()).marks() == [
        ("hollow rect", "requests POST …/sntl/v1/token: 500, fault: server_error()"),
        ("rect", "requests POST …/sntl/v1/token: 200, issued token #1"),
        ("circle", "requests GET …/inquiry/v1: 200, token #1 accepted"),
        ("cross", "requests GET …/inquiry/v1: 401, token #1 was revoked"),
        ("hollow triangle", "requests GET …/inquiry/v1: 503, token #2 accepted"),
    ]


def test_a_request_without_an_answer_is_drawn_as_a_failure(
    optum_auth: FakeOptum, ask: Callable[[], None]
) -> None:
    optum_auth.inject(faults.timeout())
    with pytest.raises(requests.Timeout):
        requests.post(optum_auth.token_url, data=fields(optum_auth), timeout=1)

    [(shape, told)] = Picture(optum_auth.timeline_svg()).marks()
    assert shape == "hollow rect"
    assert told == "requests POST …/sntl/v1/token: no answer, fault: timeout()"


def test_a_token_lives_from_its_issue_to_its_end(optum_auth: FakeOptum, optum_clock: Clock) -> None:
    fetch(optum_auth)
    optum_clock.expire_token()
    optum_clock.tick(800)
    fetch(optum_auth)

    picture = Picture(optum_auth.timeline_svg())
    begin, end = picture.bar(1)
    assert (begin, end) == (picture.x_of("+0 s"), picture.x_of("+7200 s"))
    assert begin < end < picture.x_of("+8000 s") == picture.bar(2)[0]
    assert picture.texts.count("expires") == 1
    assert "token #1 of optum-test-client-1, good for 7200 s" in picture.told


def test_a_token_that_outlives_the_story_has_no_end(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    fetch(optum_auth)

    picture = Picture(optum_auth.timeline_svg())
    assert picture.bar(1)[1] > picture.x_of("+0 s") + 100
    assert not {"expires", "revoked"} & {*picture.texts}


def test_a_revoked_token_ends_when_it_was_revoked(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    fetch(optum_auth)
    optum_clock.tick(60)
    optum_auth.revoke()
    optum_clock.tick(60)
    fetch(optum_auth)

    picture = Picture(optum_auth.timeline_svg())
    assert picture.bar(1)[1] == picture.x_of("+60 s")
    assert [text for text in picture.texts if "revoked" in text] == ["revoked", "token #1 revoked"]


def test_a_token_that_had_expired_is_not_drawn_as_revoked(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    fetch(optum_auth)
    optum_clock.tick(8000)
    optum_auth.revoke_all()

    picture = Picture(optum_auth.timeline_svg())
    assert picture.bar(1)[1] == picture.x_of("+7200 s")
    assert "expires" in picture.texts


def test_a_token_without_a_request_begins_at_the_next_moment(
    optum_auth: FakeOptum, optum_clock: Clock, ask: Callable[[], None]
) -> None:
    optum_auth.issue_token()
    ask()
    optum_auth.issue_token()

    picture = Picture(optum_auth.timeline_svg())
    assert picture.bar(1)[0] == picture.bar(2)[0] == picture.x_of("+0 s")


@pytest.mark.optum_auth(clock_skew=300)
def test_the_lives_are_drawn_on_the_clients_clock(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    fetch(optum_auth)
    optum_clock.tick(7200)
    fetch(optum_auth)

    picture = Picture(optum_auth.timeline_svg())
    assert picture.bar(1) == (picture.x_of("+0 s"), picture.x_of("+7200 s"))


def test_time_that_moves_back_goes_on_to_the_right(
    optum_auth: FakeOptum, optum_clock: Clock, ask: Callable[[], None]
) -> None:
    for _ in range(2):
        fetch(optum_auth)
        optum_clock.tick(-30)
    ask()

    picture = Picture(optum_auth.timeline_svg())
    assert picture.x_of("+0 s") < picture.x_of("-30 s") < picture.x_of("-60 s")


def test_what_happens_between_requests_stands_above_them(
    optum_auth: FakeOptum, optum_clock: Clock
) -> None:
    optum_auth.rotate_secret()
    optum_clock.tick(5)
    optum_auth.add_client("a-client-whose-name-is-long")
    optum_auth.rotate_secret("a-client-whose-name-is-long")

    told = [text for text in Picture(optum_auth.timeline_svg()).texts if "secret" in text]
    assert told == [
        "secret of 'optum-test-client-1' rotated",
        "secret of 'a-client-whose-name-is-long' ",
    ]


def test_of_a_long_story_the_middle_is_left_out(optum_auth: FakeOptum) -> None:
    for _ in range(210):
        fetch(optum_auth)

    picture = Picture(optum_auth.timeline_svg())
    assert "... 11 more in the middle ..." in picture.texts
    assert len(picture.marks()) == 199
    assert "token #210" in picture.texts
    assert "token #160" not in picture.texts


def test_a_story_without_requests_is_an_empty_picture(optum_auth: FakeOptum) -> None:
    assert Picture(optum_auth.timeline_svg()).marks() == []


def test_no_secret_and_no_token_stands_in_it(
    optum_auth: FakeOptum, ask: Callable[[], None]
) -> None:
    fetch(optum_auth)
    ask()
    requests.post(optum_auth.token_url, data={"client_secret": "<&\"'>", **fields(optum_auth)})

    picture = optum_auth.timeline_svg()
    assert optum_auth.credentials.client_secret not in picture
    assert str(optum_auth.last_token) not in picture


FAILING = """
def test_fails(optum_auth):
    optum_auth.issue_token()
    assert not optum_auth.tokens

def test_passes(optum_auth):
    assert not optum_auth.tokens

def test_without_a_fake():
    assert False
"""


def test_a_failed_test_leaves_its_picture_in_the_folder(
    run: Run, pytester: pytest.Pytester
) -> None:
    result = run(FAILING, "--optum-timelines=pictures")

    [picture] = (pytester.path / "pictures").iterdir()
    assert picture.name.startswith("test_a_failed_test")
    assert picture.name.endswith("test_fails.svg")
    assert Picture(picture.read_text(encoding="utf-8")).texts.count("token #1") == 1
    result.stdout.fnmatch_lines(["* Optum timeline *", f"pictures?{picture.name}"])


def test_without_the_option_nothing_is_written(run: Run, pytester: pytest.Pytester) -> None:
    run(FAILING)

    assert not list(pytester.path.rglob("*.svg"))


def test_the_picture_stands_in_the_report_of_pytest_html(
    run: Run, pytester: pytest.Pytester
) -> None:
    options = ("-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin", "--html=report.html")
    run(FAILING, *options, "-p", "no:cacheprovider")

    report = (pytester.path / "report.html").read_text(encoding="utf-8")
    assert report.count("Optum traffic: 0 requests, 1 tokens") == 1


def reported(nodeid: str, when: str = "call") -> pytest.TestReport:
    return pytest.TestReport(nodeid, ("", 0, ""), {}, "failed", None, when)


@pytest.mark.parametrize(
    ("nodeid", "when", "name"),
    [
        ("test_a.py::test_it", "call", "test_a.py-test_it.svg"),
        ("tests/test_a.py::TestA::test_it[x-1]", "call", "tests-test_a.py-TestA-test_it[x-1].svg"),
        ("test_a.py::test_it", "teardown", "test_a.py-test_it-teardown.svg"),
    ],
)
def test_a_file_is_named_as_its_test(nodeid: str, when: str, name: str) -> None:
    assert file_name(reported(nodeid, when)) == name


def test_two_tests_never_share_a_file() -> None:
    nodeids = [
        f"test_a.py::test_it[{part}]"
        for part in ("a-b", "a/b", "a:b", "a::b", "a b", "x" * 200, "y" * 200)
    ]

    names = [file_name(reported(nodeid)) for nodeid in nodeids]
    assert all(len(name) < 140 and "/" not in name and ":" not in name for name in names)
    assert all(one != other for one, other in itertools.combinations(names, 2))


def test_a_token_tells_when_it_was_revoked_first(optum_auth: FakeOptum) -> None:
    token = optum_auth.issue_token()

    assert token.revoked_at is None
    optum_auth.revoke()
    first = token.revoked_at
    optum_auth.revoke_all()
    assert isinstance(first, dt.datetime)
    assert token.revoked_at == first
