"""An eligibility client on requests: any number of threads may call it, one fetches the token."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import requests

SANDBOX = "https://sandbox-apigw.optum.com"
# Requests wait this long, and a token is replaced this long before its end (seconds).
TIMEOUT = 10
MARGIN = 60


class EligibilityClient:
    """Asks Optum whether a member is covered. One instance serves many threads."""

    def __init__(self, client_id: str | None = None, client_secret: str | None = None) -> None:
        self.base_url = os.environ.get("OPTUM_BASE_URL", SANDBOX)
        self.token_url = os.environ.get("OPTUM_TOKEN_URL", f"{SANDBOX}/apip/auth/sntl/v1/token")
        self.session = requests.Session()
        self._client_id = client_id or os.environ["OPTUM_CLIENT_ID"]
        self._client_secret = client_secret or os.environ["OPTUM_CLIENT_SECRET"]
        self._lock = threading.Lock()
        self._token: str | None = None
        self._replace_at = 0.0

    def check(self, member_id: str) -> Any:
        """The answer of the eligibility API; ``requests.RequestException`` when there is none."""
        token = self._access_token()
        response = self._ask(member_id, token)
        if response.status_code == 401:
            # Dead before its time. Tried once more only: a second refusal has another reason.
            response = self._ask(member_id, self._access_token(refused=token))
        response.raise_for_status()
        return response.json()

    def _ask(self, member_id: str, token: str) -> requests.Response:
        return self.session.post(
            f"{self.base_url}/oihub/eligibility/v1/pre-service/member",
            json={"memberId": member_id},
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
        )

    def _access_token(self, refused: str | None = None) -> str:
        """The token to use now; ``refused`` is one that the API no longer takes."""
        with self._lock:
            # Asked under the lock: another thread may have replaced it in the meantime.
            if self._token in (None, refused) or time.time() >= self._replace_at:
                self._token = self._fetch_token()
            return self._token

    def _fetch_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        response = self.session.post(self.token_url, data=form, timeout=TIMEOUT)
        response.raise_for_status()
        answer = response.json()
        token: str = answer["access_token"]
        # May be left out (RFC 6749 section 5.1), and some gateways write a string.
        self._replace_at = time.time() + int(answer.get("expires_in", 300)) - MARGIN
        return token
