"""Request bodies about products and stock: money in taka, quantities in units; unknown keys are refused."""

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Any, Literal, LiteralString

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.domain.presentation import schemas
from shared.domain.presentation.command_answers import MONEY
from shared.domain.presentation.units import PAISA, THOUSANDTHS
from shared.domain.rules.stock import UNITS
from shared.http.answers import answers
from shared.http.fields import PlainNumber, printable
from shared.runtime.business_day import DHAKA
from write_side.inventory.aggregate import ChangeDetails, MoveStock, Value

MOST = 1_000_000
# The codes of problems; their texts are FIELD_NOT_… or FIELD_…
_NOT_CHOICE, _NOT_DATE = "literal_error", "date_parsing"
_BELOW_ZERO, _ADJUSTS_NOTHING, _MOVES_NOTHING = "count_below_zero", "adjusts_nothing", "moves_nothing"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)


def _problem(kind: LiteralString, **context: str) -> PydanticCustomError:
    return PydanticCustomError(kind, kind, dict(context))


def _unit(text: object) -> object:
    if isinstance(text, str) and text not in UNITS:
        raise _problem(_NOT_CHOICE, expected=", ".join(UNITS))
    return text


def _moment(value: object) -> dt.datetime | dt.date:
    # A time without an offset is local to Dhaka.
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return dt.date.fromisoformat(value)
        at = dt.datetime.fromisoformat(value if isinstance(value, str) and _INSTANT.fullmatch(value) else "")
        at = at if at.tzinfo else at.replace(tzinfo=DHAKA)
        at.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise _problem(_NOT_DATE) from None
    return at


_Taka = Annotated[PlainNumber, Field(ge=0, le=10_000_000, decimal_places=2)]
_Quantity = Annotated[PlainNumber, Field(decimal_places=3)]
_Stock = Annotated[_Quantity, Field(ge=0, le=MOST)]
_Pack = Annotated[_Quantity, Field(gt=0, le=MOST)]
_Sku = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(printable)]
_Unit = Annotated[str, BeforeValidator(_unit), Field(json_schema_extra={"enum": list(UNITS)})]
_Days = Annotated[int, Field(ge=0, le=365, strict=True)]


class _Form(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, extra="forbid")


class ProductChange(_Form):
    """The changed details of a product; omitted fields stay unchanged, null clears one."""

    sku: _Sku | None = Field(None, examples=["RICE-5KG"])
    reorder_point: _Stock | None = Field(None, examples=[20])
    unit_price: _Taka | None = Field(None, examples=[120])
    unit: _Unit | None = Field(None, examples=["kg"])
    cost: _Taka | None = Field(None, examples=[98.5])
    lead_time_days: _Days | None = Field(None, examples=[3])
    pack_size: _Pack | None = Field(None, examples=[25])
    min_order: _Stock | None = Field(None, examples=[50])

    def command(self) -> ChangeDetails:
        """Return the command, money in paisa, quantities in thousandths."""
        return ChangeDetails(
            {name: _scaled(name, value) for name, value in self.model_dump(exclude_unset=True).items()}
        )


class StockMove(_Form):
    """A count of the stock, or a change of it that is not a sale."""

    kind: schemas.StockEntryKind
    quantity: Annotated[_Quantity, Field(ge=-MOST, le=MOST, examples=[40])]
    at: Annotated[dt.datetime | dt.date, BeforeValidator(_moment)] | None = Field(
        None, description="An instant or a date; now if omitted", examples=["2025-11-03T18:00:00+06:00"]
    )

    @field_validator("quantity")
    @classmethod
    def _sign(cls, quantity: Decimal, info: ValidationInfo) -> Decimal:
        kind = info.data.get("kind")
        if kind == "count" and quantity < 0:
            raise _problem(_BELOW_ZERO)
        if kind == "adjust" and not quantity:
            raise _problem(_ADJUSTS_NOTHING)
        if kind in {"receive", "waste", "return"} and quantity <= 0:
            raise _problem(_MOVES_NOTHING)
        return quantity

    def command(self) -> MoveStock:
        """Return the command, the quantity in thousandths."""
        return MoveStock(self.kind, int(self.quantity * THOUSANDTHS), self.at)


def _scaled(name: str, value: Any) -> Value:  # noqa: ANN401 - a field's value
    if isinstance(value, Decimal):
        return int(value * (PAISA if name in MONEY else THOUSANDTHS))
    return value  # type: ignore[no-any-return]


class ProductDetails(BaseModel):
    """The details of a product; those that were never set or were cleared are null."""

    id: int
    sku: str | None
    unit: str | None
    unit_price: schemas.Taka | None
    cost: schemas.Taka | None
    reorder_point: schemas.Quantity | None
    lead_time_days: int | None
    pack_size: schemas.Quantity | None
    min_order: schemas.Quantity | None


class StockMovement(BaseModel):
    """A recorded count or movement; its `id` is unique within the product."""

    id: int
    product_id: int
    kind: schemas.StockEntryKind
    quantity: schemas.Quantity
    at: schemas.LocalTime


class VoidedStockMovement(StockMovement):
    """A count or movement that was voided; the log keeps it."""

    voided: Literal[True]
    reason: str


CHANGED = answers(
    ProductDetails,
    {
        "id": 1,
        "sku": "RICE-5KG",
        "unit": "kg",
        "unit_price": None,
        "cost": 98.5,
        "reorder_point": 20,
        "lead_time_days": 3,
        "pack_size": 25,
        "min_order": None,
    },
    "All details of the product; without a `unit_price` the price is derived from its sales",
)
_MOVEMENT = {"id": 3, "product_id": 1, "kind": "count", "quantity": 40, "at": "2025-11-03T18:00:00+06:00"}
MOVED = answers(
    StockMovement,
    _MOVEMENT,
    "Recorded; X-Event-Position is the position from which reads include it",
    status=201,
)
ENTRY_VOIDED = answers(
    VoidedStockMovement, {**_MOVEMENT, "voided": True, "reason": "Counted the wrong shelf"}, "Voided; the log keeps it"
)
