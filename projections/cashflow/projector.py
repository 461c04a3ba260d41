"""Cash flows of a business: sales paid at once and on credit, refunds, purchases, expenses, baki and its collection.

Facts only: balances, debts of customers and future payments are computed by queries. Purchases on credit count as paid
at once, because no event records when suppliers are paid.
"""

import datetime as dt
from typing import Any

from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
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
from shared.domain.events.uploads import MovementsUndone, SalesBatchUndone
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys

ON_CREDIT = "credit"
ADVANCE = "advance"
NOBODY = 0
# Kind of a ledger's line -> column of CASH_DAYS.
_OUTFLOWS = {"return": "refunds", "purchase": "purchases", "expense": "expenses"}

CASH_DAYS = Table(
    "cash_days",
    ("business_id", "date"),
    changes=dict.fromkeys(("takings", "lent", "refunds", "purchases", "expenses", "collections", "sale_count"), "add"),
)
_BAKI = {"lent": "add", "paid": "add"}
BAKI_DAYS = Table("baki_days", ("business_id", "date", "customer_id"), changes=_BAKI)
BAKI_TOTALS = Table("baki_totals", ("business_id", "customer_id"), changes=_BAKI)
BAKI_MERGES = Table("baki_merges", ("business_id", "id"), changes={"customer_id": "set"})
EXPENSES = Table(
    "cash_expenses",
    ("business_id", "id"),
    changes=dict.fromkeys(("date", "amount", "category", "recurring", "ended_on", "voided"), "set"),
)
COLLECTIONS = Table("collections", ("business_id", "id"), ("date", "amount", "customer_id"))
OPENING_DEBTS = Table("opening_debts", ("business_id", "id"), ("kind", "date", "amount", "customer_id"))
SETTINGS = Table(
    "cash_settings",
    ("business_id",),
    changes=dict.fromkeys(("opening_balance", "opening_date", "critical_threshold"), "set"),
)


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Add up to 500 sales to the takings of their day, or to baki where they were on credit."""
    _sell_all(recorded.business_id, event, deltas, 1)


def on_sales_batch_undone(recorded: RecordedEvent, event: SalesBatchUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Take the sales of an undone upload off takings and baki."""
    _sell_all(recorded.business_id, event, deltas, -1)


def _sell_all(business: int | None, event: SalesBatchRecorded | SalesBatchUndone, deltas: Deltas, sign: int) -> None:
    on_credit = [method == ON_CREDIT for method, _ in event.payments]
    takings: dict[dt.date, int] = {}
    counts: dict[dt.date, int] = {}
    lent: dict[tuple[dt.date, int | None], int] = {}
    received = dict(event.part_payments)
    for sale in event.sales:
        date, payment = sale.date, sale.payment
        counts[date] = counts.get(date, 0) + 1
        if sale.tx in received:
            paid = received[sale.tx]
            takings[date] = takings.get(date, 0) + paid
            if paid < sale.paisa:
                key = (date, sale.customer_id)
                lent[key] = lent.get(key, 0) + sale.paisa - paid
        elif payment is not None and on_credit[payment]:
            customer = sale.customer_id
            lent[date, customer] = lent.get((date, customer), 0) + sale.paisa
        else:
            takings[date] = takings.get(date, 0) + sale.paisa
    for date, count in counts.items():
        deltas.merge(CASH_DAYS, (business, date), takings=sign * takings.get(date, 0), sale_count=sign * count)
    for (date, customer), paisa in lent.items():
        _lend(deltas, business, date, customer, sign * paisa)


def on_sale_recorded(recorded: RecordedEvent, event: SaleRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Add a sale entered by hand."""
    _sell(deltas, recorded.business_id, event, event.payment and event.payment[0], 1)


def on_sale_voided(recorded: RecordedEvent, event: SaleVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Subtract a voided sale from its day: what was received from takings, the rest from baki."""
    if event.received is None:
        _sell(deltas, recorded.business_id, event, event.payment, -1)
        return
    deltas.merge(CASH_DAYS, (recorded.business_id, event.date), takings=-event.received, sale_count=-1)
    if event.received < event.paisa:
        _lend(deltas, recorded.business_id, event.date, event.customer_id, event.received - event.paisa)


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Add returns, purchases and expenses of a ledger; returns on credit reduce baki."""
    _move_all(recorded.business_id, event, deltas, 1)


def on_movements_undone(recorded: RecordedEvent, event: MovementsUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Subtract returns, purchases and expenses of an undone upload."""
    _move_all(recorded.business_id, event, deltas, -1)


def _move_all(business: int | None, event: MovementsRecorded | MovementsUndone, deltas: Deltas, sign: int) -> None:
    for moved in event.movements:
        method = None if moved.payment is None else event.payments[moved.payment][0]
        if moved.kind == "return" and method == ON_CREDIT:
            _lend(deltas, business, moved.date, moved.customer_id, -sign * moved.paisa)
        else:
            amounts: dict[str, Any] = {_OUTFLOWS[moved.kind]: sign * moved.paisa}
            deltas.merge(CASH_DAYS, (business, moved.date), **amounts)


def on_collection_recorded(recorded: RecordedEvent, event: CollectionRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Add a collection of baki."""
    row = (recorded.business_id, event.collection_id, event.date, event.amount, event.customer_id)
    deltas.rows(COLLECTIONS).append(row)
    _collect(deltas, recorded.business_id, event, 1)


def on_collection_voided(recorded: RecordedEvent, event: CollectionVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove a voided collection: its amount is owed again."""
    deltas.remove(COLLECTIONS, (recorded.business_id, event.collection_id))
    _collect(deltas, recorded.business_id, event, -1)


def on_opening_debt_recorded(
    recorded: RecordedEvent, event: OpeningDebtRecorded, deltas: Deltas, _: SubjectKeys
) -> None:
    """Add what was open with a customer before the books began: baki, without a sale or cash."""
    row = (recorded.business_id, event.debt_id, event.kind, event.date, event.amount, event.customer_id)
    deltas.rows(OPENING_DEBTS).append(row)
    _open(deltas, recorded.business_id, event, 1)


def on_opening_debt_voided(recorded: RecordedEvent, event: OpeningDebtVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove a voided opening debt or advance."""
    deltas.remove(OPENING_DEBTS, (recorded.business_id, event.debt_id))
    _open(deltas, recorded.business_id, event, -1)


def on_customers_merged(recorded: RecordedEvent, event: CustomersMerged, deltas: Deltas, _: SubjectKeys) -> None:
    """Move the baki of merged customers to the remaining one."""
    for merged in event.merged_ids:
        deltas.merge(BAKI_MERGES, (recorded.business_id, merged), customer_id=event.customer_id)


def on_expense_recorded(recorded: RecordedEvent, event: ExpenseRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert an expense, once or recurring."""
    deltas.merge(
        EXPENSES,
        (recorded.business_id, event.expense_id),
        date=event.date,
        amount=event.amount,
        category=event.category,
        recurring=event.recurring,
    )


def on_expense_ended(recorded: RecordedEvent, event: ExpenseEnded, deltas: Deltas, _: SubjectKeys) -> None:
    """End a recurring expense, or remove any other one."""
    deltas.merge(EXPENSES, (recorded.business_id, event.expense_id), ended_on=event.date)


def on_expense_voided(recorded: RecordedEvent, event: ExpenseVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Mark an expense as voided: it counts nowhere."""
    deltas.merge(EXPENSES, (recorded.business_id, event.expense_id), voided=True)


def on_cash_settings_changed(
    recorded: RecordedEvent, event: CashSettingsChanged, deltas: Deltas, _: SubjectKeys
) -> None:
    """Set the opening balance and the threshold of warnings."""
    deltas.merge(
        SETTINGS,
        (recorded.business_id,),
        opening_balance=event.opening_balance,
        opening_date=event.opening_date,
        critical_threshold=event.critical_threshold,
    )


def _sell(deltas: Deltas, business: int | None, sale: SaleRecorded | SaleVoided, method: str | None, sign: int) -> None:
    if method == ON_CREDIT:
        deltas.merge(CASH_DAYS, (business, sale.date), sale_count=sign)
        _lend(deltas, business, sale.date, sale.customer_id, sign * sale.paisa)
    else:
        deltas.merge(CASH_DAYS, (business, sale.date), sale_count=sign, takings=sign * sale.paisa)


def _collect(
    deltas: Deltas, business: int | None, collection: CollectionRecorded | CollectionVoided, sign: int
) -> None:
    deltas.merge(CASH_DAYS, (business, collection.date), collections=sign * collection.amount)
    _owe(deltas, business, collection.date, collection.customer_id, paid=sign * collection.amount)


def _open(deltas: Deltas, business: int | None, debt: OpeningDebtRecorded | OpeningDebtVoided, sign: int) -> None:
    column = "paid" if debt.kind == ADVANCE else "lent"
    _owe(deltas, business, debt.date, debt.customer_id, **{column: sign * debt.amount})


def _lend(deltas: Deltas, business: int | None, date: dt.date, customer: int | None, paisa: int) -> None:
    deltas.merge(CASH_DAYS, (business, date), lent=paisa)
    _owe(deltas, business, date, customer or NOBODY, lent=paisa)


def _owe(deltas: Deltas, business: int | None, date: dt.date, customer: int, **paisa: Any) -> None:  # noqa: ANN401 - sums of BAKI_DAYS
    deltas.merge(BAKI_DAYS, (business, date, customer), **paisa)
    deltas.merge(BAKI_TOTALS, (business, customer), **paisa)


CASHFLOW = Projection(
    name="cashflow",
    version=4,
    package="projections.cashflow",
    tables=(CASH_DAYS, BAKI_DAYS, BAKI_TOTALS, BAKI_MERGES, EXPENSES, COLLECTIONS, OPENING_DEBTS, SETTINGS),
    handlers={
        SalesBatchRecorded: on_sales_batch_recorded,
        SaleRecorded: on_sale_recorded,
        SaleVoided: on_sale_voided,
        SalesBatchUndone: on_sales_batch_undone,
        MovementsRecorded: on_movements_recorded,
        MovementsUndone: on_movements_undone,
        CollectionRecorded: on_collection_recorded,
        CollectionVoided: on_collection_voided,
        OpeningDebtRecorded: on_opening_debt_recorded,
        OpeningDebtVoided: on_opening_debt_voided,
        CustomersMerged: on_customers_merged,
        ExpenseRecorded: on_expense_recorded,
        ExpenseEnded: on_expense_ended,
        ExpenseVoided: on_expense_voided,
        CashSettingsChanged: on_cash_settings_changed,
    },
)
