"""Request bodies about single sales; unknown keys are ignored."""

import re
from typing import Annotated, Final, Literal, LiteralString, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.contacts import MAX_NAME
from shared.domain.presentation.schemas import Transaction, UtcTime
from shared.http.answers import answers
from shared.http.contact_fields import Name, phone_or_empty, single_line
from shared.http.fields import Body, PlainNumber
from write_side.sales.manual_sale import SaleEntry

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
# The codes of problems; their texts are FIELD_NOT_… and FIELD_ONE_OF_TWO.
_NO_DATE: Final = "date_parsing"
_ONE_OF_TWO: Final = "one_of_two"


def _problem(kind: LiteralString, **limits: object) -> PydanticCustomError:
    return PydanticCustomError(kind, kind, limits)


def _moment(text: object) -> object:
    if not isinstance(text, str) or not _MOMENT.fullmatch(text.strip()):
        raise _problem(_NO_DATE)
    return text.strip()


Moment = Annotated[str, BeforeValidator(_moment)]
Quantity = Annotated[PlainNumber, Field(gt=0, le=1_000, decimal_places=3)]
Amount = Annotated[PlainNumber, Field(ge=1, le=10_000_000, decimal_places=2)]
Method = Literal["cash", "bkash", "nagad", "rocket", "card", "credit", "other"]


class NewSale(Body):
    """A sale to record; exactly one of `product_name` and `product_id` names the product."""

    model_config = ConfigDict(hide_input_in_errors=True)

    date: Moment = Field(
        description="Business date, or a time with or without offset (Asia/Dhaka without); not in the future",
        examples=["2025-11-03T14:30:00+06:00"],
    )
    product_name: Name | None = Field(None, description="A new name becomes a new product", examples=["Shirt"])
    product_id: Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)] | None = Field(None, examples=[5])
    quantity: Quantity = Field(
        description="1 to 1,000; fractions where the product's unit is kg, g, l, ml or m", examples=[2]
    )
    amount: Amount = Field(description="Total of the line in taka", examples=[600])
    customer_name: Annotated[str, Field(max_length=MAX_NAME), BeforeValidator(single_line)] | None = Field(
        None, examples=["Fatema"]
    )
    customer_phone: Annotated[str, Field(max_length=40), AfterValidator(phone_or_empty)] | None = Field(
        None, description="Distinguishes customers of the same name", examples=["+8801711123456"]
    )
    payment_method: Method | None = Field(None, description="`credit` is a sale on credit (baki)", examples=["cash"])

    @model_validator(mode="after")
    def _one_product(self) -> Self:
        if (self.product_name is None) == (self.product_id is None):
            raise _problem(_ONE_OF_TWO, first="product_name", second="product_id")
        return self

    def entry(self) -> SaleEntry:
        """Return the sale with its values written as the cells of an upload."""
        return SaleEntry(
            self.date,
            self.product_name,
            self.product_id,
            f"{self.quantity:f}",
            f"{self.amount:f}",
            self.customer_name or "",
            self.customer_phone or "",
            self.payment_method or "",
        )


class VoidedSale(Transaction):
    """A sale that was voided; the log keeps it."""

    voided: Literal[True]
    reason: str
    voided_at: UtcTime


_SALE = {
    "id": 1251,
    "date": "2025-11-03T14:30:00+06:00",
    "product_id": 5,
    "product_name": "Shirt",
    "quantity": 2,
    "amount": 600,
    "unit_price": 300,
    "customer_id": 7,
    "customer_name": "Fatema",
    "payment_method": "cash",
    "data_source": "manual",
}
RECORDED = answers(Transaction, _SALE, "Recorded, as GET /transactions shows it", status=201)
VOIDED = answers(
    VoidedSale,
    {**_SALE, "voided": True, "reason": "Entered twice", "voided_at": "2025-11-03T09:12:00Z"},
    "Voided; the log keeps the sale",
)
