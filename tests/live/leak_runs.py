"""Inner runs of the leaky suite, with everything that they put out, and the search for leaks."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from urllib.parse import quote, quote_plus

from live_runs import PLUGINS

_SUITE = Path(__file__).with_name("leaky")
OUTPUTS = (
    "--junitxml=out/junit.xml",
    "--report-log=out/report.jsonl",
    "--html=out/report.html",
    "--json-report",
    "--json-report-file=out/report.json",
    "--log-file=out/log.txt",
    "--log-file-format=%(message)s %(more)s",
)
RUNS: Mapping[str, tuple[str, ...]] = {
    "captured": (
        "--doctest-modules",
        *("-vv", "-l", "-rA", "--setup-show", "--durations=0"),
        *("-o", "log_cli=true", "-o", "junit_family=xunit1", "-o", "junit_logging=all"),
    ),
    # The other forms take the same way as these.
    "uncaptured": ("-s", "--tb=native", "--color=yes", "-k", "raw or answer"),
    "workers": ("-n", "1", "-l", "-vv", "-rA", "--capture=tee-sys", "-k", "raw or answer"),
}
_UNPROTECTED = """
from pytest_optum_auth.live.redaction.redactor import Redactor
Redactor.redact = lambda self, text: text
Redactor.redact_bytes = lambda self, data: data
Redactor.holds = lambda self, text: False
"""


_MARK = re.compile(r"@@(\w+)/(\w+)@@")


@dataclass(frozen=True)
class LeakRun:
    """All that a run put out, by file name."""

    outputs: Mapping[str, str]
    returncode: int

    @cached_property
    def shown(self) -> dict[tuple[str, str], list[str]]:
        """What stands behind the marks of each channel and form, some hundred characters."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for text in self.outputs.values():
            for match in _MARK.finditer(text):
                found[match[1], match[2]].append(text[match.end() : match.end() + 300])
        return found


def run(
    directory: Path,
    environ: Mapping[str, str],
    arguments: Iterable[str],
    *,
    files: Mapping[str, str],
    protected: bool = True,
) -> LeakRun:
    """Run pytest on ``files`` in ``directory`` and gather everything it wrote anywhere."""
    (directory / "out").mkdir()
    for name, text in files.items():
        directory.joinpath(name).write_text(text)
    plugins = [*PLUGINS, "-p", "xdist.plugin"]
    if not protected:
        directory.joinpath("unprotected.py").write_text(_UNPROTECTED)
        plugins += ["-p", "unprotected"]
    command = [sys.executable, "-m", "pytest", *plugins, *arguments]
    done = subprocess.run(command, cwd=directory, env=dict(environ), capture_output=True)
    outputs = {"stdout": done.stdout.decode(), "stderr": done.stderr.decode()}
    outputs["names"] = "\n".join(map(str, directory.rglob("*")))
    for path in directory.rglob("*"):
        if path.is_file() and path.name not in files:
            outputs[str(path.relative_to(directory))] = path.read_text("utf-8", "replace")
    return LeakRun(outputs, done.returncode)


def suite_files() -> dict[str, str]:
    """The suite that leaks: its tests, a doctest, and a conftest."""
    texts = {path.name.removesuffix(".txt"): path.read_text() for path in _SUITE.glob("*.txt")}
    # Under these names here, pytest would collect them.
    return {n if n == "conftest.py" else f"test_{n}": text for n, text in texts.items()}


def leaks(text: str, *secrets: str) -> list[str]:
    """The pieces of ``text`` that can only come from a secret; a few of them."""
    parts = parts_of_all(secrets)
    # Many a line stands there several times.
    lines = dict.fromkeys(text.split("\n"))
    pieces = (line[i : i + n] for line in lines for i in range(len(line) - 7) for n in (8, 16))
    return list(islice((piece for piece in pieces if piece in parts), 5))


@cache
def parts_of_all(secrets: tuple[str, ...]) -> frozenset[str]:
    """All of them together: the table asks the same again and again."""
    return frozenset().union(*map(parts_of, secrets))


@cache
def parts_of(secret: str) -> frozenset[str]:
    """All runs of eight characters in the forms of ``secret``.

    Of the hexadecimal one, sixteen: eight of its digits stand in many a duration by chance.
    """
    texts = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)]
    texts += [json.dumps(secret)[1:-1], repr(secret)[1:-1], repr(secret.encode())[2:-1]]
    texts.append(json.dumps(json.dumps(secret))[3:-3])
    for offset in range(3):
        # Three bytes further the characters depend on the secret alone.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            texts.append(encode(b":" * offset + secret.encode()).decode().rstrip("=")[4:-2])
    digits = secret.encode().hex()
    runs = {text[i : i + 8] for text in texts for i in range(len(text) - 7)}
    return frozenset(runs | {digits[i : i + 16] for i in range(len(digits) - 15)})
