"""Answers about accepted files."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

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
