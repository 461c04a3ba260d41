"""Answers about accepted files."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.domain.presentation.ledgers import LedgerQuestion, LedgerSums, LedgerWarning
from shared.http.answers import answers

Seconds = Annotated[int, Field(description="Seconds")]


class AcceptedUpload(BaseModel):
    """A sales file that a worker imports."""

    message: str
    file_id: UUID
    file_name: str
    rows_detected: int
    estimated_processing_time: Seconds


class AcceptedReceipt(BaseModel):
    """A photographed receipt that was stored."""

    message: str
    image_id: UUID
    estimated_processing_time: Seconds


class AnsweredUpload(BaseModel):
    """An upload whose questions were answered; a worker reads it again."""

    message: str
    file_id: UUID


class UndoneUpload(BaseModel):
    """An upload that a worker takes back."""

    message: str
    file_id: UUID


class MappedColumn(BaseModel):
    """The column that holds a field, how sure that is (0 to 1) and why."""

    column: str
    confidence: float
    evidence: str


class SampleRow(BaseModel):
    """One of the first rows: its line, its cells, and what an upload would record or why it would not."""

    row: int
    raw: list[str]
    read: dict[str, Any]


class Counts(BaseModel):
    """What an upload would do with the rows of the file."""

    created: int
    duplicates: int
    rejected: int
    left_out: int


class NotTaken(BaseModel):
    """A reason why rows are not recorded, how many there are, and the first ones."""

    code: str
    message: str
    left_out: bool
    count: int
    rows: list[int]


class Remembered(BaseModel):
    """Answers and columns by which an earlier ledger of the layout was read."""

    answers: dict[str, str]
    mapping: dict[str, str]


class LedgerPreview(BaseModel):
    """What an upload of a file would record, ask and leave out."""

    file_name: str
    format: str
    encoding: str
    delimiter: str
    sheet: str | None
    header_row: int
    header: list[str]
    mapping: dict[str, MappedColumn]
    date_order: Literal["dmy", "mdy", "ymd"]
    rows: int
    sample: list[SampleRow]
    counts: Counts
    sums: LedgerSums
    not_taken: list[NotTaken]
    warnings: list[LedgerWarning]
    questions: list[LedgerQuestion]
    remembered: Remembered


UPLOAD_ANSWER = answers(
    AcceptedUpload,
    {
        "message": "Processing file...",
        "file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
        "file_name": "sales_may_2025.csv",
        "rows_detected": 156,
        "estimated_processing_time": 1,
    },
    "Accepted; the file is being imported. X-Event-Position is the position from which reads include it",
    status=202,
)
RECEIPT_ANSWER = answers(
    AcceptedReceipt,
    {
        "message": "Extracting receipt data...",
        "image_id": "0b7a4a5e-6f0e-4a53-9a53-0f1d6a0f2a11",
        "estimated_processing_time": 10,
    },
    "Accepted; the picture is stored",
    status=202,
)
_SUMS = {"revenue": 4160, "returns": 0, "net": 4160, "received": 1900, "owed": 2260, "expenses": 0}
PREVIEW = answers(
    LedgerPreview,
    {
        "file_name": "baki.csv",
        "format": "csv",
        "encoding": "utf-8",
        "delimiter": ",",
        "sheet": None,
        "header_row": 1,
        "header": ["Date", "Customer", "Product", "Qty", "Total", "Paid", "Due", "Status"],
        "mapping": {"amount": {"column": "Total", "confidence": 0.85, "evidence": "by its name “Total”"}},
        "date_order": "ymd",
        "rows": 3,
        "sample": [],
        "counts": {"created": 3, "duplicates": 0, "rejected": 0, "left_out": 0},
        "sums": _SUMS,
        "not_taken": [],
        "warnings": [],
        "questions": [
            {
                "code": "STATUS:New",
                "message": "What does “New” in Status mean (2 rows)?",
                "columns": ["Status"],
                "rows": [2, 4],
                "answers": [{"value": "sale", "label": "A sale", "proposed": True, "sums": _SUMS}],
            }
        ],
        "remembered": {"answers": {}, "mapping": {}},
    },
    "What an upload of this file would do; nothing is written",
)
ANSWERED = answers(
    AnsweredUpload,
    {"message": "Processing file...", "file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"},
    "Answered; the file is being read again",
    status=202,
)
UNDONE = answers(
    UndoneUpload,
    {"message": "Taking the upload back...", "file_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"},
    "Accepted; GET /data/uploads/{file_id} shows when it is `undone`",
    status=202,
)
