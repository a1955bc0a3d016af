"""What answers for the APIs behind the gateway, beside ``protect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .responses_ import ResponsesStubs
    from .respx_ import RespxStubs


def responses_stubs() -> ResponsesStubs:
    """Stubs written with responses. Raises ``ModuleNotFoundError`` where that is not installed."""
    try:
        from .responses_ import ResponsesStubs
    except ModuleNotFoundError as missing:
        raise _needs("responses", missing) from None
    return ResponsesStubs()


def respx_stubs(base_url: str) -> RespxStubs:
    """Stubs written with respx. Raises ``ModuleNotFoundError`` where that is not installed."""
    try:
        from .respx_ import RespxStubs
    except ModuleNotFoundError as missing:
        raise _needs("respx", missing) from None
    return RespxStubs(base_url)


def _needs(library: str, missing: ModuleNotFoundError) -> ModuleNotFoundError:
    return ModuleNotFoundError(
        f"optum_{library} needs the library {library} ({missing}): pip install {library}, or write "
        "the answer with optum_auth.protect()",
        name=missing.name,
    )
