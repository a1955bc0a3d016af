"""The promises of a good client, in the order in which they are told."""

from __future__ import annotations

from typing import Final

from . import at_once, bad_days, credentials, token_life
from .promise import Promise

PROMISES: Final[dict[str, Promise]] = {
    promise.name: promise
    for promise in (
        token_life.documented_request,
        token_life.reuses_token,
        token_life.renews_expired_token,
        token_life.renews_in_time,
        token_life.survives_early_death,
        token_life.survives_revocation,
        credentials.no_endless_401,
        credentials.wrong_secret,
        bad_days.outage_is_not_cached,
        bad_days.rate_limit,
        bad_days.html_success,
        bad_days.no_access_token,
        bad_days.no_expires_in,
        bad_days.string_expires_in,
        bad_days.lower_case_bearer,
        bad_days.connection_lost,
        at_once.sets_timeout,
        at_once.single_flight,
        credentials.rotated_secret_is_told,
        credentials.keeps_secrets,
    )
}
