"""What the owner may say of a product and of its stock: commands in, events or a refusal out.

Money in paisa, quantities in thousandths.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.events.inventory import ProductDetailsChanged, ProductSheetRecorded, StockMoved
from shared.domain.refusals.inventory import QuantityNotWhole
from shared.domain.rules.stock import FRACTIONAL_UNITS
from shared.errors import TimeOutOfRange
from shared.eventstore.event import Event
from shared.texts import Phrase

DHAKA = ZoneInfo("Asia/Dhaka")
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=DHAKA)
AHEAD = dt.timedelta(minutes=5)
TEXTS = ("sku", "unit")
MONEY = ("unit_price", "cost")
QUANTITIES = ("reorder_point", "pack_size", "min_order")
DETAILS = ("sku", "unit", "unit_price", "cost", "reorder_point", "lead_time_days", "pack_size", "min_order")
_LAST_SECOND = dt.time(23, 59, 59)
_THOUSANDTHS = 1000
Value = str | int | None


@dataclass(frozen=True)
class Product:
    """What was said of a product, newest last; None where nothing was, or was taken back. `version` of its stream."""

    product_id: int
    version: int = 0
    details: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType(dict.fromkeys(DETAILS)))


@dataclass(frozen=True)
class ChangeDetails:
    """Say something of a product: detail -> value, None to take it back."""

    said: Mapping[str, Value]


@dataclass(frozen=True)
class MoveStock:
    """Count the stock, or tell of something that changed it and is no sale.

    `at`: an instant, a date, or None for now. Of a day before today, a count was at its end, anything else at its
    beginning, as sales without a time are; today's date means now.
    """

    kind: str
    quantity: int
    at: dt.datetime | dt.date | None = None


def evolve(product: Product, event: Event) -> Product:
    """Return the product after one more event, of its own stream or of a ledger."""
    said: dict[str, Value] = {}
    match event:
        case ProductDetailsChanged():
            said = {name: value for name in DETAILS if (value := getattr(event, name)) is not None}
            said |= dict.fromkeys(event.cleared)
        case ProductSheetRecorded():
            for line in event.lines:
                if line.product_id == product.product_id:
                    said |= {name: told for name in ("sku", "cost") if (told := getattr(line, name)) is not None}
    return Product(product.product_id, product.version, {**product.details, **said})


def load(product_id: int, version: int, events: Iterable[Event]) -> Product:
    """Return the product that events tell of, in their order."""
    product = Product(product_id, version)
    for event in events:
        product = evolve(product, event)
    return product


def change_details(command: ChangeDetails, product: Product) -> list[ProductDetailsChanged]:
    """Return what changes, nothing where everything stays; raises QuantityNotWhole for a unit sold in whole pieces."""
    unit = command.said.get("unit", product.details["unit"])
    for name in QUANTITIES:
        _insist_on_whole(name, command.said.get(name), unit)
    changed = {name: value for name, value in command.said.items() if value != product.details[name]}
    if not changed:
        return []
    given = {name: value for name, value in changed.items() if value is not None}
    cleared = sorted(changed.keys() - given.keys())
    return [ProductDetailsChanged(product.product_id, **given, cleared=cleared)]  # type: ignore[arg-type]


def move_stock(command: MoveStock, product: Product, now: dt.datetime) -> StockMoved:
    """Return the movement; raises QuantityNotWhole, TimeOutOfRange before 2000 or 5 minutes ahead of `now`."""
    _insist_on_whole("quantity", command.quantity, product.details["unit"])
    at = _moment(command, now.astimezone(DHAKA))
    if not EARLIEST <= at <= now + AHEAD:
        latest = now.astimezone(DHAKA).isoformat(timespec="seconds")
        problem = Phrase("FIELD_TIME_OUT_OF_RANGE", {"earliest": EARLIEST.date().isoformat(), "latest": latest})
        raise TimeOutOfRange(**_refused("at", "time_out_of_range", problem))
    time = at.hour * 3600 + at.minute * 60 + at.second
    return StockMoved(product.product_id, command.kind, command.quantity, at.date(), time)


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


def _insist_on_whole(name: str, quantity: Value, unit: Value) -> None:
    if isinstance(quantity, int) and quantity % _THOUSANDTHS and unit not in FRACTIONAL_UNITS:
        problem = Phrase("FIELD_QUANTITY_NOT_WHOLE", {"units": ", ".join(sorted(FRACTIONAL_UNITS))})
        raise QuantityNotWhole(**_refused(name, "quantity_not_whole", problem))


def _refused(name: str, code: str, problem: Phrase) -> dict[str, Any]:
    fields = [{"field": name, "in": "body", "code": code, "message": problem}]
    return {"details": {"fields": fields}, "fields": name, "field": name, "problem": problem}
