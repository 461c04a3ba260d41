"""Refusals of requests and commands, each with a stable code, an HTTP status and a text in `domain/messages/`."""

from collections.abc import Mapping
from typing import Any, ClassVar


class Refusal(Exception):
    """A request or command is refused, with a reason and suggestions what to do next.

    `params` replace the placeholders of the text; `details` are machine-readable; `retry_after` (seconds) also sets the
    Retry-After header. Subclasses define `error_code` and `status`; a variant of its parent with a text of its own
    defines `text_key` only.
    """

    error_code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    text_key: ClassVar[str] = "INTERNAL_ERROR"
    always_headers: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        """Use the code as the key of the text unless the class defines another."""
        super().__init_subclass__()
        if "error_code" in vars(cls) and "text_key" not in vars(cls):
            cls.text_key = cls.error_code

    def __init__(
        self,
        *,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        **params: Any,  # noqa: ANN401 - anything that can be formatted
    ) -> None:
        """Set the details, headers and parameters of the text."""
        super().__init__(self.error_code)
        self.details = dict(details or {})
        self.headers = {**self.always_headers, **(headers or {})}
        self.params = params
        if "retry_after" in params:
            self.headers["Retry-After"] = str(params["retry_after"])
            self.details.setdefault("retry_after", params["retry_after"])


def refusals() -> dict[str, type[Refusal]]:
    """Return every imported refusal: error code -> the class that defines it."""
    found: dict[str, type[Refusal]] = {}
    waiting = list(Refusal.__subclasses__())
    while waiting:
        cls = waiting.pop(0)
        found.setdefault(cls.error_code, cls)
        waiting += cls.__subclasses__()
    return dict(sorted(found.items()))


class InvalidRequest(Refusal):
    """The body, a header or the path is malformed."""

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
    """There are too many rows to find one without its business."""

    text_key = "INVALID_QUERY_BUSINESS"


class InvalidPosition(Refusal):
    """The event position is malformed or belongs to another business."""

    error_code = "INVALID_POSITION"
    status = 400


class NotAuthenticated(Refusal):
    """There is no valid access token."""

    error_code = "NOT_AUTHENTICATED"
    status = 401
    always_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class TokenExpired(Refusal):
    """The access token has expired."""

    error_code = "TOKEN_EXPIRED"
    status = 401
    always_headers: ClassVar[Mapping[str, str]] = {
        "WWW-Authenticate": 'Bearer error="invalid_token", error_description="expired"'
    }


class Forbidden(Refusal):
    """The account has no permission."""

    error_code = "FORBIDDEN"
    status = 403


class NotFound(Refusal):
    """The business has nothing with this id."""

    error_code = "NOT_FOUND"
    status = 404


class MethodNotAllowed(Refusal):
    """The route does not support this method; params `method`, `allowed`."""

    error_code = "METHOD_NOT_ALLOWED"
    status = 405


class PayloadTooLarge(Refusal):
    """The body is larger than allowed; params `limit`."""

    error_code = "PAYLOAD_TOO_LARGE"
    status = 413


class UnsupportedMediaType(Refusal):
    """The endpoint does not accept this media type; params `expected`."""

    error_code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class IdempotencyKeyReused(Refusal):
    """The key was used for another request."""

    error_code = "IDEMPOTENCY_KEY_REUSED"
    status = 422


class TooManyRequests(Refusal):
    """The rate limit is exceeded; params `retry_after`."""

    error_code = "RATE_LIMITED"
    status = 429


class InternalError(Refusal):
    """An unexpected error, which is in the log."""

    error_code = "INTERNAL_ERROR"
    status = 500


class ServiceDegraded(Refusal):
    """A server that the request needs does not answer; params `retry_after`."""

    error_code = "SERVICE_DEGRADED"
    status = 503


class ProjectionBehind(Refusal):
    """The read models have not reached the requested position; params `retry_after`."""

    error_code = "PROJECTION_BEHIND"
    status = 503


class ProjectionOutdated(ProjectionBehind):
    """The read models were built by another release; params `retry_after`."""

    text_key = "PROJECTION_BEHIND_RELEASE"


class ProjectionParked(Refusal):
    """The read models of this business are parked at an event that cannot be applied."""

    error_code = "PROJECTION_PARKED"
    status = 503


class FileTooLarge(Refusal):
    """The uploaded file is larger than allowed; params `limit`."""

    error_code = "FILE_TOO_LARGE"
    status = 413


class ReplayNotFound(NotFound):
    """The business has no replay with this id."""

    text_key = "NOT_FOUND_REPLAY"


class ReplayNotReady(Refusal):
    """The replay is not finished or has failed; params `retry_after`."""

    error_code = "REPLAY_NOT_READY"
    status = 409


class ReplayExpired(Refusal):
    """The replay is older than half an hour, or was replaced by another."""

    error_code = "REPLAY_EXPIRED"
    status = 410


class ReplayNotRead(InvalidRequest):
    """This endpoint reads the current state only and refuses X-Replay."""

    text_key = "INVALID_REQUEST_REPLAY"


class TooManyReplays(Refusal):
    """The maximum number of replays is reached; params `retry_after`."""

    error_code = "TOO_MANY_REPLAYS"
    status = 429
