"""What a shop's open apps are sent: the latest state of each import, forecast run, recommendation and ended session.

One row per subject, with the position of its last change: a client that was away asks for the rows after a position
(ADR 18).
"""

from typing import Any

from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
from shared.domain.events.forecasting import ForecastFailed, ForecastMade, ForecastRunCompleted, ForecastsRequested
from shared.domain.events.identity import LoggedOut, SessionsRevoked
from shared.domain.events.recommendations import (
    RecommendationDismissed,
    RecommendationExecuted,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationWithdrawn,
)
from shared.domain.events.sales import (
    MovementsRecorded,
    SalesBatchRecorded,
    UploadAccepted,
    UploadAnswered,
    UploadCompleted,
    UploadFailed,
    UploadQuestionsAsked,
)
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.system_events import JobFailed, JobRetried
from shared.eventstore.vault import SubjectKeys

IMPORT, FORECAST, ADVICE, SESSION = "import", "forecast", "advice", "session"
PENDING, FAILED, COMPLETED = "pending", "failed", "completed"
READ_UPLOAD, MAKE_FORECASTS = "read_upload", "make_forecasts"
OWNER = "owner"

NOTICES_TABLE = Table(
    "notices",
    ("business_id", "type", "subject"),
    changes={
        "kind": "set",
        "state": "set",
        "done": "add",
        "total": "set",
        "parts_done": "add",
        "parts": "set",
        "position": "set",
    },
)


def on_upload_accepted(recorded: RecordedEvent, event: UploadAccepted, deltas: Deltas, _: SubjectKeys) -> None:
    """An import begins."""
    _merge(recorded, deltas, IMPORT, event.file_id, state=PENDING, total=event.rows_detected)


def on_upload_questions_asked(
    recorded: RecordedEvent, event: UploadQuestionsAsked, deltas: Deltas, _: SubjectKeys
) -> None:
    """An import waits for its owner's answers."""
    _merge(recorded, deltas, IMPORT, event.file_id, state="waiting")


def on_upload_answered(recorded: RecordedEvent, event: UploadAnswered, deltas: Deltas, _: SubjectKeys) -> None:
    """An answered import waits to be read again."""
    _merge(recorded, deltas, IMPORT, event.file_id, state=PENDING)


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """An import goes on."""
    done = len(event.sales) + event.duplicates + event.rejected + event.left_out
    _merge(recorded, deltas, IMPORT, event.file_id, state="processing", done=done)


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """An import goes on."""
    _merge(recorded, deltas, IMPORT, event.file_id, state="processing", done=len(event.movements))


def on_upload_completed(recorded: RecordedEvent, event: UploadCompleted, deltas: Deltas, _: SubjectKeys) -> None:
    """An import is complete."""
    _merge(recorded, deltas, IMPORT, event.file_id, state=COMPLETED, total=event.rows)


def on_upload_failed(recorded: RecordedEvent, event: UploadFailed, deltas: Deltas, _: SubjectKeys) -> None:
    """An import failed."""
    _merge(recorded, deltas, IMPORT, event.file_id, state=FAILED)


def on_job_failed(recorded: RecordedEvent, event: JobFailed, deltas: Deltas, _: SubjectKeys) -> None:
    """An import or a part of a run was given up after its last attempt."""
    _set_job(recorded, event, FAILED, deltas)


def on_job_retried(recorded: RecordedEvent, event: JobRetried, deltas: Deltas, _: SubjectKeys) -> None:
    """An import or a part of a run is tried again."""
    _set_job(recorded, event, PENDING, deltas)


def on_forecasts_requested(recorded: RecordedEvent, event: ForecastsRequested, deltas: Deltas, _: SubjectKeys) -> None:
    """A run begins; one that an owner requests without a product that needs it has nothing to do."""
    state = COMPLETED if event.by == OWNER and not event.product_ids else PENDING
    total = len(event.product_ids)
    _merge(recorded, deltas, FORECAST, event.run_id, kind=event.by, state=state, total=total)


def on_forecast_made(recorded: RecordedEvent, event: ForecastMade, deltas: Deltas, _: SubjectKeys) -> None:
    """A run goes on."""
    _merge(recorded, deltas, FORECAST, event.run_id, done=1)


def on_forecast_failed(recorded: RecordedEvent, event: ForecastFailed, deltas: Deltas, _: SubjectKeys) -> None:
    """A run goes on without a product."""
    _merge(recorded, deltas, FORECAST, event.run_id, done=1)


def on_forecast_run_completed(
    recorded: RecordedEvent, event: ForecastRunCompleted, deltas: Deltas, _: SubjectKeys
) -> None:
    """A part of a run is complete: the run is, once all parts are."""
    _merge(recorded, deltas, FORECAST, event.run_id, done=len(event.short), parts_done=1, parts=event.parts)


def on_recommendation_issued(
    recorded: RecordedEvent, event: RecommendationIssued, deltas: Deltas, _: SubjectKeys
) -> None:
    """There is new advice."""
    _merge(recorded, deltas, ADVICE, str(event.recommendation_id), kind=event.type, state="new")


def on_recommendation_dismissed(
    recorded: RecordedEvent, event: RecommendationDismissed, deltas: Deltas, _: SubjectKeys
) -> None:
    """Advice was dismissed."""
    _close_advice(recorded, event.recommendation_id, deltas)


def on_recommendation_executed(
    recorded: RecordedEvent, event: RecommendationExecuted, deltas: Deltas, _: SubjectKeys
) -> None:
    """Advice was followed."""
    _close_advice(recorded, event.recommendation_id, deltas)


def on_recommendation_expired(
    recorded: RecordedEvent, event: RecommendationExpired, deltas: Deltas, _: SubjectKeys
) -> None:
    """Advice was not answered in time."""
    _close_advice(recorded, event.recommendation_id, deltas)


def on_recommendation_withdrawn(
    recorded: RecordedEvent, event: RecommendationWithdrawn, deltas: Deltas, _: SubjectKeys
) -> None:
    """Advice does not apply any more."""
    _close_advice(recorded, event.recommendation_id, deltas)


def on_logged_out(recorded: RecordedEvent, event: LoggedOut, deltas: Deltas, _: SubjectKeys) -> None:
    """A session ended."""
    _merge(recorded, deltas, SESSION, event.family, state="ended")


def on_sessions_revoked(recorded: RecordedEvent, event: SessionsRevoked, deltas: Deltas, _: SubjectKeys) -> None:
    """Sessions ended."""
    for family in event.families:
        _merge(recorded, deltas, SESSION, family, state="ended")


def _close_advice(recorded: RecordedEvent, recommendation_id: int, deltas: Deltas) -> None:
    _merge(recorded, deltas, ADVICE, str(recommendation_id), state="closed")


def _set_job(recorded: RecordedEvent, event: JobFailed | JobRetried, state: str, deltas: Deltas) -> None:
    if event.kind == READ_UPLOAD:
        _merge(recorded, deltas, IMPORT, event.subject, state=state)
    elif event.kind == MAKE_FORECASTS:
        run_id, _, _ = event.subject.rpartition("-")
        _merge(recorded, deltas, FORECAST, run_id, state=state)


def _merge(recorded: RecordedEvent, deltas: Deltas, type_: str, subject: str, **changes: Any) -> None:  # noqa: ANN401 - columns
    if recorded.business_id is not None:
        deltas.merge(NOTICES_TABLE, (recorded.business_id, type_, subject), position=recorded.position, **changes)


NOTICES = Projection(
    name="notices",
    version=1,
    package="projections.notices",
    tables=(NOTICES_TABLE,),
    handlers={
        UploadAccepted: on_upload_accepted,
        UploadQuestionsAsked: on_upload_questions_asked,
        UploadAnswered: on_upload_answered,
        SalesBatchRecorded: on_sales_batch_recorded,
        MovementsRecorded: on_movements_recorded,
        UploadCompleted: on_upload_completed,
        UploadFailed: on_upload_failed,
        JobFailed: on_job_failed,
        JobRetried: on_job_retried,
        ForecastsRequested: on_forecasts_requested,
        ForecastMade: on_forecast_made,
        ForecastFailed: on_forecast_failed,
        ForecastRunCompleted: on_forecast_run_completed,
        RecommendationIssued: on_recommendation_issued,
        RecommendationDismissed: on_recommendation_dismissed,
        RecommendationExecuted: on_recommendation_executed,
        RecommendationExpired: on_recommendation_expired,
        RecommendationWithdrawn: on_recommendation_withdrawn,
        LoggedOut: on_logged_out,
        SessionsRevoked: on_sessions_revoked,
    },
    dated=False,
    channel="notices",
)
