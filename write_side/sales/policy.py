"""Starts the import of accepted uploads; completion and failure close the job."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.events.sales import (
    UploadAccepted,
    UploadAnswered,
    UploadCompleted,
    UploadFailed,
    UploadQuestionsAsked,
)
from shared.domain.events.uploads import UploadUndone, UploadUndoRequested
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed
from shared.jobs.job import NewJob, Outcome

READ_UPLOAD, UNDO_UPLOAD = "read_upload", "undo_upload"


def when_upload_accepted(recorded: RecordedEvent, event: UploadAccepted) -> list[NewJob | Outcome]:
    """An accepted upload starts an import."""
    return [NewJob(READ_UPLOAD, event.file_id, recorded.business_id, recorded.position, {})]


def when_questions_asked(_: RecordedEvent, event: UploadQuestionsAsked) -> list[NewJob | Outcome]:
    """A ledger that waits for its owner needs no worker until the answers come."""
    return [Outcome(READ_UPLOAD, event.file_id, "done")]


def when_upload_answered(recorded: RecordedEvent, event: UploadAnswered) -> list[NewJob | Outcome]:
    """An answered ledger is read again."""
    return [NewJob(READ_UPLOAD, event.file_id, recorded.business_id, recorded.position, {}, again=True)]


def when_upload_completed(_: RecordedEvent, event: UploadCompleted) -> list[NewJob | Outcome]:
    """A completed upload closes its job."""
    return [Outcome(READ_UPLOAD, event.file_id, "done")]


def when_upload_failed(_: RecordedEvent, event: UploadFailed) -> list[NewJob | Outcome]:
    """An unreadable upload closes its job; a retry would give the same result."""
    return [Outcome(READ_UPLOAD, event.file_id, "done", event.error_code)]


def when_upload_undo_requested(recorded: RecordedEvent, event: UploadUndoRequested) -> list[NewJob | Outcome]:
    """A requested undo starts taking back; a replacement does so itself, and this job finds nothing left."""
    return [NewJob(UNDO_UPLOAD, event.file_id, recorded.business_id, recorded.position, {})]


def when_upload_undone(_: RecordedEvent, event: UploadUndone) -> list[NewJob | Outcome]:
    """An undone upload closes its job."""
    return [Outcome(UNDO_UPLOAD, event.file_id, "done")]


def when_job_failed(_: RecordedEvent, event: JobFailed) -> list[NewJob | Outcome]:
    """A failed job stays failed until an operator retries it."""
    return [Outcome(event.kind, event.subject, "failed", event.error)]


POLICIES: Mapping[type[Event], Callable[[RecordedEvent, Any], list[NewJob | Outcome]]] = {
    UploadAccepted: when_upload_accepted,
    UploadQuestionsAsked: when_questions_asked,
    UploadAnswered: when_upload_answered,
    UploadCompleted: when_upload_completed,
    UploadFailed: when_upload_failed,
    UploadUndoRequested: when_upload_undo_requested,
    UploadUndone: when_upload_undone,
    JobFailed: when_job_failed,
}
