"""What is known of Optum's token endpoint, each fact beside its source.

Sources, all public at developer.optum.com unless an RFC is named:

* *page*: the documentation page "Security and Authorization v3";
* *v3 spec*: the specification published with that page;
* *auth-only spec*: the newer published specification "Authorization - Auth Only" 1.0.1;
* *v2 spec*: the specification "Security and Authorization v2";
* *v2 pages*: "Bearer Token Request & Response" (``eligibilityandclaims/docs/use-bearer-token-api``
  and ``analyticsandinsights/reference/bearer-request-and-response-examples``);
* *API pages*: the pages of the APIs that take the token;

* *observed*: what several public clients of 2026 report, and Optum does not document;
* *Keycloak*: its own source (Apache-2.0): ``TokenEndpoint``, ``ClientIdAndSecretAuthenticator``,
  ``ClientCredentialsGrantType``.

A choice that none of them documents says so: it is a default, not a fact.
"""

from __future__ import annotations

from typing import Final

# Hosts: v3 spec, auth-only spec (`servers`) for the sandbox; API pages for production.
SANDBOX_HOST: Final = "sandbox-apigw.optum.com"
PRODUCTION_HOST: Final = "apigw.optum.com"
# Observed: the older hosts of Change Healthcare, now Optum, still the defaults of public clients.
PRODUCTION_HOSTS: Final = frozenset(
    {PRODUCTION_HOST, "apigw.changehealthcare.com", "apis.changehealthcare.com"}
)
SANDBOX_HOSTS: Final = frozenset(
    {SANDBOX_HOST, "sandbox.apigw.changehealthcare.com", "sandbox.apis.changehealthcare.com"}
)
GATEWAY_HOSTS: Final = SANDBOX_HOSTS | PRODUCTION_HOSTS
# Observed: where public clients of the sandbox fetch their token, a realm of Keycloak. It has no
# APIs. Its path stands below.
ISSUER_HOST: Final = "idx.linkhealth.com"
HOSTS: Final = GATEWAY_HOSTS | {ISSUER_HOST}
BASE_URL: Final = f"https://{SANDBOX_HOST}"

# Paths: auth-only spec and v3 spec; the page's example request; v2 spec. Each with and without a
# slash at its end: the v2 pages print both.
TOKEN_PATH: Final = "/apip/auth/sntl/v1/token"
SHORT_TOKEN_PATH: Final = "/auth/sntl/v1/token"
V2_TOKEN_PATH: Final = "/apip/auth/v2/token"
ISSUER_TOKEN_PATH: Final = "/auth/realms/developer-platform/protocol/openid-connect/token"
# What people are told it is.
TOKEN_ENDPOINT: Final = "the token endpoint"

# Request: auth-only spec (`required`, `enum`); the page: "can only be sent in
# application/x-www-form-urlencoded format". v2 takes JSON (v2 spec) and a form as well (v2 pages).
GRANT_TYPE: Final = "client_credentials"
REQUIRED_FIELDS: Final = ("grant_type", "client_id", "client_secret")
FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"

# Success: the page's example response and the auth-only spec's example.
EXPIRES_IN: Final = 7200
SCOPE: Final = "broker-read-token idp openid email profile"
TOKEN_TYPE: Final = "Bearer"
# v2 spec: examples of Auth_Response_Success.
V2_EXPIRES_IN: Final = 3600
V2_TOKEN_TYPE: Final = "bearer"
# RFC 6749 section 5.1: a response with a token must not be cached.
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}

# Tokens: auth-only spec (`bearerFormat: JWT`; the example's header decodes to HS256).
JWT_ALGORITHM: Final = "HS256"
# Undocumented: what `iss` holds. The host that issues the token is the field's custom.
ISSUER: Final = BASE_URL

# failureReason per status: the examples of the auth-only spec; 405 and 429 are not
# published and follow the same pattern.
FAILURE_REASONS: Final = {
    400: "ValidationError",
    401: "InvalidClient",
    403: "InsufficientScope",
    405: "MethodNotAllowed",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    500: "ServerError",
}
# RFC 6749 section 5.2 for 400, 401 and 403; the two others are not defined there and read as
# the nearest code that is.
OAUTH_ERRORS: Final = {
    400: "invalid_request",
    401: "invalid_client",
    403: "invalid_scope",
    405: "invalid_request",
    415: "invalid_request",
    429: "temporarily_unavailable",
    500: "server_error",
}
OAUTH_UNSUPPORTED_GRANT: Final = "unsupported_grant_type"

# Wording: the examples of the auth-only spec, word for word. The sentences below them are
# not published and follow their style.
GRANT_TYPE_REQUIRED: Final = f"Field 'grant_type' is required and must be '{GRANT_TYPE}'."
INVALID_SECRET: Final = "Client authentication failed: invalid client_secret."
SCOPE_REFUSED: Final = "Requested scope '{scope}' is not permitted for this client."
MEDIA_TYPE_REFUSED: Final = "Content-Type '{given}' is not supported. Use '{wanted}'."
SERVER_ERROR: Final = "An unexpected error occurred while generating the token. Please retry."
FIELD_REQUIRED: Final = "Field '{field}' is required."
FIELD_REPEATED: Final = "Field '{field}' is given more than once."
FIELD_NOT_STRING: Final = "Field '{field}' must be a string."
INVALID_CLIENT_ID: Final = "Client authentication failed: invalid client_id."
MEDIA_TYPE_MISSING: Final = "Content-Type is missing. Use '{wanted}'."
METHOD_REFUSED: Final = "Method '{method}' is not allowed. Use {allowed}."
QUERY_CREDENTIALS: Final = (
    "Credentials in the query string are not accepted. Send client_id and client_secret "
    "as fields of the request body."
)
BASIC_CREDENTIALS: Final = (
    "Credentials in an 'Authorization: Basic' header are not accepted. Send client_id and "
    "client_secret as fields of the request body."
)
BODY_NOT_UTF8: Final = "The request body is not valid UTF-8."
BODY_NOT_JSON: Final = "The request body is not a JSON object."
TOO_MANY_REQUESTS: Final = "Too many requests. Please retry later."
# What a realm of Keycloak answers (Keycloak). That one issues the sandbox's tokens is observed.
KEYCLOAK_GRANT_MISSING: Final = "Missing form parameter: grant_type"
KEYCLOAK_GRANT_UNSUPPORTED: Final = "Unsupported grant_type"
KEYCLOAK_ID_MISSING: Final = "Missing client_id parameter"
KEYCLOAK_CLIENT_REFUSED: Final = "Invalid client or Invalid client credentials"
KEYCLOAK_REPEATED: Final = "duplicated parameter"
KEYCLOAK_SCOPE: Final = "Invalid scopes: {scope}"

# RFC 6749 section 5.2: a 401 answers the scheme that the client tried.
BASIC_CHALLENGE: Final = 'Basic realm="optum"'

# Observed: the names of environment variables in public client code; two for the token endpoint.
ENV_CLIENT_ID: Final = "OPTUM_CLIENT_ID"
ENV_CLIENT_SECRET: Final = "OPTUM_CLIENT_SECRET"
ENV_TOKEN_URL: Final = "OPTUM_TOKEN_URL"
ENV_AUTH_URL: Final = "OPTUM_AUTH_URL"
ENV_BASE_URL: Final = "OPTUM_BASE_URL"
