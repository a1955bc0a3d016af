"""Libraries that know the class datetime themselves, first imported under a clock or before it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import importlib.util
import time
from collections.abc import Callable

import pytest

from pytest_optum_auth import Clock, FakeOptum, faults

UTC = dt.timezone.utc


def orjson() -> dt.datetime:
    library = pytest.importorskip("orjson")
    return dt.datetime.fromisoformat(library.loads(library.dumps(dt.datetime.now(UTC))))


def msgspec() -> dt.datetime:
    library = pytest.importorskip("msgspec")
    written = library.json.encode({"at": dt.datetime.now(UTC)})
    return dt.datetime.fromisoformat(library.json.decode(written)["at"].replace("Z", "+00:00"))


def pydantic() -> dt.datetime:
    library = pytest.importorskip("pydantic")

    class Token(library.BaseModel):
        at: dt.datetime
        day: dt.date

    Token.model_rebuild(_types_namespace={"dt": dt})
    token = Token(at=dt.datetime.now(UTC), day=dt.date.today())
    return Token.model_validate_json(token.model_dump_json()).at


@dataclasses.dataclass
class Kept:
    at: dt.datetime


def dacite() -> dt.datetime:
    library = pytest.importorskip("dacite")

    @dataclasses.dataclass
    class Token:
        at: dt.datetime

    made = [library.from_dict(cls, {"at": dt.datetime.now(UTC)}) for cls in (Kept, Token)]
    moment: dt.datetime = made[0].at
    assert made[1].at >= moment
    return moment


def sqlalchemy() -> dt.datetime:
    library = pytest.importorskip("sqlalchemy")
    table = library.Table("tokens", library.MetaData(), library.Column("at", library.DateTime))
    engine = library.create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert().values(at=dt.datetime.now(UTC)))
        moment: dt.datetime = connection.execute(table.select()).scalar_one()
    return moment.replace(tzinfo=UTC)


def pandas() -> dt.datetime:
    library = pytest.importorskip("pandas")
    series = library.Series([dt.datetime.now(UTC)])
    assert str(series.dtype).startswith("datetime64")
    return library.Timestamp(dt.datetime.now(UTC)).to_pydatetime()


def polars() -> dt.datetime:
    library = pytest.importorskip("polars")
    frame = library.DataFrame({"at": [dt.datetime.now(UTC)]})
    assert isinstance(frame.schema["at"], library.Datetime)
    moment: dt.datetime = frame["at"][0]
    return moment


def pendulum() -> dt.datetime:
    moment: dt.datetime = pytest.importorskip("pendulum").now("UTC")
    return moment


def django() -> dt.datetime:
    settings = pytest.importorskip("django.conf").settings
    if not settings.configured:
        settings.configure(USE_TZ=True, TIME_ZONE="America/New_York")
    timezone = importlib.import_module("django.utils.timezone")
    moment: dt.datetime = timezone.localtime(timezone.now())
    return moment


def cryptography() -> dt.datetime:
    library = pytest.importorskip("cryptography.x509")
    name = library.Name([library.NameAttribute(library.NameOID.COMMON_NAME, "gateway")])
    key = importlib.import_module(
        "cryptography.hazmat.primitives.asymmetric.ed25519"
    ).Ed25519PrivateKey.generate()
    now = dt.datetime.now(UTC).replace(microsecond=0)
    certificate = (
        library.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(1))
        .sign(key, None)
    )
    moment: dt.datetime = certificate.not_valid_before_utc
    return moment


USES = [
    orjson,
    msgspec,
    pydantic,
    dacite,
    sqlalchemy,
    pandas,
    polars,
    pendulum,
    django,
    cryptography,
]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_it_takes_the_time_of_the_clock(use: Callable[[], dt.datetime]) -> None:
    with Clock("2031-01-01T00:00:00Z") as clock:
        assert use() == clock.now
    assert abs(use().timestamp() - time.time()) < 60
    with Clock("2032-01-01T00:00:00Z") as clock:
        assert use() == clock.now


@pytest.mark.parametrize("name", [use.__name__ for use in USES])
def test_it_is_whole_after_it_was_first_imported_under_a_clock(
    name: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an interpreter that has not got it yet."""
    # Plugins of other libraries would bring it.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # Not imported here: pytester takes out again what a test of its own has imported.
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    source = f"""
import sys, time
sys.path.insert(0, {str(__file__.rpartition("/")[0])!r})
import pytest
from test_clock_and_libraries import {name} as use

@pytest.mark.optum_clock("2031-01-01T00:00:00Z")
def test_1_under_the_clock(optum_clock):
    assert {name!r} not in sys.modules
    assert use() == optum_clock.now

def test_2_without_one():
    assert abs(use().timestamp() - time.time()) < 60

@pytest.mark.optum_clock("2032-01-01T00:00:00Z")
def test_3_under_another(optum_clock):
    assert use() == optum_clock.now
"""
    file = pytester.makepyfile(source)
    ran = pytester.runpytest_subprocess("-p", "optum_auth", str(file))
    ran.assert_outcomes(passed=3)


def test_a_cache_of_cachetools_that_is_made_in_the_test_forgets_by_the_clock() -> None:
    library = pytest.importorskip("cachetools")
    with Clock("2031-01-01T00:00:00Z") as clock:
        cache = library.TTLCache(maxsize=1, ttl=60)
        cache["token"] = 1
        clock.tick(59)
        assert "token" in cache
        clock.tick(1)
        assert "token" not in cache


@pytest.mark.optum_clock(sleep_moves=True)
def test_a_deadline_of_tenacity_comes_true(optum_clock: Clock) -> None:
    tenacity = pytest.importorskip("tenacity")
    tries: list[float] = []

    @tenacity.retry(stop=tenacity.stop_after_delay(30), wait=tenacity.wait_fixed(4))
    def fetch() -> None:
        tries.append(time.time())
        raise OSError

    with pytest.raises(tenacity.RetryError):
        fetch()

    assert [each - tries[0] for each in tries] == [0, 4, 8, 12, 16, 20, 24, 28, 32]


@pytest.mark.optum_clock(sleep_moves=True)
def test_a_deadline_of_backoff_comes_true(optum_clock: Clock) -> None:
    backoff = pytest.importorskip("backoff")
    tries: list[float] = []

    @backoff.on_exception(backoff.constant, OSError, max_time=30, interval=4, jitter=None)
    def fetch() -> None:
        tries.append(time.time())
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        fetch()

    assert 8 <= len(tries) <= 9
    assert tries[-1] - tries[0] <= 32


@pytest.mark.optum_clock(sleep_moves=True)
def test_a_backoff_of_urllib3_moves_the_clock(optum_auth: FakeOptum, optum_clock: Clock) -> None:
    requests = pytest.importorskip("requests")
    retry = importlib.import_module("urllib3.util").Retry
    optum_auth.inject(faults.gateway_error(503), times=3)
    session = requests.Session()
    again = retry(3, backoff_factor=8, status_forcelist=[503], allowed_methods=None)
    session.mount("https://", requests.adapters.HTTPAdapter(max_retries=again))
    before = optum_clock.time

    answer = session.post(optum_auth.token_url, data={})

    assert answer.status_code == 415
    assert optum_clock.time > before + 8


def test_advance_on_uvloop_says_that_it_would_wake_nobody(optum_clock: Clock) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        await optum_clock.advance(3600)

    with pytest.raises(RuntimeError, match=r"cannot see the timers of this event loop \(uvloop\."):
        uvloop.run(main())


def test_a_struct_of_msgspec_that_is_made_under_a_clock_needs_the_real_classes(
    optum_clock: Clock,
) -> None:
    """What cannot be mended, and the way round."""
    library = pytest.importorskip("msgspec")
    with optum_clock.real():
        token = library.defstruct("Token", [("at", dt.datetime)])
    written = library.json.encode(token(dt.datetime.now(UTC)))

    assert library.json.decode(written, type=token).at == optum_clock.now
