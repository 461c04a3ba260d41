"""Request bodies about customers; unknown keys are refused."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.http.answers import answers
from shared.http.contact_fields import Description, Email, Name, Phone


class _Form(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, extra="forbid")


class CustomerChange(_Form):
    """The changed details of a customer; omitted fields stay unchanged, null clears one that may be unknown."""

    name: Name = Field(default_factory=str, examples=["Fatema Begum"])
    phone: Phone | None = Field(None, examples=["+8801712345678"])
    email: Email | None = Field(None, examples=["fatema@example.com"])
    address: Description | None = Field(None, examples=["12 Station Road, Khulna"])
    notes: Description | None = Field(None, examples=["Pays at the end of the month"])


class CustomerMerge(_Form):
    """The customer who is the same person."""

    customer_id: Annotated[int, Field(strict=True, ge=1, le=2**63 - 1, examples=[2])]


class CustomerDetails(BaseModel):
    """The details of a customer, and the customers merged into it."""

    id: int
    name: str | None
    phone: str | None
    email: str | None
    address: str | None
    notes: str | None
    merged_ids: list[int]


class ErasedCustomer(BaseModel):
    """A customer whose personal data is gone, and the ledgers whose files were deleted or are still in use."""

    id: int
    deleted_files: list[UUID]
    open_files: list[UUID]


_DETAILS: dict[str, Any] = {
    "id": 1,
    "name": "Fatema Begum",
    "phone": "+8801712345678",
    "email": "fatema@example.com",
    "address": "12 Station Road, Khulna",
    "notes": "Pays at the end of the month",
    "merged_ids": [],
}
CHANGED = answers(CustomerDetails, _DETAILS)
MERGED = answers(CustomerDetails, {**_DETAILS, "merged_ids": [2]})
ERASED = answers(
    ErasedCustomer, {"id": 1, "deleted_files": ["7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"], "open_files": []}, status=202
)
