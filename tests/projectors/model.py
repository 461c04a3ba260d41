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

from shared.event_codec import Recorded
from shared.events.base import Event
from shared.events.identity import BusinessProfileChanged, BusinessRegistered
from shared.events.jobs import JobFailed
from shared.events.sales import (
    CustomersAdded,
    ProductsAdded,
    ReceiptStored,
    SalesBatchRecorded,
    UploadAccepted,
    UploadCompleted,
    UploadFailed,
)

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

    @property
    def price(self) -> int:
        return round(Fraction(self.paisa * 1000, self.qty))


def sales(history: Sequence[Recorded], people: People) -> Tables:
    """Return the tables of the projection `sales`."""
    lines = list(_lines(history))
    named = {(_business(r), product.id): product for r, e in _of(history, ProductsAdded) for product in e.products}
    known = {
        (_business(r), customer.id): people.get(customer.sealed, {})
        for r, e in _of(history, CustomersAdded)
        for customer in e.customers
    }
    of_product = _grouped(lines, lambda line: (line.business, line.product))
    visits = [(line, line.customer) for line in lines if line.customer is not None]
    of_customer = {
        key: [line for line, _ in group]
        for key, group in _grouped(visits, lambda visit: (visit[0].business, visit[1])).items()
    }
    return {
        "transactions": [_transaction(line) for line in lines],
        "products": [_product(key, named.get(key), of_product.get(key, [])) for key in {*named, *of_product}],
        "customers": [_customer(key, known.get(key, {}), of_customer.get(key, [])) for key in {*known, *of_customer}],
        "sales_days": _days(lines, "payment_method"),
        "product_days": _days(lines, "payment_method", "product_id"),
        "customer_days": _days([line for line, _ in visits], "customer_id", sums=("sales", "paisa")),
        "sales_totals": _totals(history, lines, list(named), list(known)),
    }


def identity(history: Sequence[Recorded], people: People) -> Tables:
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
    return {"profiles": list(profiles.values()), "profile_stats": _stats(history), "data_sources": _sources(history)}


def uploads(history: Sequence[Recorded], _: People) -> Tables:
    """Return the tables of the projection `uploads`."""
    said = [(r, r.event, UUID(file)) for r in history if (file := _file_of(r.event))]
    files = _grouped(said, lambda fact: (fact[0].business_id, fact[2]))
    return {"uploads": [_upload(business, file, facts) for (business, file), facts in files.items()]}


MODELS: Mapping[str, Callable[[Sequence[Recorded], People], Tables]] = {
    "identity": identity,
    "sales": sales,
    "uploads": uploads,
}


def _lines(history: Sequence[Recorded]) -> Iterable[Line]:
    for recorded, batch in _of(history, SalesBatchRecorded):
        for sale in batch.sales:
            method, raw = (None, None) if sale.payment is None else batch.payments[sale.payment]
            yield Line(
                _business(recorded), recorded.position, sale.tx, sale.date, _clock(sale.date, sale.time),
                sale.product_id, sale.customer_id, sale.qty, sale.paisa, method, raw,
            )  # fmt: skip


def _transaction(line: Line) -> Row:
    return {
        "business_id": line.business, "id": line.tx, "sold_at": line.sold_at, "product_id": line.product,
        "customer_id": line.customer, "quantity": line.qty, "paisa": line.paisa, "payment_method": line.method,
        "payment_text": line.raw, "position": line.position,
    }  # fmt: skip


def _days(lines: list[Line], *columns: str, sums: tuple[str, ...] = ("sales", "units", "paisa")) -> list[Row]:
    def key(line: Line) -> tuple[tuple[str, Any], ...]:
        parts = {"payment_method": line.method or "", "product_id": line.product, "customer_id": line.customer}
        shown = {"business_id": line.business, "date": line.date} | {column: parts[column] for column in columns}
        return tuple(shown.items())

    return [dict(day) | _sums(group, *sums) for day, group in _grouped(lines, key).items()]


def _totals(
    history: Sequence[Recorded], lines: list[Line], products: list[tuple[int, int]], customers: list[tuple[int, int]]
) -> list[Row]:
    told = [b for kind in (ProductsAdded, CustomersAdded, SalesBatchRecorded) for b in _businesses(history, kind)]
    return [
        {
            "business_id": business,
            "products": sum(owner == business for owner, _ in products),
            "customers": sum(owner == business for owner, _ in customers),
            **_sums([line for line in lines if line.business == business], "sales", "paisa"),
        }
        for business in set(told)
    ]


def _product(key: tuple[int, int], product: Any, lines: list[Line]) -> Row:  # noqa: ANN401 - a NewProduct or nothing
    # Of sales at the same moment the one recorded last has the price; before the first sale, what it was added with.
    newest = max(enumerate(lines), key=lambda at: (at[1].sold_at, at[0]))[1] if lines else None
    return {
        "business_id": key[0], "id": key[1],
        "name": product and product.name, "sort_name": product and product.name.casefold(),
        "priced_at": newest and newest.sold_at, "last_sale_at": newest and newest.sold_at,
        "unit_price": newest.price if newest else product.unit_price,
        **_sums(lines, "sales", "units", "paisa"),
    }  # fmt: skip


def _customer(key: tuple[int, int], person: Mapping[str, str | None], lines: list[Line]) -> Row:
    name = person.get("name")
    return {
        "business_id": key[0], "id": key[1],
        "name": name, "sort_name": None if name is None else name.casefold(), "phone": person.get("phone"),
        "last_purchase_at": max((line.sold_at for line in lines), default=None),
        **_sums(lines, "sales", "paisa"),
    }  # fmt: skip


def _sums(lines: list[Line], *columns: str) -> Row:
    sums = {
        "sales": len(lines), "units": sum(line.qty for line in lines), "paisa": sum(line.paisa for line in lines)
    }  # fmt: skip
    return {column: sums[column] for column in columns}


def _blank_profile(business: int) -> Row:
    columns = ("name", "type", "phone_number", "city", "description", "is_demo", "created_at")
    return {"business_id": business, **dict.fromkeys(columns)}


def _stats(history: Sequence[Recorded]) -> list[Row]:
    lines = list(_lines(history))
    opened = [b for kind in (BusinessRegistered, ProductsAdded, CustomersAdded) for b in _businesses(history, kind)]
    stats = []
    for business in {*opened, *(line.business for line in lines)}:
        own = [line for line in lines if line.business == business]
        stats.append({
            "business_id": business,
            "products": sum(len(e.products) for r, e in _of(history, ProductsAdded) if r.business_id == business),
            "customers": sum(len(e.customers) for r, e in _of(history, CustomersAdded) if r.business_id == business),
            "transactions": len(own),
            "paisa": sum(line.paisa for line in own),
            "last_transaction_date": max((line.date for line in own), default=None),
        })  # fmt: skip
    return stats


def _sources(history: Sequence[Recorded]) -> list[Row]:
    uses = [(business, "csv") for business in _businesses(history, UploadAccepted)]
    uses += [(business, "receipt_ocr") for business in _businesses(history, ReceiptStored)]
    return [{"business_id": use[0], "source": use[1], "uses": uses.count(use)} for use in set(uses)]


def _file_of(event: Event) -> str | None:
    if isinstance(event, JobFailed):
        return event.subject if event.kind == "read_upload" else None
    if isinstance(event, UploadAccepted | SalesBatchRecorded | UploadCompleted | UploadFailed):
        return event.file_id
    return None


def _upload(business: int | None, file: UUID, facts: Sequence[tuple[Recorded, Event, UUID]]) -> Row:
    batches = [e for _, e, _ in facts if isinstance(e, SalesBatchRecorded)]
    accepted = [(r, e) for r, e, _ in facts if isinstance(e, UploadAccepted)]
    completed = [e for _, e, _ in facts if isinstance(e, UploadCompleted)]
    failed = [e for _, e, _ in facts if isinstance(e, UploadFailed | JobFailed)]
    ended = [r for r, e, _ in facts if isinstance(e, UploadCompleted | UploadFailed | JobFailed)]
    at, first = accepted[-1] if accepted else (None, None)
    return {
        "business_id": business, "file_id": file, "position": facts[-1][0].position, "state": _state(facts[-1][1]),
        "file_name": first and first.file_name,
        "data_source_name": _last(e.data_source_name for _, e in accepted),
        "rows_detected": first and first.rows_detected,
        "created_at": at and at.recorded_at, "accepted": at and at.position,
        "created": sum(len(e.sales) for e in batches),
        "duplicates": sum(e.duplicates for e in batches), "rejected": sum(e.rejected for e in batches),
        "rows": completed[-1].rows if completed else None,
        "warnings": _last(_json([[w.code, w.values] for w in e.warnings]) for e in completed),
        "error_code": _last(e.error_code if isinstance(e, UploadFailed) else "INTERNAL_ERROR" for e in failed),
        "error_details": _last(_json(e.details) for e in failed if isinstance(e, UploadFailed)),
        "completed_at": ended[-1].recorded_at if ended else None,
    }  # fmt: skip


def _state(event: Event) -> str:
    states = {UploadAccepted: "pending", SalesBatchRecorded: "processing", UploadCompleted: "completed"}
    return states.get(type(event), "failed")


def _of(history: Sequence[Recorded], kind: type[E]) -> list[tuple[Recorded, E]]:
    return [(recorded, event) for recorded in history if isinstance(event := recorded.event, kind)]


def _businesses(history: Sequence[Recorded], kind: type[Event]) -> list[int]:
    return [_business(recorded) for recorded, _ in _of(history, kind)]


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def _last(values: Iterable[T | None]) -> T | None:
    given = [value for value in values if value is not None]
    return given[-1] if given else None


def _business(recorded: Recorded) -> int:
    assert recorded.business_id is not None
    return recorded.business_id


def _clock(date: dt.date, seconds: int | None) -> dt.datetime:
    return dt.datetime.combine(date, dt.time()) + dt.timedelta(seconds=seconds or 0)


def _json(value: object) -> str | None:
    return json.dumps(value, sort_keys=True) if value else None
