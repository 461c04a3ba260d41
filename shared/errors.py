"""Refusals: what the service says no with, each with a stable code, an HTTP status and a text in `messages/`."""

from collections.abc import Mapping
from typing import Any, ClassVar


class Refusal(Exception):
    """A request or command is refused, and its sender is told why and what to do next.

    `params` fill the placeholders of the text; `details` are for machines; `retry_after` (seconds), where given, also
    becomes the Retry-After header. Subclasses name `error_code` and `status`; one that only words the refusal of its
    parent more exactly names `text_key`.
    """

    error_code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    text_key: ClassVar[str] = "INTERNAL_ERROR"
    always_headers: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        """Take the code as the key of the text, unless the class says otherwise."""
        super().__init_subclass__()
        if "error_code" in vars(cls) and "text_key" not in vars(cls):
            cls.text_key = cls.error_code

    def __init__(
        self,
        *,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **params: Any,  # noqa: ANN401  (whatever a placeholder can print)
    ) -> None:
        """Refuse with these particulars."""
        super().__init__(self.error_code)
        self.details = dict(details or {})
        self.headers = {**self.always_headers, **(headers or {})}
        self.params = params
        if "retry_after" in params:
            self.headers["Retry-After"] = str(params["retry_after"])
            self.details.setdefault("retry_after", params["retry_after"])


def refusals() -> dict[str, type[Refusal]]:
    """Return every refusal that is loaded: error code -> the class that introduced the code."""
    found: dict[str, type[Refusal]] = {}
    waiting = list(Refusal.__subclasses__())
    while waiting:
        cls = waiting.pop(0)
        found.setdefault(cls.error_code, cls)
        waiting += cls.__subclasses__()
    return dict(sorted(found.items()))


class InvalidRequest(Refusal):
    """The body, a header or the path cannot be understood."""

    error_code = "INVALID_REQUEST"
    status = 400


class DateOutOfRange(InvalidRequest):
    """A date of the body is too early or too late; params `fields`, `field`, `problem`."""

    text_key = "INVALID_REQUEST_FIELDS"


class TimeOutOfRange(InvalidRequest):
    """A time of the body is too early or too late; params `fields`, `field`, `problem`."""

    text_key = "INVALID_REQUEST_FIELDS"


class InvalidQuery(Refusal):
    """A query parameter has a value that is not allowed; params `parameter`, `expected`."""

    error_code = "INVALID_QUERY"
    status = 400


class BusinessNeeded(InvalidQuery):
    """There are too many rows to find one among them without its business."""

    text_key = "INVALID_QUERY_BUSINESS"


class InvalidPosition(Refusal):
    """The event position is garbled or another business's."""

    error_code = "INVALID_POSITION"
    status = 400


class NotAuthenticated(Refusal):
    """No access token, or none that is valid."""

    error_code = "NOT_AUTHENTICATED"
    status = 401
    always_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class TokenExpired(Refusal):
    """The access token was valid once."""

    error_code = "TOKEN_EXPIRED"
    status = 401
    always_headers: ClassVar[Mapping[str, str]] = {
        "WWW-Authenticate": 'Bearer error="invalid_token", error_description="expired"'
    }


class Forbidden(Refusal):
    """The account may not do this."""

    error_code = "FORBIDDEN"
    status = 403


class NotFound(Refusal):
    """Nothing of this business has this address."""

    error_code = "NOT_FOUND"
    status = 404


class MethodNotAllowed(Refusal):
    """The address exists, but not for this method; params `method`, `allowed`."""

    error_code = "METHOD_NOT_ALLOWED"
    status = 405


class PayloadTooLarge(Refusal):
    """The body is larger than allowed; params `limit`."""

    error_code = "PAYLOAD_TOO_LARGE"
    status = 413


class UnsupportedMediaType(Refusal):
    """The body is of a kind the endpoint does not read; params `expected`."""

    error_code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class IdempotencyKeyReused(Refusal):
    """The key stood for another request."""

    error_code = "IDEMPOTENCY_KEY_REUSED"
    status = 422


class TooManyRequests(Refusal):
    """More requests than allowed; params `retry_after`."""

    error_code = "RATE_LIMITED"
    status = 429


class InternalError(Refusal):
    """A fault of ours; the log has the rest."""

    error_code = "INTERNAL_ERROR"
    status = 500


class ServiceDegraded(Refusal):
    """A server this request needs does not answer; params `retry_after`."""

    error_code = "SERVICE_DEGRADED"
    status = 503


class ProjectionBehind(Refusal):
    """The tables have not reached the position asked for; params `retry_after`."""

    error_code = "PROJECTION_BEHIND"
    status = 503


class ProjectionOutdated(ProjectionBehind):
    """The tables are still those of another release; params `retry_after`."""

    text_key = "PROJECTION_BEHIND_RELEASE"


class ProjectionParked(Refusal):
    """The tables of this business wait for a repair."""

    error_code = "PROJECTION_PARKED"
    status = 503


class FileTooLarge(Refusal):
    """The uploaded file is larger than allowed; params `limit`."""

    error_code = "FILE_TOO_LARGE"
    status = 413


class ReplayNotFound(NotFound):
    """The business has no replay of this id."""

    text_key = "NOT_FOUND_REPLAY"


class ReplayNotReady(Refusal):
    """The replay is still being made, or could not be; params `retry_after`."""

    error_code = "REPLAY_NOT_READY"
    status = 409


class ReplayExpired(Refusal):
    """The replay's half hour is over, or its owner asked for another."""

    error_code = "REPLAY_EXPIRED"
    status = 410


class ReplayNotRead(InvalidRequest):
    """This answer speaks of the books as they stand, whatever replay a request names."""

    text_key = "INVALID_REQUEST_REPLAY"


class TooManyReplays(Refusal):
    """There are as many replays as the house has room for; params `retry_after`."""

    error_code = "TOO_MANY_REPLAYS"
    status = 429


class ProjectionNotFound(NotFound):
    """There is no projection of this name; params `allowed`."""

    text_key = "NOT_FOUND_PROJECTION"


class BusinessNotFound(NotFound):
    """No business of this id has a history."""

    text_key = "NOT_FOUND_BUSINESS"


class GenerationNotFound(NotFound):
    """There was never a generation of this id."""

    text_key = "NOT_FOUND_GENERATION"


class EventNotFound(NotFound):
    """The log does not reach this position; params `head`."""

    text_key = "NOT_FOUND_EVENT"


class RowNotFound(NotFound):
    """No event of the business ever made such a row."""

    text_key = "NOT_FOUND_ROW"


class HistoryTooLong(Refusal):
    """There are more events behind a row than can be folded while somebody waits; details `seconds`."""

    error_code = "HISTORY_TOO_LONG"
    status = 422


class TableNotFound(NotFound):
    """No projection has such a table; params `allowed`."""

    text_key = "NOT_FOUND_TABLE"


class GenerationNotReady(Refusal):
    """The generation's state does not allow this; params `state`."""

    error_code = "GENERATION_NOT_READY"
    status = 409


class RebuildRunning(Refusal):
    """The projection is being rebuilt already; params `projection`."""

    error_code = "REBUILD_RUNNING"
    status = 409


class JobNotFound(NotFound):
    """There is no job of this id."""

    text_key = "NOT_FOUND_JOB"


class JobNotFailed(Refusal):
    """The job was not given up; params `state`."""

    error_code = "JOB_NOT_FAILED"
    status = 409
