"""The documentation site: what its pages show is what happens."""

from __future__ import annotations

import re
import shlex
import sys

import pytest
from documentation_pages import PAGES, ROOT, blocks_of, text_of

# The clients that the pages test unless they show their own; "The client of these pages" has them.
CLIENTS = {"eligibility": "requests_client.py", "eligibility_async": "httpx_client.py"}
# Only the plugins that a page is about: every other one costs a run half a second.
PLUGINS = ("optum_auth", "anyio")
_OF_MOCKS = ("requests_mock", "respx", "pytest_httpx")
PLUGINS_OF = {"how-to/other-mocks.md": _OF_MOCKS, "how-to/stubs.md": _OF_MOCKS}
OPTIONS = ("-p", "no:cacheprovider", "--color=no")
# What runs, or is a file that something which runs reads.
LANGUAGES = {"python", "console", "yaml", "javascript", "ini"}
WITH_CODE = [page for page in PAGES if blocks_of(page)]
RUNNING = [page for page in PAGES if LANGUAGES & {block.language for block in blocks_of(page)}]


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pytest prints does not depend on the terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.parametrize("page", WITH_CODE)
def test_every_block_is_of_a_kind_that_is_tested(page: str) -> None:
    # The lines of the timeline are compared in test_documented_facts.py.
    known = {"text"} if page == "explanation/timeline.md" else LANGUAGES

    assert {block.language for block in blocks_of(page)} <= known
    assert text_of(page).count("\n```") % 2 == 0


@pytest.mark.parametrize("page", RUNNING)
def test_a_page_does_what_it_shows(page: str, pytester: pytest.Pytester) -> None:
    plugins = (*PLUGINS, *PLUGINS_OF.get(page, ()))
    options = (*OPTIONS, *(option for name in plugins for option in ("-p", name)))
    for name, example in CLIENTS.items():
        code = (ROOT / "examples" / example).read_text(encoding="utf-8")
        (pytester.path / f"{name}.py").write_text(code, encoding="utf-8")
    shown: list[tuple[str, object]] = []
    happened: list[tuple[str, object]] = []
    for block in blocks_of(page):
        if block.caption:
            (pytester.path / block.caption).write_text(block.code, encoding="utf-8")
        elif block.language == "console":
            prompt, _, output = block.code.partition("\n")
            shown.append((prompt, normalised(output)))
            happened.append((prompt, normalised(printed_by(prompt, options, pytester))))
        elif block.language == "yaml":
            for command in re.findall(r"- run: pytest (.*)", block.code):
                # Live tests fail here, for want of credentials.
                fails = "--optum-live=require" in command
                shown.append((command, int(fails)))
                result = pytester.runpytest_subprocess(*options, *shlex.split(command))
                happened.append((command, result.ret))
    modules = [b.code for b in blocks_of(page) if b.language == "python" and not b.caption]
    if modules:
        shown.append(("modules that pass", len(modules)))
        happened.append(("modules that pass", run_modules(modules, options, pytester)))

    assert happened == shown != []


def printed_by(prompt: str, options: tuple[str, ...], pytester: pytest.Pytester) -> str:
    """What the command after a prompt prints when it is run; nothing where it cannot be."""
    match shlex.split(prompt.removeprefix("$ ")):
        case ["pip", "install", *_]:
            return ""
        case ["pytest", *arguments]:
            return pytester.runpytest_subprocess(*options, *arguments).stdout.str()
        case ["python", "-m", "pytest_optum_auth", *arguments]:
            # It would serve for ever: with --help it only reads the options before that.
            command = (sys.executable, "-m", "pytest_optum_auth", *arguments, "--help")
            return "" if pytester.run(*command).ret == 0 else "a usage error"
        case command:
            assert command[0] == "python", f"nobody runs {prompt!r}"
            return pytester.run(sys.executable, *command[1:]).stdout.str()


def run_modules(blocks: list[str], options: tuple[str, ...], pytester: pytest.Pytester) -> int:
    """How many of ``blocks``, each a module of tests, have tests of which none fails."""
    modules = [pytester.path / f"test_block_{number}.py" for number in range(len(blocks))]
    for module, code in zip(modules, blocks, strict=True):
        module.write_text(code, encoding="utf-8")

    result = pytester.runpytest_subprocess(*options, "-W", "error", "-rA", *modules)

    ends = re.findall(r"^([A-Z]+) (?:\[\d+\] )?(\w+\.py)\b", result.stdout.str(), re.MULTILINE)
    return len({m for _, m in ends} - {m for end, m in ends if end not in ("PASSED", "SKIPPED")})


def normalised(output: str) -> str:
    """Without what differs between machines: where a library lies, line numbers, durations."""
    output = re.sub(r"^\S*site-packages/", ".../", output, flags=re.M)
    output = re.sub(r"^(\.\.\./\S+):\d+: in ", r"\1:0: in ", output, flags=re.M)
    output = re.sub(r"in \d+\.\d+s", "in 0.10s", output)
    output = re.sub(r"\+0\.\d{3} s", "+0.001 s", output)
    return "\n".join(line.rstrip(" ") for line in output.strip("\n").splitlines())
