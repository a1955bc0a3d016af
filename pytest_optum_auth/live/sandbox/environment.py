"""What the environment said about the live sandbox when the run began, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from ...core import facts
from ...core.clients import Credentials
from .. import mode as live_mode
from . import hosts

_QUOTES: Final = "\"'"


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the sandbox is and who calls it.

    ``problem`` is a sentence that says why no live test may run, or ``None``.
    """

    credentials: Credentials
    base_url: str
    token_url: str
    problem: str | None


def remembered_environment(config: pytest.Config) -> Environment | None:
    """The live settings of this run; ``None`` when it began without credentials, or off."""
    variables = config.stash.get(live_mode.VARIABLES, None)
    if variables is None:
        return None
    return read_environment(variables, config.getini("optum_live_hosts"))


def read_environment(environ: Mapping[str, str], listed_hosts: Iterable[str] = ()) -> Environment:
    """The live settings in ``environ``; a blank URL variable counts as unset.

    Without ``OPTUM_BASE_URL`` the API is expected beside the token endpoint, for that of the
    issuer at the sandbox; without ``OPTUM_TOKEN_URL`` the token endpoint is at its
    published path below the base URL.
    """
    values = live_mode.variables_in(environ)
    urls = {
        name: values[name]
        for name in (facts.ENV_TOKEN_URL, facts.ENV_BASE_URL)
        if values[name].strip()
    }
    problem = _first_problem(values, urls, tuple(listed_hosts))
    token_url = urls.get(facts.ENV_TOKEN_URL)
    base_url = urls.get(facts.ENV_BASE_URL)
    if base_url is None:
        base_url = hosts.gateway_beside(token_url) if token_url and not problem else facts.BASE_URL
    base_url = base_url.rstrip("/")
    return Environment(
        Credentials(values[facts.ENV_CLIENT_ID], values[facts.ENV_CLIENT_SECRET]),
        base_url,
        token_url or f"{base_url}{facts.TOKEN_PATH}",
        problem,
    )


def _first_problem(
    values: Mapping[str, str], urls: Mapping[str, str], listed: tuple[str, ...]
) -> str | None:
    for name, value in values.items():
        if len(value) > 1 and value[0] in _QUOTES and value[-1] == value[0]:
            return (
                f"{name} is wrapped in quotes that are part of its value "
                "(docker --env-file and some CI systems keep them): remove the quotes."
            )
        if value.strip() and value != value.strip():
            return (
                f"{name} begins or ends with white space (a line break from a file or an "
                "editor): remove it."
            )
        if any("\ud800" <= character <= "\udfff" for character in value):
            return f"{name} is not UTF-8 text: save it as UTF-8 and set it again."
        unseen = next((character for character in value if not character.isprintable()), None)
        if unseen is not None:
            return (
                f"{name} holds a character that cannot be seen (U+{ord(unseen):04X}; editors and "
                "copies from web pages leave such behind): remove it."
            )
    problem = hosts.listed_problem(listed)
    for name, url in urls.items():
        problem = problem or hosts.url_problem(name, url, listed)
    return problem
