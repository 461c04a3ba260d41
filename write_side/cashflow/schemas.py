"""Request bodies and answers about a shop's cash, in taka; unknown keys of requests are ignored."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal, LiteralString, Self, overload

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.presentation import schemas
from shared.domain.presentation.schemas import OpeningDebtKind
from shared.domain.presentation.units import PAISA
from shared.domain.rules.recurring import Interval
from shared.http.answers import answers
from shared.http.contact_fields import Name, phone_or_empty
from shared.http.fields import Body, PlainDate, PlainNumber, printable
from write_side.cashflow.aggregate import ChangeCashSettings
from write_side.cashflow.handlers import OpeningDebtEntry
from write_side.lookups.customers import Person

_MOST = 10**10
# The code of a problem; its text is FIELD_NOT_…


def _problem(kind: LiteralString) -> PydanticCustomError:
    return PydanticCustomError(kind, kind)


BusinessDate = Annotated[PlainDate, Field(examples=["2025-11-03"])]
Taka = Annotated[PlainNumber, Field(decimal_places=2)]
Amount = Annotated[Taka, Field(ge=1, le=10_000_000, examples=[15000])]
CustomerId = Annotated[int, Field(ge=1, le=2**63 - 1, strict=True, examples=[1])]
Category = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(printable)]


@overload
def paisa(taka: Decimal) -> int: ...
@overload
def paisa(taka: None) -> None: ...
def paisa(taka: Decimal | None) -> int | None:
    """Return an amount with at most two decimal places in paisa; None stays None."""
    return None if taka is None else int(taka * PAISA)


class CashSettingsChange(Body):
    """The balance at the start of a day, and the balance to warn below; omitted fields stay unchanged."""

    opening_balance: Annotated[Taka, Field(ge=-_MOST, le=_MOST, examples=[95000])] | None = None
    opening_date: BusinessDate | None = None
    critical_threshold: Annotated[Taka, Field(ge=0, le=_MOST, examples=[20000])] | None = None

    @model_validator(mode="after")
    def _balance_of_a_day(self) -> Self:
        if (self.opening_balance is None) != (self.opening_date is None):
            kind = "together"
            raise PydanticCustomError(kind, kind, {"first": "opening_balance", "second": "opening_date"})
        return self

    def command(self) -> ChangeCashSettings:
        """Return the command, in paisa."""
        return ChangeCashSettings(paisa(self.opening_balance), self.opening_date, paisa(self.critical_threshold))


class NewExpense(Body):
    """An expense on a day, repeated if it recurs."""

    date: BusinessDate
    amount: Amount
    category: Category = Field(examples=["rent"])
    recurring: Interval | None = Field(None, examples=["monthly"])


class NewCollection(Body):
    """A payment of a customer on a day."""

    date: BusinessDate
    amount: Amount
    customer_id: CustomerId


class NewOpeningDebt(Body):
    """What was open with a customer before the books began; exactly one of `customer_name` and `customer_id`."""

    customer_name: Name | None = Field(None, description="A new name becomes a new customer", examples=["Fatema"])
    customer_phone: Annotated[str, Field(max_length=40), AfterValidator(phone_or_empty)] | None = Field(
        None, description="Distinguishes customers of the same name", examples=["+8801711123456"]
    )
    customer_id: CustomerId | None = None
    amount: Amount
    date: BusinessDate = Field(description="Since when it is owed, or when it was paid ahead")
    kind: OpeningDebtKind = Field("debt", description="`debt`: the customer owes it; `advance`: paid ahead")

    @model_validator(mode="after")
    def _one_customer(self) -> Self:
        if (self.customer_name is None) == (self.customer_id is None):
            kind = "one_of_two"
            raise PydanticCustomError(kind, kind, {"first": "customer_name", "second": "customer_id"})
        return self

    def entry(self) -> OpeningDebtEntry:
        """Return what is recorded, in paisa."""
        person = None if self.customer_name is None else Person(self.customer_name, self.customer_phone or None)
        return OpeningDebtEntry(self.kind, self.date, paisa(self.amount), self.customer_id, person)


class Collection(BaseModel):
    """A recorded payment of a customer."""

    id: int
    date: dt.date
    amount: schemas.Taka
    customer_id: int


class OpeningDebt(BaseModel):
    """A recorded opening debt or advance of a customer."""

    id: int
    kind: OpeningDebtKind
    date: dt.date
    amount: schemas.Taka
    customer_id: int


class _Voided(BaseModel):
    voided: Literal[True]
    reason: str


class VoidedExpense(_Voided, schemas.Expense):
    """An expense that was voided; the log keeps it."""


class VoidedCollection(_Voided, Collection):
    """A collection that was voided; the log keeps it."""


class VoidedOpeningDebt(_Voided, OpeningDebt):
    """An opening debt or advance that was voided; the log keeps it."""


_EXPENSE = {
    "id": 1,
    "date": "2025-11-03",
    "amount": 15000,
    "category": "rent",
    "recurring": "monthly",
    "ended_on": None,
}
_COLLECTION = {"id": 1, "date": "2025-11-03", "amount": 500, "customer_id": 1}
_DEBT = {"id": 1, "kind": "debt", "date": "2025-05-20", "amount": 1200, "customer_id": 1}
_VOID = {"voided": True, "reason": "Entered twice"}
SETTINGS = answers(
    schemas.CashSettings, {"opening_balance": 95000, "opening_date": "2025-11-03", "critical_threshold": 20000}
)
RECORDED = answers(schemas.Expense, _EXPENSE, "Recorded", status=201)
ENDED = answers(schemas.Expense, {**_EXPENSE, "ended_on": "2025-11-20"}, "Ended")
COLLECTED = answers(Collection, _COLLECTION, "Recorded", status=201)
DEBT_RECORDED = answers(OpeningDebt, _DEBT, "Recorded", status=201)
EXPENSE_VOIDED = answers(VoidedExpense, {**_EXPENSE, **_VOID}, "Voided; the log keeps it")
COLLECTION_VOIDED = answers(VoidedCollection, {**_COLLECTION, **_VOID}, "Voided; the log keeps it")
DEBT_VOIDED = answers(VoidedOpeningDebt, {**_DEBT, **_VOID}, "Voided; the log keeps it")
