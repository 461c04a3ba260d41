"""Refusals of what operators ask for: read models, generations, events, rows and jobs."""

from shared.errors import NotFound, Refusal


class ProjectionNotFound(NotFound):
    """There is no projection with this name; params `allowed`."""

    text_key = "NOT_FOUND_PROJECTION"


class BusinessNotFound(NotFound):
    """There is no business with this id."""

    text_key = "NOT_FOUND_BUSINESS"


class GenerationNotFound(NotFound):
    """There is no generation with this id."""

    text_key = "NOT_FOUND_GENERATION"


class EventNotFound(NotFound):
    """The log has no event at this position; params `head`, the last position."""

    text_key = "NOT_FOUND_EVENT"


class ProofNotReady(Refusal):
    """No signed checkpoint covers this event yet."""

    error_code = "PROOF_NOT_READY"
    status = 409


class RowNotFound(NotFound):
    """No event of the business has created such a row."""

    text_key = "NOT_FOUND_ROW"


class HistoryTooLong(Refusal):
    """The history of a row is too long to be folded during a request; details `seconds`."""

    error_code = "HISTORY_TOO_LONG"
    status = 422


class TableNotFound(NotFound):
    """There is no such table; params `allowed`."""

    text_key = "NOT_FOUND_TABLE"


class GenerationNotReady(Refusal):
    """The state of the generation does not allow this; params `state`."""

    error_code = "GENERATION_NOT_READY"
    status = 409


class RebuildRunning(Refusal):
    """The projection is already being rebuilt; params `projection`."""

    error_code = "REBUILD_RUNNING"
    status = 409


class JobNotFound(NotFound):
    """There is no job with this id."""

    text_key = "NOT_FOUND_JOB"


class JobNotFailed(Refusal):
    """The job has not failed; params `state`."""

    error_code = "JOB_NOT_FAILED"
    status = 409
