"""The short way of a request of requests: to the gateway, without a look for a connection pool.

To find the pool, look for certificates and prepare retries takes requests longer than the gateway
takes to answer. Where nothing comes of it, it is left out: the adapter does it as the library does,
nobody has replaced a part of it, and neither a proxy nor a certificate is involved.
"""

from __future__ import annotations

import os
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.util import Retry

from ..core.messages import Request, Response
from ..patching.originals import genuine, genuine_class
from .urllib3_call import header_fields

# What is left out, by where it stands.
_OF_THE_ADAPTER: Final = tuple(
    (name, genuine(genuine_class(HTTPAdapter, "requests"), name))
    for name in (
        "get_connection_with_tls_context",
        "build_connection_pool_key_attributes",
        "cert_verify",
        "request_url",
        "add_headers",
    )
    if hasattr(HTTPAdapter, name)
)
_OF_ITS_POOLS: Final = tuple(
    (name, genuine(PoolManager, name))
    for name in ("connection_from_host", "connection_from_context", "connection_from_pool_key")
)


def incoming(
    adapter: HTTPAdapter,
    request: requests.PreparedRequest,
    stream: bool = False,
    timeout: Any = None,
    verify: Any = True,
    cert: Any = None,
    proxies: Any = None,
) -> Request | None:
    """What the adapter's ``send`` would have brought to the gateway; ``None``: nobody can tell."""
    body, url = request.body or b"", urlsplit(request.url or "")
    limits = timeout if isinstance(timeout, tuple) and len(timeout) == 2 else (timeout, timeout)
    if (
        url.scheme != "https"
        or "@" in url.netloc
        or not isinstance(body, (str, bytes))
        or not all(limit is None or (type(limit) in _NUMBERS and limit > 0) for limit in limits)
        or not (verify in (True, False, None) or os.path.exists(verify))
        or cert
        or (proxies and select_proxy(request.url or "", proxies))
        or not _is_as_made(adapter)
    ):
        return None
    host = url.netloc.removesuffix(":443")
    return Request(
        "requests",
        request.method or "",
        f"https://{host}{request.path_url}",
        header_fields(request.headers.items(), host),
        body.encode() if isinstance(body, str) else body,
        limits[1],
    )


_NUMBERS: Final = (int, float)


def _is_as_made(adapter: HTTPAdapter) -> bool:
    """Whether what is left out is the library's own, in the adapter and in its pools."""
    if not _has_its_own(adapter, _OF_THE_ADAPTER):
        return False
    pools = adapter.poolmanager
    return (
        type(pools) is PoolManager
        and _has_its_own(pools, _OF_ITS_POOLS)
        and pools.pool_classes_by_scheme["https"] is HTTPSConnectionPool
        and "urlopen" not in vars(HTTPSConnectionPool)
    )


def _has_its_own(instance: object, methods: tuple[tuple[str, object], ...]) -> bool:
    cls, replaced = type(instance), vars(instance)
    return all(getattr(cls, name) is method and name not in replaced for name, method in methods)


def is_final(outcome: Response | Exception, retries: object, method: str) -> TypeGuard[Response]:
    """Whether the adapter hands ``outcome`` on as it is: an answer, and no try follows."""
    if not isinstance(outcome, Response) or not isinstance(retries, Retry):
        return False
    retry_after = any(name.lower() == "retry-after" for name, _ in outcome.headers)
    return not retries.is_retry(method, outcome.status, retry_after)
