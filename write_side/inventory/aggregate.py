"""Aggregate of a product: its details and its stock movements.

`decide` takes the command, the state and the time; it returns the events or raises a refusal. Money is integer paisa,
quantities are integer thousandths.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from shared.domain.events.inventory import ProductDetailsChanged, ProductSheetRecorded, StockEntryVoided, StockMoved
from shared.domain.refusals.inventory import ProductNotFound, QuantityNotWhole, StockEntryNotFound
from shared.domain.refusals.sales import EntryAlreadyVoided
from shared.domain.rules.stock import FRACTIONAL_UNITS
from shared.errors import TimeOutOfRange
from shared.eventstore.event import Event
from shared.runtime.business_day import DHAKA
from shared.texts import Phrase

EARLIEST = dt.datetime(2000, 1, 1, tzinfo=DHAKA)
CLOCK_SKEW = dt.timedelta(minutes=5)
QUANTITIES = ("reorder_point", "pack_size", "min_order")
DETAILS = ("sku", "unit", "unit_price", "cost", "reorder_point", "lead_time_days", "pack_size", "min_order")
_LAST_SECOND = dt.time(23, 59, 59)
_THOUSANDTHS = 1000
Value = str | int | None


@dataclass(frozen=True)
class Product:
    """A product with its details, the newest value of each; None where there is none or it was cleared."""

    product_id: int
    exists: bool = True
    details: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType(dict.fromkeys(DETAILS)))


@dataclass(frozen=True)
class ChangeDetails:
    """Change details of a product: name -> value, None clears it."""

    details: Mapping[str, Value]


@dataclass(frozen=True)
class MoveStock:
    """Record a stock count or another change of the stock that is not a sale.

    `at`: an instant, a date, or None for now. On a day before today a count counts at the end of the day, any other
    movement at its beginning, as sales without a time do; today's date means now.
    """

    kind: str
    quantity: int
    at: dt.datetime | dt.date | None = None


@dataclass(frozen=True)
class StockEntry:
    """A recorded count or movement: its event, the event's position, and why it was voided, None if it was not."""

    moved: StockMoved
    position: int
    void_reason: str | None = None


@dataclass(frozen=True)
class VoidStockEntry:
    """A count or movement was recorded by mistake; `entry` is None if the product has none with this id."""

    entry_id: int
    entry: StockEntry | None
    reason: str


Command = ChangeDetails | MoveStock | VoidStockEntry


def decide(command: Command, product: Product, now: dt.datetime) -> Sequence[Event]:
    """Return the events of a command; none if it changes nothing.

    Raises ProductNotFound, QuantityNotWhole for a fraction of a unit that is sold in whole pieces, TimeOutOfRange for a
    movement before 2000 or more than 5 minutes after `now`, StockEntryNotFound and EntryAlreadyVoided.
    """
    if not product.exists:
        raise ProductNotFound(details={"id": product.product_id})
    match command:
        case ChangeDetails():
            return _change_details(command, product)
        case MoveStock():
            return _move_stock(command, product, now)
        case VoidStockEntry():
            return _void(command)


def evolve(product: Product, event: Event) -> Product:
    """Return the product after one more event, of its own stream or of an upload."""
    changed: dict[str, Value] = {}
    match event:
        case ProductDetailsChanged():
            changed = {name: value for name in DETAILS if (value := getattr(event, name)) is not None}
            changed |= dict.fromkeys(event.cleared)
        case ProductSheetRecorded():
            for line in event.lines:
                if line.product_id == product.product_id:
                    changed |= {name: value for name in ("sku", "cost") if (value := getattr(line, name)) is not None}
    return replace(product, details={**product.details, **changed}) if changed else product


def _change_details(command: ChangeDetails, product: Product) -> list[Event]:
    unit = command.details.get("unit", product.details["unit"])
    for name in QUANTITIES:
        _require_whole(name, command.details.get(name), unit)
    changed = {name: value for name, value in command.details.items() if value != product.details[name]}
    if not changed:
        return []
    given = {name: value for name, value in changed.items() if value is not None}
    cleared = sorted(changed.keys() - given.keys())
    return [ProductDetailsChanged(product.product_id, **given, cleared=cleared)]  # type: ignore[arg-type]


def _move_stock(command: MoveStock, product: Product, now: dt.datetime) -> list[Event]:
    _require_whole("quantity", command.quantity, product.details["unit"])
    at = _moment(command, now.astimezone(DHAKA))
    if not EARLIEST <= at <= now + CLOCK_SKEW:
        latest = now.astimezone(DHAKA).isoformat(timespec="seconds")
        problem = Phrase("FIELD_TIME_OUT_OF_RANGE", {"earliest": EARLIEST.date().isoformat(), "latest": latest})
        raise TimeOutOfRange(**_refused("at", "time_out_of_range", problem))
    time = at.hour * 3600 + at.minute * 60 + at.second
    return [StockMoved(product.product_id, command.kind, command.quantity, at.date(), time)]


def _void(command: VoidStockEntry) -> list[Event]:
    entry = command.entry
    if entry is None:
        raise StockEntryNotFound(details={"id": command.entry_id})
    if entry.void_reason is not None:
        raise EntryAlreadyVoided(details={"id": command.entry_id, "reason": entry.void_reason})
    was = entry.moved
    return [
        StockEntryVoided(
            was.product_id, command.entry_id, command.reason, entry.position, was.kind, was.qty, was.date, was.time
        )
    ]


def _moment(command: MoveStock, now: dt.datetime) -> dt.datetime:
    match command.at:
        case None:
            return now
        case dt.datetime():
            return command.at.astimezone(DHAKA)
        case today if today == now.date():
            return now
    time = _LAST_SECOND if command.kind == "count" else dt.time()
    return dt.datetime.combine(command.at, time, DHAKA)


def _require_whole(name: str, quantity: Value, unit: Value) -> None:
    if isinstance(quantity, int) and quantity % _THOUSANDTHS and unit not in FRACTIONAL_UNITS:
        problem = Phrase("FIELD_QUANTITY_NOT_WHOLE", {"units": ", ".join(sorted(FRACTIONAL_UNITS))})
        raise QuantityNotWhole(**_refused(name, "quantity_not_whole", problem))


def _refused(name: str, code: str, problem: Phrase) -> dict[str, Any]:
    fields = [{"field": name, "in": "body", "code": code, "message": problem}]
    return {"details": {"fields": fields}, "fields": name, "field": name, "problem": problem}
