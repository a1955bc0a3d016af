"""Whether live tests run in this process, decided without loading anything of the live package.

The plugin asks here first, so that a run without credentials imports nothing else for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, cast

import pytest

from ..core import facts
from ..pytest_internals import option_so_far

Mode = Literal["auto", "off", "require"]

MODES: Final[tuple[Mode, ...]] = ("auto", "off", "require")
MARKER: Final = "optum_live"
_CREDENTIALS: Final = (facts.ENV_CLIENT_ID, facts.ENV_CLIENT_SECRET)
# What CI systems and templates leave behind for a secret that a job does not have: $(NAME) of
# Azure, ${NAME} and $NAME of shells and GitLab, ${{ … }} of GitHub, %env.NAME%, {{ … }}, << … >>,
# #{NAME}#, @NAME@, $env:NAME; and the address of a secret in a vault, op://vault/item/field.
_REFERENCE: Final = (
    r"\$\([^()]*\)|\$?\{\{.*\}\}|\$\{[^{}]*\}|\$[A-Z_][A-Z0-9_]*|\$[a-z]+(_[a-z0-9]+)+"
    r"|%[A-Za-z_][\w.-]*%|<<.*>>|#\{[^{}]*\}#?|@[A-Z_][A-Z0-9_]*@|\$env:\w+|[a-z][a-z0-9+-]*://.*"
)
#: What the environment said of the sandbox when a run that may call it began.
VARIABLES: Final = pytest.StashKey[dict[str, str]]()


def live_mode(config: pytest.Config) -> Mode:
    """The mode of this run: ``--optum-live``, else ini ``optum_live``.

    Raises ``pytest.UsageError`` when the ini value is none of the three.
    """
    # Before the conftests load, only the known arguments are parsed.
    option = option_so_far(config, "optum_live")
    value = config.getoption("optum_live", None) or option or config.getini("optum_live")
    if value not in MODES:
        raise pytest.UsageError(
            f"ini optum_live is {value!r}: it must be one of {', '.join(MODES)}."
        )
    return cast(Mode, value)


def missing_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """The credential variables that hold no value, each with what it is instead.

    CI systems export a secret that is not there as an empty variable, or leave the reference to
    it as it is: ``$(NAME)``.
    """
    found = {name: _lack(environ.get(name, "")) for name in _CREDENTIALS}
    return {name: lack for name, lack in found.items() if lack}


def secrets_in(config: pytest.Config, environ: Mapping[str, str]) -> dict[str, str]:
    """The secrets in the environment by the names of their variables, whether live is on or off.

    ``OPTUM_CLIENT_SECRET``, and what ini ``optum_live_secrets`` names.
    """
    names = [facts.ENV_CLIENT_SECRET, *config.getini("optum_live_secrets")]
    return {name: environ[name] for name in names if not _lack(environ.get(name, ""))}


def missing_sentence(missing: Mapping[str, str]) -> str:
    """Which variables a live test lacks, and how to set them.

    None missing means that they came too late for this run, which had begun without them.
    """
    if not missing:
        return (
            f"{' and '.join(_CREDENTIALS)} were not set when pytest started: export them before, "
            "a test or fixture that sets them comes too late"
        )
    example = " ".join(f"{name}=…" for name in missing)
    return (
        f"{_told(missing, 'is ', 'are ')}: export the sandbox credentials "
        f"({example} pytest, or secrets of the CI job)"
    )


def live_status(mode: Mode, environ: Mapping[str, str]) -> str:
    """One phrase for the report header: whether live tests will run and, if not, why."""
    missing = missing_credentials(environ)
    if mode == "off":
        return "live tests are off"
    if not missing:
        return "live tests run"
    outcome = "fail" if mode == "require" else "are skipped"
    return f"live tests {outcome}: {_told(missing, '', '')}"


def _lack(value: str) -> str:
    if not value.strip():
        return "not set"
    if re.fullmatch(_REFERENCE, value.strip(), re.DOTALL):
        return "a reference that was not replaced, such as $(NAME)"
    return ""


def _told(missing: Mapping[str, str], one: str, several: str) -> str:
    """The missing variables, those with the same lack together."""
    lacks: dict[str, list[str]] = {}
    for name, lack in missing.items():
        lacks.setdefault(lack, []).append(name)
    return ", ".join(
        f"{' and '.join(names)} {one if len(names) == 1 else several}{lack}"
        for lack, names in lacks.items()
    )


def live_is_on(mode: Mode, environ: Mapping[str, str]) -> bool:
    """Whether this run may call the sandbox, and so has secrets to protect."""
    return mode != "off" and not missing_credentials(environ)


def is_live(item: pytest.Item) -> bool:
    """Whether ``item`` may call the sandbox."""
    return item.get_closest_marker(MARKER) is not None


def variables_in(environ: Mapping[str, str]) -> dict[str, str]:
    """What ``environ`` says of the sandbox, ``""`` for what it does not say."""
    names = (*_CREDENTIALS, facts.ENV_TOKEN_URL, facts.ENV_BASE_URL)
    return {name: environ.get(name, "") for name in names}


def remember_environment(config: pytest.Config, environ: Mapping[str, str]) -> None:
    """Keep it for this run: what a test changes in ``environ`` later does not count."""
    config.stash[VARIABLES] = variables_in(environ)


def lacks_marker(item: pytest.Item) -> bool:
    """Whether ``item`` uses the sandbox without carrying the marker that ``-m`` selects by.

    A test that parametrizes ``optum_target`` itself replaces the parameters that carry it.
    """
    if is_live(item):
        return False
    parameters: Mapping[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    return MARKER in getattr(item, "fixturenames", ()) or parameters.get("optum_target") == "live"


def runs_contract(config: pytest.Config) -> bool:
    """Whether the bundled contract was asked for (``--pyargs pytest_optum_auth.contract``)."""
    return bool(config.getoption("pyargs", False)) and any(
        argument.split("::")[0] == "pytest_optum_auth.contract" for argument in config.args
    )
