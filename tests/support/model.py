"""What the read models must hold, worked out afresh from a whole history: no fold, no merging, no SQL.

Money in paisa, quantities in thousandths, times of a sale as the clock in Dhaka shows them.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.domain.events.identity import (
    BusinessErasureCancelled,
    BusinessErasureRequested,
    BusinessProfileChanged,
    BusinessRegistered,
)
from shared.domain.events.sales import (
    CustomersAdded,
    Movement,
    MovementsRecorded,
    ProductsAdded,
    ReceiptStored,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadAccepted,
    UploadAnswered,
    UploadCompleted,
    UploadFailed,
    UploadQuestionsAsked,
)
from shared.domain.events.storage import FileDeleted
from shared.domain.events.uploads import ProductsRemoved, UploadUndone, UploadUndoRequested
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed, JobRetried
from tests.support.model_cashflow import cashflow
from tests.support.model_customers import customers
from tests.support.model_forecasting import forecasting
from tests.support.model_inventory import inventory
from tests.support.model_notices import notices
from tests.support.model_recommendations import recommendations
from tests.support.model_undo import remaining, still_named

Row = dict[str, Any]
Tables = dict[str, list[Row]]
# What sealed texts open to; one whose subject was forgotten is not among them.
People = Mapping[str, Mapping[str, str | None]]
E = TypeVar("E", bound=Event)
T = TypeVar("T")
K = TypeVar("K")


class Line(NamedTuple):
    """One sale, wherever it was recorded."""

    business: int
    position: int
    tx: int
    date: dt.date
    sold_at: dt.datetime
    product: int
    customer: int | None
    qty: int
    paisa: int
    method: str | None
    raw: str | None

    voided: bool = False
    source: str | None = None
    kind: str = "sale"

    @property
    def price(self) -> int:
        return round(Fraction(self.paisa * 1000, self.qty))


def sales(history: Sequence[RecordedEvent], people: People) -> Tables:
    """Return the tables of the projection `sales`."""
    every = [*_lines(history), *_returns(history)]
    lines = [line for line in every if not line.voided and line.kind == "sale"]
    named = {(_business(r), product.id): product for r, e in _of(history, ProductsAdded) for product in e.products}
    of_product = _grouped(every, lambda line: (line.business, line.product))
    return {
        "transactions": [_transaction(line) for line in lines],
        "products": [
            _product(key, named.get(key), of_product.get(key, []))
            for key in {*named, *of_product, *still_named(history, by_sales=True)}
        ],
        "buyers": _buyers(history, people),
        "sales_days": _days(every, "payment_method"),
        "product_days": _days(every, "payment_method", "product_id"),
        "sales_totals": _totals(history, every, list(named)),
        "voids": [
            {
                "business_id": _business(r),
                "id": e.tx,
                "product_id": e.product_id,
                "reason": e.reason,
                "voided_at": r.recorded_at,
                "position": r.position,
            }
            for r, e in _of(history, SaleVoided)
        ],
        "movements": [_movement(r, e, m) for r, e in _of(history, MovementsRecorded) for m in e.movements],
    }


def identity(history: Sequence[RecordedEvent], people: People) -> Tables:
    """Return the tables of the projection `identity`."""
    profiles: dict[int, Row] = {}
    for recorded in history:
        event = recorded.event
        if isinstance(event, BusinessRegistered):
            profile = profiles.setdefault(event.business_id, _blank_profile(event.business_id))
            profile |= {"name": event.name, "type": event.type, "is_demo": event.is_demo}
            profile["created_at"] = recorded.recorded_at
        if isinstance(event, BusinessProfileChanged):
            profile = profiles.setdefault(event.business_id, _blank_profile(event.business_id))
            said: Row = {column: getattr(event, column) for column in ("name", "type", "city", "description")}
            said["phone_number"] = people.get(event.sealed or "", {}).get("phone_number")
            profile |= {column: value for column, value in said.items() if value is not None}
    return {
        "profiles": list(profiles.values()),
        "profile_stats": _stats(history),
        "profile_days": _days(list(_lines(history)), sums=("sales",)),
        "data_sources": _sources(history),
        "erasures": _erasures(history),
    }


def _erasures(history: Sequence[RecordedEvent]) -> list[Row]:
    asked = _grouped(
        [(r, r.event) for r in history if isinstance(r.event, BusinessErasureRequested | BusinessErasureCancelled)],
        lambda fact: fact[1].business_id,
    )
    return [
        {"business_id": business, "erased_after": last.erased_after}
        for business, facts in asked.items()
        if isinstance(last := facts[-1][1], BusinessErasureRequested)
    ]


def uploads(history: Sequence[RecordedEvent], _: People) -> Tables:
    """Return the tables of the projection `uploads`."""
    said = [(r, r.event, UUID(file)) for r in history if (file := _file_of(r.event))]
    files = _grouped(said, lambda fact: (fact[0].business_id, fact[2]))
    return {
        "uploads": [_upload(business, file, facts) for (business, file), facts in files.items()],
        "receipts": _receipts(history),
    }


def _receipts(history: Sequence[RecordedEvent]) -> list[Row]:
    pictures = _grouped(_of(history, ReceiptStored), lambda fact: (fact[0].business_id, fact[1].image_id))
    return [
        {
            "business_id": business,
            "image_id": UUID(image),
            "receipt_date": next((e.receipt_date for _, e in reversed(facts) if e.receipt_date), None),
            "created_at": facts[-1][0].recorded_at,
            "position": facts[-1][0].position,
        }
        for (business, image), facts in pictures.items()
    ]


def storage(history: Sequence[RecordedEvent], _: People) -> Tables:
    """Return the tables of the projection `storage`."""
    rows: dict[tuple[int | None, UUID], Row] = {}
    for recorded, event in ((r, r.event) for r in history):
        if not isinstance(event, UploadAccepted | ReceiptStored | FileDeleted):
            continue
        file = UUID(event.image_id if isinstance(event, ReceiptStored) else event.file_id)
        blank: Row = {"business_id": recorded.business_id, "file_id": file}
        blank |= dict.fromkeys(("kind", "size", "stored_at", "deleted_at"))
        row = rows.setdefault((recorded.business_id, file), blank)
        if isinstance(event, FileDeleted):
            row["deleted_at"] = recorded.recorded_at
        else:
            kind = "receipt" if isinstance(event, ReceiptStored) else "ledger"
            row |= {"kind": kind, "size": event.size, "stored_at": recorded.recorded_at}
        row["position"] = recorded.position
    return {"stored_files": list(rows.values())}


Model = Callable[[Sequence[RecordedEvent], People], Tables]


def _of_what_remains(model: Model) -> Model:
    return lambda history, people: model(remaining(history), people)


def _of_products_that_remain(model: Model) -> Model:
    """Leave out the rows of products that were removed: none of these histories names one afterwards."""

    def filtered(history: Sequence[RecordedEvent], people: People) -> Tables:
        gone = {(_business(r), product.id) for r, e in _of(history, ProductsRemoved) for product in e.products}
        found = model(history, people)
        return {
            table: [row for row in rows if (row["business_id"], row.get("product_id")) not in gone]
            for table, rows in found.items()
        }

    return filtered


MODELS: Mapping[str, Model] = {
    "cashflow": _of_what_remains(cashflow),
    "customers": customers,
    "forecasting": _of_products_that_remain(forecasting),
    "identity": _of_what_remains(identity),
    "inventory": inventory,
    "notices": notices,
    "recommendations": recommendations,
    "sales": _of_what_remains(sales),
    "storage": storage,
    "uploads": uploads,
}


def _lines(history: Sequence[RecordedEvent]) -> Iterable[Line]:
    voided = {(_business(r), e.tx) for r, e in _of(history, SaleVoided)}
    for recorded in history:
        business, event = recorded.business_id or 0, recorded.event
        if isinstance(event, SalesBatchRecorded):
            for sale in event.sales:
                method, raw = (None, None) if sale.payment is None else event.payments[sale.payment]
                yield Line(
                    business,
                    recorded.position,
                    sale.tx,
                    sale.date,
                    _clock(sale.date, sale.time),
                    sale.product_id,
                    sale.customer_id,
                    sale.qty,
                    sale.paisa,
                    method,
                    raw,
                    (business, sale.tx) in voided,
                )
        if isinstance(event, SaleRecorded):
            method, raw = event.payment or (None, None)
            yield Line(
                business,
                recorded.position,
                event.tx,
                event.date,
                _clock(event.date, event.time),
                event.product_id,
                event.customer_id,
                event.qty,
                event.paisa,
                method,
                raw,
                (business, event.tx) in voided,
                "manual",
            )


def _returns(history: Sequence[RecordedEvent]) -> Iterable[Line]:
    """Yield what customers brought back."""
    for recorded, event in _of(history, MovementsRecorded):
        for moved in event.movements:
            if moved.kind != "return":
                continue
            method, raw = (None, None) if moved.payment is None else event.payments[moved.payment]
            assert moved.product_id is not None
            yield Line(
                _business(recorded),
                recorded.position,
                moved.tx,
                moved.date,
                _clock(moved.date, moved.time),
                moved.product_id,
                moved.customer_id,
                moved.qty,
                moved.paisa,
                method,
                raw,
                kind="return",
            )


def _buyers(history: Sequence[RecordedEvent], people: People) -> list[Row]:
    buyers: dict[tuple[int, int], Row] = {}

    def buyer(recorded: RecordedEvent, number: int) -> Row:
        key = (_business(recorded), number)
        return buyers.setdefault(key, {"business_id": key[0], "id": number, "name": None, "merged_into": None})

    for recorded in history:
        event = recorded.event
        if isinstance(event, CustomersAdded):
            for customer in event.customers:
                row, name = buyer(recorded, customer.id), people.get(customer.sealed, {}).get("name")
                row["name"] = row["name"] if name is None else name
        if isinstance(event, CustomerDetailsChanged) and (name := people.get(event.sealed, {}).get("name")):
            buyer(recorded, event.customer_id)["name"] = name
        if isinstance(event, CustomersMerged):
            for merged in event.merged_ids:
                buyer(recorded, merged)["merged_into"] = event.customer_id
        if isinstance(event, CustomerDataErased):
            for erased in (event.customer_id, *event.merged_ids):
                buyer(recorded, erased)["name"] = None
    return list(buyers.values())


def _movement(recorded: RecordedEvent, event: MovementsRecorded, movement: Movement) -> Row:
    method, raw = (None, None) if movement.payment is None else event.payments[movement.payment]
    return {
        "business_id": recorded.business_id,
        "id": movement.tx,
        "kind": movement.kind,
        "sold_at": _clock(movement.date, movement.time),
        "product_id": movement.product_id,
        "customer_id": movement.customer_id,
        "text": movement.text,
        "quantity": movement.qty,
        "paisa": movement.paisa,
        "payment_method": method,
        "payment_text": raw,
        "position": recorded.position,
    }


def _transaction(line: Line) -> Row:
    return {
        "business_id": line.business,
        "id": line.tx,
        "sold_at": line.sold_at,
        "product_id": line.product,
        "customer_id": line.customer,
        "quantity": line.qty,
        "paisa": line.paisa,
        "payment_method": line.method,
        "payment_text": line.raw,
        "position": line.position,
        "source": line.source,
    }


def _days(
    lines: list[Line], *columns: str, sums: tuple[str, ...] = ("sales", "units", "paisa", "returned")
) -> list[Row]:
    def key(line: Line) -> tuple[tuple[str, Any], ...]:
        parts = {"payment_method": line.method or "", "product_id": line.product, "customer_id": line.customer}
        shown = {"business_id": line.business, "date": line.date} | {column: parts[column] for column in columns}
        return tuple(shown.items())

    return [dict(day) | _sums(group, *sums) for day, group in _grouped(lines, key).items()]


def _totals(history: Sequence[RecordedEvent], lines: list[Line], products: list[tuple[int, int]]) -> list[Row]:
    reported = [b for kind in (ProductsAdded, SalesBatchRecorded, SaleRecorded) for b in _businesses(history, kind)]
    return [
        {
            "business_id": business,
            "products": sum(owner == business for owner, _ in products),
            **_sums([line for line in lines if line.business == business], "sales", "paisa", "returned"),
        }
        for business in {*reported, *(line.business for line in lines)}
    ]


def _product(key: tuple[int, int], product: Any, every: list[Line]) -> Row:  # noqa: ANN401 - a NewProduct or nothing
    lines = [line for line in every if not line.voided and line.kind == "sale"]
    # Of sales at the same moment the one recorded last has the price; before the first sale, what it was added with.
    newest = max(enumerate(lines), key=lambda at: (at[1].sold_at, at[0]))[1] if lines else None
    return {
        "business_id": key[0],
        "id": key[1],
        "name": product and product.name,
        "sort_name": product and product.name.casefold(),
        "priced_at": newest and newest.sold_at,
        "last_sale_at": newest and newest.sold_at,
        "unit_price": newest and newest.price,
        "first_price": product and product.unit_price,
        "outdated": 0,
        **_sums(every, "sales", "units", "paisa", "returned"),
    }


def _sums(lines: list[Line], *columns: str) -> Row:
    lines = [line for line in lines if not line.voided]
    sold, back = ([line for line in lines if line.kind == kind] for kind in ("sale", "return"))
    sums = {
        "sales": len(sold),
        "units": sum(line.qty for line in sold) - sum(line.qty for line in back),
        "paisa": sum(line.paisa for line in sold) - sum(line.paisa for line in back),
        "returned": sum(line.paisa for line in back),
    }
    return {column: sums[column] for column in columns}


def _blank_profile(business: int) -> Row:
    columns = ("name", "type", "phone_number", "city", "description", "is_demo", "created_at")
    return {"business_id": business, **dict.fromkeys(columns)}


def _stats(history: Sequence[RecordedEvent]) -> list[Row]:
    every = list(_lines(history))
    lines = [line for line in every if not line.voided]
    opening = (BusinessRegistered, ProductsAdded, CustomersAdded, CustomersMerged)
    opened = [b for kind in opening for b in _businesses(history, kind)]
    back = list(_returns(history))
    stats = []
    for business in {*opened, *(line.business for line in (*every, *back))}:
        own = [line for line in lines if line.business == business]
        stats.append(
            {
                "business_id": business,
                "products": sum(len(e.products) for r, e in _of(history, ProductsAdded) if r.business_id == business),
                "customers": len(_ids(history, CustomersAdded, business))
                - len(_ids(history, CustomersMerged, business)),
                "transactions": len(own),
                "paisa": _sums([line for line in (*own, *back) if line.business == business], "paisa")["paisa"],
            }
        )
    return stats


def _ids(history: Sequence[RecordedEvent], kind: type[CustomersAdded | CustomersMerged], business: int) -> set[int]:
    """Return the ids of all customers that were added, or that are somebody else's since."""
    reported = [e for r, e in _of(history, kind) if r.business_id == business]
    return {
        i for e in reported for i in (e.merged_ids if isinstance(e, CustomersMerged) else [c.id for c in e.customers])
    }


def _sources(history: Sequence[RecordedEvent]) -> list[Row]:
    uses = [(business, "csv") for business in _businesses(history, UploadAccepted)]
    uses += [(business, "receipt_ocr") for business in _businesses(history, ReceiptStored)]
    uses += [(business, "manual") for business in _businesses(history, SaleRecorded)]
    undone = [(business, "csv") for business in _businesses(history, UploadUndone)]
    return [{"business_id": use[0], "source": use[1], "uses": uses.count(use) - undone.count(use)} for use in set(uses)]


def _file_of(event: Event) -> str | None:
    if isinstance(event, JobFailed | JobRetried):
        return event.subject if event.kind == "read_upload" else None
    of_uploads = UploadAccepted | UploadQuestionsAsked | UploadAnswered | UploadCompleted | UploadFailed
    of_uploads |= UploadUndoRequested | UploadUndone
    if isinstance(event, of_uploads | MovementsRecorded | SalesBatchRecorded):
        return event.file_id
    return None


def _upload(business: int | None, file: UUID, facts: Sequence[tuple[RecordedEvent, Event, UUID]]) -> Row:
    batches = [e for _, e, _ in facts if isinstance(e, SalesBatchRecorded)]
    moved = [e for _, e, _ in facts if isinstance(e, MovementsRecorded)]
    accepted = [(r, e) for r, e, _ in facts if isinstance(e, UploadAccepted)]
    completed = [e for _, e, _ in facts if isinstance(e, UploadCompleted)]
    failed = [e for _, e, _ in facts if isinstance(e, UploadFailed | JobFailed)]
    asked = [e for _, e, _ in facts if isinstance(e, UploadQuestionsAsked)]
    ended = [r for r, e, _ in facts if isinstance(e, UploadCompleted | UploadFailed | JobFailed)]
    undone = [(r, e) for r, e, _ in facts if isinstance(e, UploadUndone)]
    at, first = accepted[-1] if accepted else (None, None)
    return {
        "business_id": business,
        "file_id": file,
        "position": facts[-1][0].position,
        "state": _state([e for _, e, _ in facts if not isinstance(e, UploadUndoRequested)]),
        "undo": _last(_json(msgspec.to_builtins(e)) for _, e in undone),
        "undo_requested_at": _last(r.recorded_at for r, e, _ in facts if isinstance(e, UploadUndoRequested)),
        "undone_at": _last(r.recorded_at for r, _ in undone),
        "file_name": first and first.file_name,
        "data_source_name": _last(e.data_source_name for _, e in accepted),
        "rows_detected": first and first.rows_detected,
        "created_at": at and at.recorded_at,
        "accepted": at and at.position,
        "created": sum(len(e.sales) for e in batches) + sum(len(e.movements) for e in moved),
        "duplicates": sum(e.duplicates for e in batches),
        "rejected": sum(e.rejected for e in batches),
        "left_out": sum(e.left_out for e in batches),
        "questions": _last(msgspec.json.encode(e.questions).decode() for e in asked),
        "rows": completed[-1].rows if completed else None,
        "warnings": _last(_json([[w.code, w.values] for w in e.warnings]) for e in completed),
        "error_code": _last(e.error_code if isinstance(e, UploadFailed) else "INTERNAL_ERROR" for e in failed),
        "error_details": _last(_json(e.details) for e in failed if isinstance(e, UploadFailed)),
        "completed_at": ended[-1].recorded_at if ended else None,
    }


def _state(events: Sequence[Event]) -> str | None:
    states = {
        UploadAccepted: "pending",
        UploadQuestionsAsked: "waiting",
        UploadAnswered: "pending",
        MovementsRecorded: "processing",
        SalesBatchRecorded: "processing",
        UploadCompleted: "completed",
        JobRetried: "pending",
        UploadUndone: "undone",
    }
    return states.get(type(events[-1]), "failed") if events else None


def _of(history: Sequence[RecordedEvent], kind: type[E]) -> list[tuple[RecordedEvent, E]]:
    return [(recorded, event) for recorded in history if isinstance(event := recorded.event, kind)]


def _businesses(history: Sequence[RecordedEvent], kind: type[Event]) -> list[int]:
    return [_business(recorded) for recorded, _ in _of(history, kind)]


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def _last(values: Iterable[T | None]) -> T | None:
    given = [value for value in values if value is not None]
    return given[-1] if given else None


def _business(recorded: RecordedEvent) -> int:
    assert recorded.business_id is not None
    return recorded.business_id


def _clock(date: dt.date, seconds: int | None) -> dt.datetime:
    return dt.datetime.combine(date, dt.time()) + dt.timedelta(seconds=seconds or 0)


def _json(value: object) -> str | None:
    return json.dumps(value, sort_keys=True) if value else None
