"""What owners may say about their cash, in taka; keys that are not named here are ignored."""

from decimal import Decimal
from typing import Annotated, Final, LiteralString, Self, overload

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.rules.recurring import Interval
from shared.http.fields import PlainDate, printable

_MOST = 10**10
# What can be wrong; the texts FIELD_NOT_… word it.
_NO_NUMBER: Final = "decimal_type"


def _problem(kind: LiteralString) -> PydanticCustomError:
    return PydanticCustomError(kind, kind)


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise _problem(_NO_NUMBER)
    return value


BusinessDate = Annotated[PlainDate, Field(examples=["2025-11-03"])]
Taka = Annotated[Decimal, BeforeValidator(_number), Field(decimal_places=2)]
Amount = Annotated[Taka, Field(ge=1, le=10_000_000, examples=[15000])]
CustomerId = Annotated[int, Field(ge=1, le=2**63 - 1, strict=True, examples=[1])]
Category = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(printable)]


@overload
def paisa(taka: Decimal) -> int: ...
@overload
def paisa(taka: None) -> None: ...
def paisa(taka: Decimal | None) -> int | None:
    """Return an amount with at most two places in paisa, None of none."""
    return None if taka is None else int(taka * 100)


class _Form(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class CashSettings(_Form):
    """Where the cash stood at the start of a day, and the balance to be warned below; what is left out stays."""

    opening_balance: Annotated[Taka, Field(ge=-_MOST, le=_MOST, examples=[95000])] | None = None
    opening_date: BusinessDate | None = None
    critical_threshold: Annotated[Taka, Field(ge=0, le=_MOST, examples=[20000])] | None = None

    @model_validator(mode="after")
    def _balance_of_a_day(self) -> Self:
        if (self.opening_balance is None) != (self.opening_date is None):
            kind = "together"
            raise PydanticCustomError(kind, kind, {"first": "opening_balance", "second": "opening_date"})
        return self


class NewExpense(_Form):
    """Something paid on a day, and again if it recurs."""

    date: BusinessDate
    amount: Amount
    category: Category = Field(examples=["rent"])
    recurring: Interval | None = Field(None, examples=["monthly"])


class NewCollection(_Form):
    """What a customer paid back on a day."""

    date: BusinessDate
    amount: Amount
    customer_id: CustomerId
