"""What the read model `notices` must hold: of each subject the last word, and how far it is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shared.domain.events import recommendations
from shared.domain.events.forecasting import ForecastFailed, ForecastMade, ForecastRunCompleted, ForecastsRequested
from shared.domain.events.identity import LoggedOut, SessionsRevoked
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
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed, JobRetried

Row = dict[str, Any]
_CLOSING = (
    recommendations.RecommendationDismissed,
    recommendations.RecommendationExecuted,
    recommendations.RecommendationExpired,
    recommendations.RecommendationWithdrawn,
)
_JOBS = {"read_upload": "import", "make_forecasts": "forecast"}


class Word(NamedTuple):
    """What one event says of a subject: what is None is left as it was, `done` and `parts_done` are added up."""

    type: str
    subject: str
    state: str | None = None
    kind: str | None = None
    total: int | None = None
    done: int = 0
    parts: int | None = None
    parts_done: int = 0


def notices(history: Sequence[RecordedEvent], _: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the tables of the projection `notices`."""
    words = [
        (recorded.business_id, recorded.position, word)
        for recorded in history
        if recorded.business_id is not None
        for word in (*_of_imports(recorded.event), *_of_runs(recorded.event), *_of_others(recorded.event))
    ]
    subjects = {(business, word.type, word.subject) for business, _, word in words}
    return {"notices": [_row(key, words) for key in subjects]}


def _row(key: tuple[int | None, str, str], words: Sequence[tuple[int | None, int, Word]]) -> Row:
    own = [(position, word) for business, position, word in words if (business, word.type, word.subject) == key]
    row: Row = {"business_id": key[0], "type": key[1], "subject": key[2], "position": own[-1][0]}
    for name in ("state", "kind", "total", "parts"):
        given = [getattr(word, name) for _, word in own if getattr(word, name) is not None]
        row[name] = given[-1] if given else None
    return row | {name: sum(getattr(word, name) for _, word in own) for name in ("done", "parts_done")}


def _of_imports(event: Event) -> Iterator[Word]:
    match event:
        case UploadAccepted():
            yield Word("import", event.file_id, "pending", total=event.rows_detected)
        case UploadQuestionsAsked():
            yield Word("import", event.file_id, "waiting")
        case UploadAnswered():
            yield Word("import", event.file_id, "pending")
        case SalesBatchRecorded():
            rows = len(event.sales) + event.duplicates + event.rejected + event.left_out
            yield Word("import", event.file_id, "processing", done=rows)
        case MovementsRecorded():
            yield Word("import", event.file_id, "processing", done=len(event.movements))
        case UploadCompleted():
            yield Word("import", event.file_id, "completed", total=event.rows)
        case UploadFailed():
            yield Word("import", event.file_id, "failed")


def _of_runs(event: Event) -> Iterator[Word]:
    match event:
        case ForecastsRequested():
            state = "completed" if (event.by, event.product_ids) == ("owner", []) else "pending"
            yield Word("forecast", event.run_id, state, event.by, len(event.product_ids))
        case ForecastMade() | ForecastFailed():
            yield Word("forecast", event.run_id, done=1)
        case ForecastRunCompleted():
            yield Word("forecast", event.run_id, done=len(event.short), parts=event.parts, parts_done=1)
        case JobFailed() | JobRetried() if event.kind in _JOBS:
            state = "failed" if isinstance(event, JobFailed) else "pending"
            subject = event.subject if event.kind == "read_upload" else event.subject[: event.subject.rindex("-")]
            yield Word(_JOBS[event.kind], subject, state)


def _of_others(event: Event) -> Iterator[Word]:
    match event:
        case recommendations.RecommendationIssued():
            yield Word("advice", str(event.recommendation_id), "new", event.type)
        case LoggedOut():
            yield Word("session", event.family, "ended")
        case SessionsRevoked():
            yield from (Word("session", family, "ended") for family in event.families)
    if isinstance(event, _CLOSING):
        yield Word("advice", str(event.recommendation_id), "closed")
