"""No channel shows the live secret or a token; each is known to leak when nothing protects it."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
import trustme
from leak_runs import OUTPUTS, RUNS, LeakRun, leaks, run, suite_files
from live_runs import plain_environment
from stand_in import CLIENT_ID, CLIENT_SECRET, StandIn, serving

# What is shown: the secret in three spellings and cut, and tokens: of the fixture, of a client, and
# in an answer that nobody has decoded.
FORMS = ("raw", "form", "basic", "cut", "token", "client", "answer")
TABLE = configparser.ConfigParser()
TABLE.read(Path(__file__).with_name("leaky") / "channels.ini", "utf-8")
SINCE = {"Python 3.11": sys.version_info >= (3, 11), "pytest 9": pytest.version_tuple >= (9,)}
CELLS = [
    (channel, form)
    for section in TABLE.sections()
    if SINCE.get(section.partition(" since ")[2], True)
    for channels in TABLE[section].values()
    for channel in channels.split()
    for form in (FORMS if section.startswith("in every form") else FORMS[:1])
]
REPORTERS = (
    "pytest_metadata.plugin",
    "pytest_html.plugin",
    "pytest_html.fixtures",
    "pytest_reportlog.plugin",
    "pytest_jsonreport.plugin",
)
LeakRuns = Callable[[str, bool], tuple[LeakRun, StandIn]]


# Files of a run that goes wrong before or beside its reports, with the exit code that shows it.
ACCIDENTS = {
    "a module cannot be imported": (
        {"test_it.py": "import os; raise RuntimeError(os.environ['OPTUM_CLIENT_SECRET'])"},
        (),
        pytest.ExitCode.INTERRUPTED,
    ),
    "a conftest cannot be imported": (
        {"conftest.py": "import os; raise RuntimeError(os.environ['OPTUM_CLIENT_SECRET'])"},
        (),
        pytest.ExitCode.USAGE_ERROR,
    ),
    "a conftest refuses the configuration": (
        {
            "conftest.py": "import os, pytest\n"
            "def pytest_configure(): raise pytest.UsageError(os.environ['OPTUM_CLIENT_SECRET'])"
        },
        (),
        pytest.ExitCode.USAGE_ERROR,
    ),
    "a test ends the run": (
        {
            "test_it.py": "import os, pytest\n"
            "def test_it(): pytest.exit(os.environ['OPTUM_CLIENT_SECRET'])"
        },
        (),
        pytest.ExitCode.INTERRUPTED,
    ),
    "a hook fails": (
        {
            "test_it.py": "def test_it(): pass",
            "conftest.py": "import os\n"
            "def pytest_runtest_logfinish(): raise OSError(1, os.environ['OPTUM_CLIENT_SECRET'])",
        },
        (),
        pytest.ExitCode.INTERNAL_ERROR,
    ),
    "a hook fails in a worker": (
        {
            "test_it.py": "def test_it(): pass",
            "conftest.py": "import os\n"
            "def pytest_runtest_makereport(): raise OSError(1, os.environ['OPTUM_CLIENT_SECRET'])",
        },
        ("-n", "1"),
        # xdist prints the error and calls the run a success.
        pytest.ExitCode.OK,
    ),
    "no report takes what a conftest prints": (
        {"conftest.py": "import os; print(os.environ['OPTUM_CLIENT_SECRET'])"},
        ("--an-option-of-nobody",),
        pytest.ExitCode.USAGE_ERROR,
    ),
    "a module ends the run after it has printed": (
        {
            "test_it.py": "import os, sys\n"
            "print(os.environ['OPTUM_CLIENT_SECRET'], file=sys.stderr)\n"
            "raise KeyboardInterrupt"
        },
        (),
        pytest.ExitCode.INTERRUPTED,
    ),
    "a conftest prints where workers collect": (
        {
            "test_it.py": "def test_it(): pass",
            "conftest.py": "import os; print(os.environ['OPTUM_CLIENT_SECRET'])",
        },
        ("-n", "1"),
        pytest.ExitCode.OK,
    ),
}


def live_variables(token_url: str) -> dict[str, str]:
    """The environment of a live run and nothing else that the machine decides."""
    return {
        **plain_environment(os.environ),
        "OPTUM_CLIENT_ID": CLIENT_ID,
        "OPTUM_CLIENT_SECRET": CLIENT_SECRET,
        "OPTUM_TOKEN_URL": token_url,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


@pytest.fixture(scope="session")
def leak_runs(
    authority: trustme.CA, ca_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LeakRuns]:
    """The runs of the leaky suite by name, protected or not; each is run once."""
    with ExitStack() as servers:

        @cache
        def get(name: str, protected: bool) -> tuple[LeakRun, StandIn]:
            stand_in = servers.enter_context(serving(authority, StandIn()))
            environ = {**live_variables(stand_in.token_url), "SSL_CERT_FILE": str(ca_file)}
            # Measured for coverage, these runs would cost more than all other tests together.
            environ = {k: v for k, v in environ.items() if not k.startswith("COVERAGE_")}
            directory = tmp_path_factory.mktemp(name)
            loaded = [part for plugin in REPORTERS for part in ("-p", plugin)]
            arguments = [*loaded, *OUTPUTS, *RUNS[name]]
            files = suite_files()
            done = run(directory, environ, arguments, files=files, protected=protected)
            return done, stand_in

        yield get


@pytest.mark.parametrize("name", RUNS)
def test_nothing_that_a_run_writes_shows_the_secret_or_a_token(
    leak_runs: LeakRuns, name: str
) -> None:
    done, stand_in = leak_runs(name, True)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert len(stand_in.tokens) >= 2
    secrets = (CLIENT_SECRET, *stand_in.tokens)
    assert {
        name: found for name, text in done.outputs.items() if (found := leaks(text, *secrets))
    } == {}


def shown_by(leak_runs: LeakRuns, channel: str, form: str, *, protected: bool) -> str:
    """What all runs show of ``form`` by ``channel``."""
    runs = [leak_runs(name, protected)[0] for name in RUNS]
    return "\n".join(text for run in runs for text in run.shown[channel, form])


@pytest.mark.parametrize(("channel", "form"), CELLS)
def test_a_channel_is_masked_and_would_leak_unprotected(
    leak_runs: LeakRuns, channel: str, form: str
) -> None:
    masked = shown_by(leak_runs, channel, form, protected=True)
    plain = shown_by(leak_runs, channel, form, protected=False)
    tokens = [token for name in RUNS for token in leak_runs(name, False)[1].tokens]

    assert "[OPTUM_CLIENT_SECRET" in masked or "[token" in masked
    assert leaks(plain, CLIENT_SECRET, *tokens)


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_accident_is_masked_and_would_leak_unprotected(tmp_path: Path, accident: str) -> None:
    files, arguments, exit_code = ACCIDENTS[accident]
    environ = live_variables("https://localhost:1/token")
    masked_at, plain_at = tmp_path / "masked", tmp_path / "plain"
    masked_at.mkdir()
    plain_at.mkdir()

    masked = run(masked_at, environ, arguments, files=files)
    plain = run(plain_at, environ, arguments, files=files, protected=False)

    assert (masked.returncode, plain.returncode) == (exit_code, exit_code)
    assert "[OPTUM_CLIENT_SECRET" in "".join(masked.outputs.values())
    assert leaks("".join(masked.outputs.values()), CLIENT_SECRET) == []
    assert leaks("".join(plain.outputs.values()), CLIENT_SECRET)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_an_id_that_holds_the_secret_is_refused_before_anything_shows_it(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    source = (
        "import os, pytest\n"
        "@pytest.mark.parametrize('value', [os.environ['OPTUM_CLIENT_SECRET']])\n"
        "def test_it(value): pass\n"
    )
    environ = live_variables("https://localhost:1/token")

    done = run(tmp_path, environ, ("-v", *OUTPUTS[:1], *workers), files={"test_it.py": source})

    assert done.returncode != pytest.ExitCode.OK
    assert (
        "test_it.py:2: the id of this test holds a live secret or token. "
        "Give the parameter an id of its own: pytest.param(..., id='name').\n"
    ) in done.outputs["stdout"]
    assert leaks("".join(done.outputs.values()), CLIENT_SECRET) == []
