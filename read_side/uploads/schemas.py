"""Answers about uploads."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.ledgers import LedgerQuestion, LedgerWarning
from shared.domain.presentation.schemas import Share, UtcTime
from shared.http.answers import ListOf, answers, listed

UploadState = TypeAliasType("UploadState", Literal["pending", "processing", "waiting", "completed", "failed", "undone"])


class Upload(BaseModel):
    """An uploaded file; `rows` = created + duplicates + rejected + left_out, during processing those so far."""

    file_id: UUID
    file_name: str
    data_source_name: str | None
    state: UploadState
    rows: int
    created: int
    duplicates: int
    rejected: int
    left_out: int
    progress: Share
    created_at: UtcTime
    completed_at: UtcTime | None


class UploadList(ListOf[Upload]):
    """One page of uploads, newest first."""


class UploadError(BaseModel):
    """Why an upload failed; `code` is an error code of this API."""

    code: str
    message: str
    details: dict[str, Any]
    suggestions: list[str]


class UndoStays(BaseModel):
    """What stays of an undone upload, because it was voided, carried out, or other facts name it."""

    voided_sales: int
    products: list[int]
    customers: list[int]
    executed_recommendations: list[int]


class UndoTouched(BaseModel):
    """Ids of forecasts and recommendations that were made with the rows of an undone upload."""

    forecasts: list[int]
    recommendations: list[int]


class UploadUndo(BaseModel):
    """How an upload was undone: how many sales and other movements were taken back, and what stays.

    `overlapping_uploads` had rows that were known, perhaps from this one: uploading them again counts those.
    """

    requested_at: UtcTime
    undone_at: Annotated[UtcTime | None, Field(description="Null while a worker takes it back")]
    replaced_by: UUID | None
    sales: int
    movements: int
    stays: UndoStays
    touched: UndoTouched
    overlapping_uploads: list[UUID]
    notes: list[LedgerWarning]


class UploadDetails(Upload):
    """An upload with its warnings, open questions, error and undo."""

    warnings: list[LedgerWarning]
    questions: Annotated[list[LedgerQuestion], Field(description="Empty unless the upload waits for answers")]
    error: Annotated[UploadError | None, Field(description="Null unless the upload failed")]
    undo: Annotated[UploadUndo | None, Field(description="Null unless its undo was requested")]


_UPLOAD = {
    "file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
    "file_name": "sales_may_2025.csv",
    "data_source_name": "May 2025 Sales",
    "state": "completed",
    "rows": 156,
    "created": 150,
    "duplicates": 4,
    "rejected": 1,
    "left_out": 1,
    "progress": 1,
    "created_at": "2025-11-03T10:30:00Z",
    "completed_at": "2025-11-03T10:30:01Z",
}
_WARNING = {
    "code": "UNKNOWN_COLUMNS",
    "message": "These columns are not known and were left out: Shelf.",
    "suggestions": ["Rename a column if it holds the date, product, quantity, amount, customer or payment method."],
    "values": ["Shelf"],
}
_QUESTION = {
    "code": "DATE_ORDER",
    "message": "Is the day or the month first in dates such as 03/04/2025?",
    "columns": ["Date"],
    "rows": [],
    "answers": [
        {"value": "dmy", "label": "Day first: day-month-year", "proposed": True, "sums": None},
        {"value": "mdy", "label": "Month first: month-day-year", "proposed": False, "sums": None},
    ],
}
LIST = listed(
    UploadList, {"count": 1, "next": None, "previous": None, "results": [_UPLOAD], "next_cursor": None}, "One page"
)
ONE = answers(
    UploadDetails,
    {**_UPLOAD, "state": "waiting", "warnings": [_WARNING], "questions": [_QUESTION], "error": None, "undo": None},
    "Send X-Event-Position of this answer as X-Min-Event-Position to read the rows of the upload",
)
