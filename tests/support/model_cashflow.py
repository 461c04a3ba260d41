"""What the read model `cashflow` must hold: every entry of the whole history as one line, then counted per question."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shared.domain.events.cashflow import (
    CashSettingsChanged,
    CollectionRecorded,
    CollectionVoided,
    ExpenseEnded,
    ExpenseRecorded,
    ExpenseVoided,
    OpeningDebtRecorded,
    OpeningDebtVoided,
)
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.sales import MovementsRecorded, SaleRecorded, SalesBatchRecorded, SaleVoided
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event

Row = dict[str, Any]
Tables = dict[str, list[Row]]
People = Mapping[str, Mapping[str, str | None]]
SUMS = ("takings", "lent", "refunds", "purchases", "expenses", "collections", "sale_count")


class Entry(NamedTuple):
    """One amount in one column of a day; `customer` where it concerns what somebody owes."""

    business: int
    date: dt.date
    column: str
    amount: int
    customer: int | None = None


def cashflow(history: Sequence[RecordedEvent], _: People) -> Tables:
    """Return the tables of the projection `cashflow`."""
    entries = [entry for recorded in history for entry in _entries(recorded)]
    baki = [entry for entry in entries if entry.customer is not None]
    return {
        "cash_days": [
            {"business_id": business, "date": date}
            | {column: _sum(entries, business=business, date=date, column=column) for column in SUMS}
            for business, date in {(entry.business, entry.date) for entry in entries if entry.column in SUMS}
        ],
        "baki_days": [
            {"business_id": business, "date": date, "customer_id": customer}
            | _baki(baki, business=business, date=date, customer=customer)
            for business, date, customer in {(entry.business, entry.date, entry.customer) for entry in baki}
        ],
        "baki_totals": [
            {"business_id": business, "customer_id": customer} | _baki(baki, business=business, customer=customer)
            for business, customer in {(entry.business, entry.customer) for entry in baki}
        ],
        "baki_merges": _merges(history),
        "cash_expenses": _expenses(history),
        "collections": _standing(history, CollectionRecorded, CollectionVoided, "collection_id"),
        "opening_debts": _standing(history, OpeningDebtRecorded, OpeningDebtVoided, "debt_id"),
        "cash_settings": _settings(history),
    }


def _entries(recorded: RecordedEvent) -> Iterator[Entry]:
    business, event = recorded.business_id or 0, recorded.event
    if isinstance(event, SalesBatchRecorded):
        for sale in event.sales:
            method = None if sale.payment is None else event.payments[sale.payment][0]
            received = dict(event.part_payments).get(sale.tx)
            yield from _sale(business, sale.date, sale.customer_id, sale.paisa, method, 1, received)
    elif isinstance(event, SaleRecorded):
        method = event.payment[0] if event.payment else None
        yield from _sale(business, event.date, event.customer_id, event.paisa, method, 1)
    elif isinstance(event, SaleVoided):
        yield from _sale(business, event.date, event.customer_id, event.paisa, event.payment, -1, event.received)
    elif isinstance(event, MovementsRecorded):
        for moved in event.movements:
            method = None if moved.payment is None else event.payments[moved.payment][0]
            if (moved.kind, method) == ("return", "credit"):
                yield Entry(business, moved.date, "lent", -moved.paisa, moved.customer_id or 0)
            else:
                column = {"return": "refunds", "purchase": "purchases", "expense": "expenses"}[moved.kind]
                yield Entry(business, moved.date, column, moved.paisa)
    elif isinstance(event, CollectionRecorded | CollectionVoided):
        sign = 1 if isinstance(event, CollectionRecorded) else -1
        yield Entry(business, event.date, "collections", sign * event.amount, event.customer_id)
    elif isinstance(event, OpeningDebtRecorded | OpeningDebtVoided):
        sign = 1 if isinstance(event, OpeningDebtRecorded) else -1
        column = {"debt": "open_lent", "advance": "open_paid"}[event.kind]
        yield Entry(business, event.date, column, sign * event.amount, event.customer_id)


def _sale(
    business: int,
    date: dt.date,
    customer: int | None,
    paisa: int,
    method: str | None,
    sign: int,
    received: int | None = None,
) -> Iterator[Entry]:
    yield Entry(business, date, "sale_count", sign)
    if received is not None:
        yield Entry(business, date, "takings", sign * received)
        if received < paisa:
            yield Entry(business, date, "lent", sign * (paisa - received), customer or 0)
    elif method == "credit":
        yield Entry(business, date, "lent", sign * paisa, customer or 0)
    else:
        yield Entry(business, date, "takings", sign * paisa)


def _sum(entries: Sequence[Entry], **wanted: Any) -> int:  # noqa: ANN401 - a field of an entry
    return sum(e.amount for e in entries if all(getattr(e, name) == value for name, value in wanted.items()))


def _baki(entries: Sequence[Entry], **wanted: Any) -> Row:  # noqa: ANN401 - a field of an entry
    columns = {"lent": ("lent", "open_lent"), "paid": ("collections", "open_paid")}
    return {name: sum(_sum(entries, column=column, **wanted) for column in of) for name, of in columns.items()}


def _merges(history: Sequence[RecordedEvent]) -> list[Row]:
    into = {
        (recorded.business_id, merged): event.customer_id
        for recorded in history
        if isinstance(event := recorded.event, CustomersMerged)
        for merged in event.merged_ids
    }
    return [{"business_id": b, "id": merged, "customer_id": customer} for (b, merged), customer in into.items()]


def _expenses(history: Sequence[RecordedEvent]) -> list[Row]:
    reported = [
        (r.business_id, e) for r in history if isinstance(e := r.event, ExpenseRecorded | ExpenseEnded | ExpenseVoided)
    ]
    rows = []
    for key in {(business, event.expense_id) for business, event in reported}:
        row: Row = dict.fromkeys(("date", "amount", "category", "recurring", "ended_on", "voided"))
        for business, event in reported:
            if (business, event.expense_id) != key:
                continue
            if isinstance(event, ExpenseEnded):
                row["ended_on"] = event.date
            elif isinstance(event, ExpenseVoided):
                row["voided"] = True
            else:
                row |= {name: getattr(event, name) for name in ("date", "amount", "category", "recurring")}
        rows.append({"business_id": key[0], "id": key[1], **row})
    return rows


def _standing(history: Sequence[RecordedEvent], made: type[Event], voided: type[Event], name: str) -> list[Row]:
    gone = {(r.business_id, getattr(r.event, name)) for r in history if isinstance(r.event, voided)}
    rows = []
    for recorded in history:
        event = recorded.event
        if isinstance(event, made) and (recorded.business_id, getattr(event, name)) not in gone:
            fields = {field: getattr(event, field) for field in event.__struct_fields__}
            rows.append({"business_id": recorded.business_id, "id": fields.pop(name), **fields})
    return rows


def _settings(history: Sequence[RecordedEvent]) -> list[Row]:
    reported = [(r.business_id, e) for r in history if isinstance(e := r.event, CashSettingsChanged)]
    names = ("opening_balance", "opening_date", "critical_threshold")
    return [
        {"business_id": business}
        | {
            name: next(
                (v for b, e in reversed(reported) if b == business and (v := getattr(e, name)) is not None), None
            )
            for name in names
        }
        for business in {business for business, _ in reported}
    ]
