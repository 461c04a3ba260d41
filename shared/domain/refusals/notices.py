"""Refusals of notices."""

from shared.errors import InvalidPosition, Refusal


class InvalidLastEventId(InvalidPosition):
    """The id of the last event is malformed or belongs to another stream."""

    text_key = "INVALID_POSITION_LAST_EVENT_ID"


class TooManyStreams(Refusal):
    """The user has as many open streams as are allowed; params `retry_after`, `limit`."""

    error_code = "TOO_MANY_STREAMS"
    status = 429
