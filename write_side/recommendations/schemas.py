"""What owners answer to recommendations; of the action that they change, keys that are not named here are refused."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, LiteralString

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from shared.domain.events.recommendations import Fact
from shared.http.fields import PlainDate

_NO_NUMBER: Final = "decimal_type"


def _problem(kind: LiteralString) -> PydanticCustomError:
    return PydanticCustomError(kind, kind)


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise _problem(_NO_NUMBER)
    return value


_Decimal = Annotated[Decimal, BeforeValidator(_number)]
_Seconds = Annotated[int, Field(ge=0, le=86_400, strict=True, examples=[45])]


class _Form(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class _Action(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, extra="forbid")


class Look(_Form):
    """How long the owner looked."""

    view_duration_seconds: _Seconds | None = None


class Execution(_Form):
    """That it is to be done, and how otherwise."""

    confirmation: Annotated[bool, Field(strict=True, examples=[True])]
    modified_action: dict[str, Any] | None = Field(
        None,
        description="By type: reorder {recommended_qty, reorder_by_date}, retention {customer_ids},"
        " price_optimization {suggested_price}, cash_warning nothing",
        examples=[{"recommended_qty": 20, "reorder_by_date": "2025-11-05"}],
    )


class Dismissal(_Form):
    """Why it won't be done."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None = Field(
        None, examples=["The supplier is closed this week"]
    )


class _Reorder(_Action):
    recommended_qty: Annotated[_Decimal, Field(ge=1, le=100_000, decimal_places=3)] | None = None
    reorder_by_date: PlainDate | None = None

    def facts(self) -> dict[str, Fact]:
        quantity, date = self.recommended_qty, self.reorder_by_date
        return {
            "recommended_qty": None if quantity is None else int(quantity * 1000),
            "reorder_by": None if date is None else str(date),
        }


class _Retention(_Action):
    customer_ids: (
        Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1, strict=True)]], Field(min_length=1, max_length=20)]
        | None
    ) = None

    def facts(self) -> dict[str, Fact]:
        return {"customer_ids": self.customer_ids and sorted(set(self.customer_ids))}


class _Price(_Action):
    suggested_price: Annotated[_Decimal, Field(ge=1, le=10_000_000, decimal_places=2)] | None = None

    def facts(self) -> dict[str, Fact]:
        return {"suggested_price": None if self.suggested_price is None else int(self.suggested_price * 100)}


class _Nothing(_Action):
    def facts(self) -> dict[str, Fact]:
        return {}


_BY_TYPE: Mapping[str, type[_Reorder | _Retention | _Price | _Nothing]] = {
    "reorder": _Reorder,
    "retention": _Retention,
    "price_optimization": _Price,
    "cash_warning": _Nothing,
}


def changes(kind: str, modified: Mapping[str, Any] | None) -> dict[str, Fact]:
    """Return the facts that a modified action of a type changes; raises RequestValidationError, a refusal with 400."""
    try:
        said = _BY_TYPE[kind].model_validate(modified or {})
    except ValidationError as error:
        raise RequestValidationError(
            [{**problem, "loc": ("body", "modified_action", *problem["loc"])} for problem in error.errors()]
        ) from None
    return {name: value for name, value in said.facts().items() if value is not None}
