"""Taking back what an upload recorded: whether it may be, by which events, and what stays because of other facts."""

import base64
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.events.forecasting import ForecastMade
from shared.domain.events.inventory import (
    ProductDetails,
    ProductDetailsChanged,
    ProductSheetRecorded,
    ProductSheetUndone,
)
from shared.domain.events.recommendations import (
    RecommendationExecuted,
    RecommendationIssued,
    RecommendationRefreshed,
)
from shared.domain.events.sales import (
    CustomersAdded,
    Movement,
    MovementsRecorded,
    ProductsAdded,
    Sale,
    SalesBatchRecorded,
    UploadCompleted,
)
from shared.domain.events.uploads import (
    CustomersRemoved,
    MovementsUndone,
    ProductsRemoved,
    Removed,
    SalesBatchUndone,
    UploadUndone,
    UploadUndoRequested,
)
from shared.domain.refusals.sales import AlreadyUndone, UndoTooLate, UploadNotCompleted, UploadNotFound
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from write_side.sales.aggregate import Upload, sale_index_key
from write_side.sales.csv.rows import FINGERPRINT_SIZE

UNDO_WITHIN = dt.timedelta(days=30)
DETAILS = ("sku", "unit", "unit_price", "cost", "reorder_point", "lead_time_days", "pack_size", "min_order")
Recorded = SalesBatchRecorded | MovementsRecorded | ProductSheetRecorded
TakenBack = SalesBatchUndone | MovementsUndone | ProductSheetUndone


def insist_on_undoable(upload: Upload | None, business_id: int | None, now: dt.datetime) -> Upload:
    """Return an upload that can be undone.

    Raises UploadNotFound, UploadNotCompleted, AlreadyUndone, and UndoTooLate more than 30 days after it was accepted.
    """
    if upload is None or upload.business_id != business_id:
        raise UploadNotFound
    if upload.undone:
        raise AlreadyUndone(details={"file_id": upload.file_id, "replaced_by": upload.replaced_by})
    if upload.failed or not upload.finished:
        raise UploadNotCompleted(details={"file_id": upload.file_id})
    last = upload.accepted_at + UNDO_WITHIN
    if now > last and not upload.undoing:
        raise UndoTooLate(details={"file_id": upload.file_id, "until": last.date().isoformat()})
    return upload


def request(upload: Upload, replaced_by: str | None = None) -> list[Event]:
    """Return that an upload will be undone, nothing if that was requested before."""
    return [] if upload.undoing else [UploadUndoRequested(upload.file_id, replaced_by)]


def take_back(recorded: RecordedEvent, event: Recorded, voided: set[int], said: Sequence[RecordedEvent]) -> TakenBack:
    """Return the event that takes one back, without the sales in `voided`.

    said: in order, what owner and uploads recorded about the details of products.
    """
    place = (event.file_id, recorded.position, recorded.recorded_at)
    match event:
        case SalesBatchRecorded():
            kept = [i for i, sale in enumerate(event.sales) if sale.tx not in voided]
            sales = [event.sales[i] for i in kept]
            known = {sale.tx for sale in sales}
            parts = [(tx, paisa) for tx, paisa in event.part_payments if tx in known]
            return SalesBatchUndone(*place, sales, event.payments, _fingerprints(event.fingerprints, kept), parts)
        case MovementsRecorded():
            return MovementsUndone(*place, event.movements, event.payments, event.fingerprints)
        case ProductSheetRecorded():
            return ProductSheetUndone(*place, event.lines, details_without(recorded, event, said))


def _fingerprints(encoded: str, kept: Sequence[int]) -> str:
    prints = base64.b64decode(encoded)
    return base64.b64encode(b"".join(prints[FINGERPRINT_SIZE * i : FINGERPRINT_SIZE * (i + 1)] for i in kept)).decode()


def fingerprint_keys(event: SalesBatchUndone | MovementsUndone) -> Iterable[bytes]:
    """Yield the index keys of the rows of an event."""
    prints = base64.b64decode(event.fingerprints)
    rows: Sequence[Sale | Movement] = event.sales if isinstance(event, SalesBatchUndone) else event.movements
    for i, row in enumerate(rows):
        yield sale_index_key(row.date, prints[FINGERPRINT_SIZE * i : FINGERPRINT_SIZE * (i + 1)])


def details_without(
    sheet: RecordedEvent, event: ProductSheetRecorded, said: Sequence[RecordedEvent]
) -> list[ProductDetails]:
    """Return the details of the products of a sheet without it, and without the sheets that were taken back before."""
    gone = {sheet.position} | {e.of for recorded in said if isinstance(e := recorded.event, ProductSheetUndone)}
    details = {line.product_id: (dict[str, Any](), set[str]()) for line in event.lines}
    for recorded in said:
        if recorded.position in gone:
            continue
        for product, values, cleared in _said(recorded.event):
            if product in details:
                known, taken = details[product]
                known.update(values)
                taken.difference_update(values)
                taken.update(cleared)
                for name in cleared:
                    known.pop(name, None)
    return [
        ProductDetails(product, **{name: known.get(name) for name in DETAILS}, cleared=sorted(taken))
        for product, (known, taken) in details.items()
    ]


def _said(event: Event) -> Iterable[tuple[int, dict[str, Any], Sequence[str]]]:
    if isinstance(event, ProductDetailsChanged):
        values = {name: value for name in DETAILS if (value := getattr(event, name)) is not None}
        yield event.product_id, values, event.cleared
    if isinstance(event, ProductSheetRecorded):
        for line in event.lines:
            values = {name: value for name in ("sku", "cost") if (value := getattr(line, name)) is not None}
            yield line.product_id, values, ()


@dataclass
class Made:
    """What an upload made: its rows and the keys of new products and customers; `since` is its first position."""

    since: int
    products: dict[int, str] = field(default_factory=dict)
    customers: dict[int, str] = field(default_factory=dict)
    named_products: set[int] = field(default_factory=set)
    named_customers: set[int] = field(default_factory=set)
    sales: int = 0
    movements: int = 0
    voided: int = 0


def made_by(history: Iterable[RecordedEvent]) -> Made:
    """Return what an upload made, from the events of its stream."""
    made = Made(0)
    recorded_sales = 0
    for recorded in history:
        made.since = made.since or recorded.position
        event = recorded.event
        match event:
            case ProductsAdded():
                made.products |= {product.id: product.key for product in event.products}
            case CustomersAdded():
                made.customers |= {customer.id: customer.key for customer in event.customers}
            case SalesBatchRecorded():
                recorded_sales += len(event.sales)
            case SalesBatchUndone():
                made.sales += len(event.sales)
            case MovementsUndone():
                made.movements += len(event.movements)
        if isinstance(event, Recorded):
            products, customers = named_by(event)
            made.named_products |= products
            made.named_customers |= customers
    made.voided = recorded_sales - made.sales
    return made


def named_by(event: Event) -> tuple[set[int], set[int]]:
    """Return the ids of the products and customers that any event names, in its fields or in its lines."""
    rows: list[Any] = [event]
    for lines in ("sales", "movements", "lines"):
        rows += getattr(event, lines, ())
    products = {row.product_id for row in rows if getattr(row, "product_id", None) is not None}
    customers = {row.customer_id for row in rows if getattr(row, "customer_id", None) is not None}
    customers |= set(getattr(event, "merged_ids", ()))
    if isinstance(event, RecommendationExecuted):
        product, people = event.action.get("product_id"), event.action.get("customer_ids")
        products |= {product} if isinstance(product, int) else set()
        customers |= set(people) if isinstance(people, list) else set()
    return products, customers


@dataclass
class Others:
    """What the other facts of a shop say about an upload that is undone."""

    made: Made
    file_id: str
    products: set[int] = field(default_factory=set)
    customers: set[int] = field(default_factory=set)
    forecasts: dict[tuple[int, int], int] = field(default_factory=dict)
    recommendations: set[int] = field(default_factory=set)
    executed: set[int] = field(default_factory=set)
    overlaps: dict[str, None] = field(default_factory=dict)

    def add(self, recorded: RecordedEvent) -> None:
        """Take one more fact into account, in the order of the log; those of undone uploads are none."""
        event = recorded.event
        if recorded.position > self.made.since:
            self._add_touched(event)
        if not isinstance(event, ForecastMade | RecommendationIssued | RecommendationRefreshed):
            products, customers = named_by(event)
            self.products |= products
            self.customers |= customers

    def _add_touched(self, event: Event) -> None:
        match event:
            case ForecastMade() if event.product_id in self.made.named_products:
                self.forecasts[event.product_id, event.horizon] = event.forecast_id
            case RecommendationIssued() | RecommendationRefreshed():
                # Those without a product are about all customers or the shop's cash.
                if event.facts.get("product_id") in {None, *self.made.named_products}:
                    self.recommendations.add(event.recommendation_id)
            case RecommendationExecuted():
                self.executed |= {event.recommendation_id} & self.recommendations
            case UploadCompleted() if event.duplicates:
                self.overlaps[event.file_id] = None

    def conclude(self, upload: Upload) -> list[Event]:
        """Return the end of the undo: what is removed, and what stays."""
        made = self.made
        products = [Removed(number, key) for number, key in made.products.items() if number not in self.products]
        customers = [Removed(number, key) for number, key in made.customers.items() if number not in self.customers]
        undone = UploadUndone(
            upload.file_id,
            made.sales,
            made.movements,
            made.voided,
            sorted(made.products.keys() & self.products),
            sorted(made.customers.keys() & self.customers),
            sorted(self.forecasts.values()),
            sorted(self.recommendations),
            sorted(self.executed),
            list(self.overlaps),
            upload.replaced_by,
        )
        removed: list[Event] = [ProductsRemoved(products)] if products else []
        removed += [CustomersRemoved(customers)] if customers else []
        return [*removed, undone]
