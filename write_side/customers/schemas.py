"""What owners may say of customers; nothing else is taken."""

from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from write_side.identity.schemas import Description, Email
from write_side.sales.csv import values
from write_side.sales.schemas import Name

# The text FIELD_NOT_PHONE words it.
_NOT_PHONE: Final = "not_phone"


def _phone(text: object) -> object:
    if not isinstance(text, str) or not text.strip():
        return text
    number = values.phone(text.strip())
    if number is None:
        raise PydanticCustomError(_NOT_PHONE, _NOT_PHONE)
    return number


Phone = Annotated[str, StringConstraints(strip_whitespace=True), BeforeValidator(_phone)]


class _Form(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, extra="forbid")


class CustomerChange(_Form):
    """What changes of a customer; what is left out stays, null takes back what may be unknown."""

    name: Name = Field(default_factory=str, examples=["Fatema Begum"])
    phone: Phone | None = Field(None, examples=["+8801712345678"])
    email: Email | None = Field(None, examples=["fatema@example.com"])
    address: Description | None = Field(None, examples=["12 Station Road, Khulna"])
    notes: Description | None = Field(None, examples=["Pays at the end of the month"])


class CustomerMerge(_Form):
    """The customer who turned out to be the same person."""

    customer_id: Annotated[int, Field(strict=True, ge=1, le=2**63 - 1, examples=[2])]
