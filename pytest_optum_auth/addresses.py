"""Where a fake answers beside the documented hosts and paths, as its user says."""

from __future__ import annotations

from urllib.parse import urlsplit

from . import facts
from .messages import host_of, mask_url


def checked_base_url(url: str) -> str:
    """``url`` without a slash at its end; ``ValueError`` when no gateway can be there."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not host_of(url) or "@" in parts.netloc or parts.query:
        raise ValueError(
            f"base_url {mask_url(url)!r}: a base URL is https:// and a host, for example "
            f"{facts.BASE_URL!r}"
        )
    return url.rstrip("/")


def checked_token_path(path: str) -> str:
    """``path``; ``ValueError`` when it is none."""
    if not path.startswith("/") or "?" in path or "#" in path:
        raise ValueError(
            f"token_path {path!r}: a path starts with a slash and has no query, for example "
            f"{facts.TOKEN_PATH!r}"
        )
    return path
