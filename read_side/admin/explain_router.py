"""Why a row is as it is: for operators of any table, for owners of what they see."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from read_side.http import time_travel
from read_side.http.consistency import shop_of
from shared.errors import HistoryTooLong, ProjectionOutdated, ReplayNotRead, RowNotFound, TableNotFound
from shared.http.app import Principal, example, language, ok, owner, refuses, staff
from shared.texts import Language, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

router = APIRouter()
SHOWN_TO_OWNERS = {
    "transaction": "transactions",
    "customer": "churn",
    "product": "products",
    "stock": "stock",
    "recommendation": "recommendations",
}
_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "table": "churn",
            "id": "1",
            "business_id": 7,
            "row": {"business_id": 7, "id": 1, "segment": "potential"},
            "steps": [
                {
                    "position": 17,
                    "topic": "sales.UploadCompleted",
                    "title": "A ledger was read to its end",
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
        "Column -> before, after; money in paisa, quantities in thousandths. `row` is as it serves now, null where it"
        " does not stand; `unexplained` is what it shows and no step made, such as what a statement made good after a"
        " void, or a cell that somebody changed",
    )
}


class Explained(Protocol):
    """Whose row it is, the steps that made it, the row, and what no step explains."""

    business: int
    steps: list[dict[str, Any]]
    row: dict[str, Any] | None
    unexplained: dict[str, list[Any]]


class RowQuery(BaseModel):
    """Which row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Annotated[str, Field(max_length=60, examples=["transactions"])]
    business_id: Annotated[
        int | None, Field(ge=1, le=2**63 - 1, description="Needed where several have such a row", examples=[7])
    ] = None
    id: Annotated[str, Field(max_length=200, description="The key without the business, parts joined by commas")] = ""


class OwnRowQuery(BaseModel):
    """Which of one's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: Literal["transaction", "customer", "product", "stock", "recommendation"]
    id: Annotated[int, Field(ge=1, le=2**63 - 1, examples=[1])]


NoReplay = Annotated[
    str | None, Header(alias=time_travel.HEADER, description="Refused: rows are explained as they stand")
]


@router.get(
    "/admin/explain",
    tags=["Admin"],
    responses=_EXAMPLE,
    openapi_extra=refuses(TableNotFound, RowNotFound, HistoryTooLong, ProjectionOutdated),
)
def explain_row(
    request: Request, who: Annotated[Principal, Depends(staff)], query: Annotated[RowQuery, Query()]
) -> Response:
    """Return the events that made a row, in order, and what each changed; personal data stays sealed."""
    explain: Callable[..., Explained] = request.app.state.explain
    found = explain(query.table, query.business_id, query.id, sealed=True)
    return _answer(query.table, query.id, found, language(request, who))


@router.get(
    "/explain",
    tags=["Time travel"],
    responses=_EXAMPLE,
    openapi_extra=refuses(RowNotFound, HistoryTooLong, ReplayNotRead, ProjectionOutdated),
)
def explain_own_row(
    request: Request,
    who: Annotated[Principal, Depends(owner)],
    query: Annotated[OwnRowQuery, Query()],
    replay: NoReplay = None,
) -> Response:
    """Return how a sale, a customer's standing, a product, its stock or a recommendation came about, by event.

    It speaks of the books as they stand now, never of a replay.
    """
    if replay is not None:
        raise ReplayNotRead
    explain: Callable[..., Explained] = request.app.state.explain
    table, business = SHOWN_TO_OWNERS[query.what], shop_of(who)
    found = explain(table, business, str(query.id), sealed=False)
    return _answer(table, str(query.id), found, language(request, who))


def _answer(table: str, key: str, found: Explained, shown_in: Language) -> Response:
    steps = [{**step, "title": _title(step["topic"], shown_in)} for step in found.steps]
    said = {"table": table, "id": key, "business_id": found.business, "row": found.row, "steps": steps}
    return ok(_plain({**said, "unexplained": found.unexplained}))


def _title(topic: str, shown_in: Language) -> str | None:
    texts = catalogue().get(f"TOLD_{topic.replace('.', '_').upper()}")
    return texts[shown_in].message if texts else None


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool | dt.datetime | dt.date) else str(value)
