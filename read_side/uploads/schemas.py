"""Answers about uploads."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.schemas import Share, UtcTime
from shared.http.answers import ListOf, answers

UploadState = TypeAliasType("UploadState", Literal["pending", "processing", "completed", "failed", "undone"])


class Upload(BaseModel):
    """An uploaded file; `rows` = created + duplicates + rejected, during processing those so far."""

    file_id: UUID
    file_name: str
    data_source_name: str | None
    state: UploadState
    rows: int
    created: int
    duplicates: int
    rejected: int
    progress: Share
    created_at: UtcTime
    completed_at: UtcTime | None


class UploadList(ListOf[Upload]):
    """One page of uploads, newest first."""


class UploadWarning(BaseModel):
    """What was noticed about a file that was imported; `values` are the names or words concerned."""

    code: str
    message: str
    suggestions: list[str]
    values: list[str]


class UploadError(BaseModel):
    """Why an upload failed; `code` is an error code of this API."""

    code: str
    message: str
    details: dict[str, Any]
    suggestions: list[str]


class UploadDetails(Upload):
    """An upload with its warnings and error."""

    warnings: list[UploadWarning]
    error: Annotated[UploadError | None, Field(description="Null unless the upload failed")]


_UPLOAD = {
    "file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
    "file_name": "sales_may_2025.csv",
    "data_source_name": "May 2025 Sales",
    "state": "completed",
    "rows": 156,
    "created": 150,
    "duplicates": 4,
    "rejected": 2,
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
LIST = answers(
    UploadList, {"count": 1, "next": None, "previous": None, "results": [_UPLOAD], "next_cursor": None}, "One page"
)
ONE = answers(
    UploadDetails,
    {**_UPLOAD, "warnings": [_WARNING], "error": None},
    "Send X-Event-Position of this answer as X-Min-Event-Position to read the rows of the upload",
)
