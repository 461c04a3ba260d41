"""GET /admin/explain and /explain: the events behind a row, of any table for operators, of their own for owners."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from read_side.admin.schemas import Explanation
from read_side.http import time_travel
from read_side.http.consistency import business_of
from shared.errors import BusinessNeeded, ProjectionOutdated, Refusal, ReplayNotRead, TooManyRequests
from shared.eventstore import explanation
from shared.eventstore.explanation import CannotExplain
from shared.http.answers import answers
from shared.http.app import language, ok, refuses
from shared.http.dependencies import Dependencies, Deps, ExplainedRow, Owner, Staff
from shared.http.pagination import QueryId, invalid
from shared.operator_errors import HistoryTooLong, RowNotFound, TableNotFound
from shared.texts import Language, catalogue

router = APIRouter()
_RELEASE_SECONDS = 60
SHOWN_TO_OWNERS = {
    "transaction": "transactions",
    "customer": "churn",
    "product": "products",
    "stock": "stock",
    "recommendation": "recommendations",
}
_EXAMPLE = answers(
    Explanation,
    {
        "table": "churn",
        "id": "1",
        "business_id": 7,
        "row": {"business_id": 7, "id": 1, "segment": "potential"},
        "steps": [
            {
                "position": 17,
                "topic": "sales.UploadCompleted",
                "title": "An upload was completed",
                "stream": "upload-7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
                "recorded_at": "2025-11-03T04:30:09Z",
                "actor": None,
                "there": True,
                "changed": {"segment": [None, "loyal"]},
            },
            {
                "position": 60,
                "topic": "clock.DayOpened",
                "title": "A day began",
                "stream": "days",
                "recorded_at": "2025-12-03T18:00:00Z",
                "actor": "scheduler",
                "there": True,
                "changed": {"segment": ["loyal", "potential"]},
            },
        ],
        "unexplained": {},
    },
    "`changed` maps columns to their values before and after; money in paisa, quantities in thousandths. `row` is"
    " the current row, null if there is none; `unexplained` are columns whose values follow from no step, such as"
    " one recomputed after a void, or one changed by hand",
)


class RowQuery(BaseModel):
    """The row to explain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Annotated[str, Field(max_length=60, examples=["transactions"])]
    business_id: Annotated[QueryId | None, Field(description="Required if several have such a row", examples=[7])] = (
        None
    )
    id: Annotated[str, Field(max_length=200, description="The primary key without business_id, joined by commas")] = ""


class OwnRowQuery(BaseModel):
    """The row of the caller's business to explain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: Literal["transaction", "customer", "product", "stock", "recommendation"]
    id: Annotated[QueryId, Field(examples=[1])]


NoReplay = Annotated[
    str | None, Header(alias=time_travel.HEADER, description="Refused: only current rows can be explained")
]


@router.get(
    "/admin/explain",
    tags=["Admin"],
    responses=_EXAMPLE,
    openapi_extra=refuses(TableNotFound, RowNotFound, HistoryTooLong, ProjectionOutdated),
)
def explain_row(request: Request, deps: Deps, who: Staff, query: Annotated[RowQuery, Query()]) -> Response:
    """Return the events behind a row in order, and what each changed; personal data stays sealed."""
    found = _explained(deps, query.table, query.business_id, query.id, sealed=True)
    return _answer(query.table, query.id, found, language(request, who))


@router.get(
    "/explain",
    tags=["Time travel"],
    responses=_EXAMPLE,
    openapi_extra=refuses(RowNotFound, HistoryTooLong, ReplayNotRead, ProjectionOutdated),
)
def explain_own_row(
    request: Request, deps: Deps, who: Owner, query: Annotated[OwnRowQuery, Query()], replay: NoReplay = None
) -> Response:
    """Return the events behind a sale, a customer's score, a product, its stock or a recommendation.

    Only the current row is explained, never that of a replay.
    """
    if replay is not None:
        raise ReplayNotRead
    table, business = SHOWN_TO_OWNERS[query.what], business_of(who)
    found = _explained(deps, table, business, str(query.id), sealed=False)
    return _answer(table, str(query.id), found, language(request, who))


def _explained(deps: Dependencies, table: str, business: int | None, key: str, *, sealed: bool) -> ExplainedRow:
    try:
        return deps.explain(table, business, key, sealed=sealed)
    except CannotExplain as reason:
        raise refusal_of(reason) from reason


def refusal_of(reason: CannotExplain) -> Refusal:
    """Return the refusal that a request is answered with."""
    match reason:
        case explanation.UnknownTable():
            details = {"table": reason.table, "allowed": reason.known}
            return TableNotFound(details=details, allowed=", ".join(reason.known))
        case explanation.UnknownRow():
            business = {} if reason.business_id is None else {"business_id": reason.business_id}
            return RowNotFound(details={"table": reason.table, **business, "id": reason.key})
        case explanation.SeveralBusinesses():
            expected = ", ".join(map(str, reason.found)) + (", …" if reason.more else "")
            return invalid(parameter="business_id", expected=expected)
        case explanation.SearchTooSlow():
            return BusinessNeeded(details={"parameter": "business_id"})
        case explanation.HistoryTooLong():
            return HistoryTooLong(details={"seconds": reason.seconds})
    outdated = isinstance(reason, explanation.OtherRelease)
    return ProjectionOutdated(retry_after=_RELEASE_SECONDS) if outdated else TooManyRequests(retry_after=1)


def _answer(table: str, key: str, found: ExplainedRow, wanted: Language) -> Response:
    steps = [{**step, "title": _title(step["topic"], wanted)} for step in found.steps]
    data = {"table": table, "id": key, "business_id": found.business, "row": found.row, "steps": steps}
    return ok(_plain({**data, "unexplained": found.unexplained}))


def _title(topic: str, wanted: Language) -> str | None:
    texts = catalogue().get(f"EVENT_{topic.replace('.', '_').upper()}")
    return texts[wanted].message if texts else None


def _plain(value: Any) -> Any:  # noqa: ANN401 - the value of any column
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool | dt.datetime | dt.date) else str(value)
