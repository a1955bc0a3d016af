"""An eligibility client on Authlib, which keeps the token; a lock lets one thread fetch it."""

from __future__ import annotations

import os
import threading
from typing import Any

import requests
from authlib.integrations.requests_client import OAuth2Session

SANDBOX = "https://sandbox-apigw.optum.com"


class EligibilityClient:
    """Asks Optum whether a member is covered. One instance serves many threads."""

    def __init__(self, client_id: str | None = None, client_secret: str | None = None) -> None:
        self.base_url = os.environ.get("OPTUM_BASE_URL", SANDBOX)
        self.session = OAuth2Session(
            client_id or os.environ["OPTUM_CLIENT_ID"],
            client_secret or os.environ["OPTUM_CLIENT_SECRET"],
            grant_type="client_credentials",
            token_endpoint=os.environ.get("OPTUM_TOKEN_URL", f"{SANDBOX}/apip/auth/sntl/v1/token"),
            # Optum wants the credentials as form fields; Authlib's default is a Basic header.
            token_endpoint_auth_method="client_secret_post",
            default_timeout=10,
        )
        # Authlib does not know Optum's errors and would keep one as if it were the token.
        self.session.register_compliance_hook("access_token_response", _refuse_errors)
        self._lock = threading.Lock()

    def check(self, member_id: str) -> Any:
        """The answer of the eligibility API; ``requests.RequestException`` when there is none."""
        token = self._good_token()
        response = self._ask(member_id)
        if response.status_code == 401:
            # Dead before its time. Tried once more only: a second refusal has another reason.
            self._good_token(refused=token)
            response = self._ask(member_id)
        response.raise_for_status()
        return response.json()

    def _good_token(self, refused: Any = None) -> Any:
        """The token that Authlib will use; ``refused`` is one that the API no longer takes."""
        with self._lock:
            # Asked under the lock, since Authlib has none: from one minute before its end on.
            token = self.session.token
            if not token or token is refused or token.is_expired():
                token = self.session.fetch_token()
            return token

    def _ask(self, member_id: str) -> requests.Response:
        url = f"{self.base_url}/oihub/eligibility/v1/pre-service/member"
        response: requests.Response = self.session.post(url, json={"memberId": member_id})
        return response


def _refuse_errors(response: requests.Response) -> requests.Response:
    response.raise_for_status()
    if "access_token" not in response.json():
        raise requests.RequestException("the token endpoint gave no access_token")
    return response
