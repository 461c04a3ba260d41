"""Aggregate of a shop's cash: its settings, and the entries that are recorded.

`decide` takes the command, the state and the day; it returns the events or raises a refusal. Money is integer paisa,
dates are business dates in Asia/Dhaka. Ends and voids of an entry are decided in `entry_aggregate`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.domain.events.cashflow import (
    CashSettingsChanged,
    CollectionRecorded,
    ExpenseRecorded,
    OpeningDebtRecorded,
)
from shared.domain.rules.cash_flows import DEFAULT_THRESHOLD
from shared.errors import DateOutOfRange, NotFound
from shared.eventstore.event import Event
from shared.texts import Phrase

EARLIEST = dt.date(2000, 1, 1)
# An expense, or the first due date of a recurring one, may be this far in the future.
AHEAD = dt.timedelta(366)


@dataclass(frozen=True)
class Cash:
    """The settings of a shop's cash."""

    opening_balance: int | None = None
    opening_date: dt.date | None = None
    critical_threshold: int = DEFAULT_THRESHOLD


@dataclass(frozen=True)
class ChangeCashSettings:
    """Set the balance at the start of a day, or the balance to warn below; None leaves a value unchanged."""

    opening_balance: int | None
    opening_date: dt.date | None
    critical_threshold: int | None


@dataclass(frozen=True)
class RecordExpense:
    """An expense on `date`, repeated at the interval `recurring` if given."""

    expense_id: int
    date: dt.date
    amount: int
    category: str
    recurring: str | None


@dataclass(frozen=True)
class RecordCollection:
    """A customer paid back a sale on credit, or pays in advance; `customer_exists` is looked up by the handler."""

    collection_id: int
    date: dt.date
    amount: int
    customer_id: int
    customer_exists: bool


@dataclass(frozen=True)
class RecordOpeningDebt:
    """A customer owed something, or had paid ahead, before the books began; `kind` is `debt` or `advance`.

    `added` introduces the customer if the shop meets it here; `customer_exists` is looked up by the handler.
    """

    debt_id: int
    kind: str
    date: dt.date
    amount: int
    customer_id: int
    customer_exists: bool = True
    added: Sequence[Event] = ()


Command = ChangeCashSettings | RecordExpense | RecordCollection | RecordOpeningDebt


def decide(command: Command, today: dt.date) -> Sequence[Event]:
    """Return the events of a command, which does not depend on what was recorded before.

    Raises DateOutOfRange for a date before 2000 or in the future (an expense may lie ahead up to a year), and NotFound
    for an unknown customer.
    """
    match command:
        case ChangeCashSettings():
            return _change_settings(command, today)
        case RecordExpense():
            return _record_expense(command, today)
        case RecordCollection():
            return _record_collection(command, today)
        case RecordOpeningDebt():
            return _record_opening_debt(command, today)


def evolve(cash: Cash, event: Event) -> Cash:
    """Return the settings after one more event of the stream."""
    if not isinstance(event, CashSettingsChanged):
        return cash
    threshold = event.critical_threshold
    return replace(
        cash,
        opening_balance=cash.opening_balance if event.opening_balance is None else event.opening_balance,
        opening_date=event.opening_date or cash.opening_date,
        critical_threshold=cash.critical_threshold if threshold is None else threshold,
    )


def _change_settings(command: ChangeCashSettings, today: dt.date) -> list[Event]:
    if command.opening_date is not None:
        _require_date("opening_date", command.opening_date, today)
    return [CashSettingsChanged(command.opening_balance, command.opening_date, command.critical_threshold)]


def _record_expense(command: RecordExpense, today: dt.date) -> list[Event]:
    _require_date("date", command.date, today + AHEAD)
    return [ExpenseRecorded(command.expense_id, command.date, command.amount, command.category, command.recurring)]


def _record_collection(command: RecordCollection, today: dt.date) -> list[Event]:
    _require_date("date", command.date, today)
    if not command.customer_exists:
        raise NotFound(details={"customer_id": command.customer_id})
    return [CollectionRecorded(command.collection_id, command.date, command.amount, command.customer_id)]


def _record_opening_debt(command: RecordOpeningDebt, today: dt.date) -> list[Event]:
    _require_date("date", command.date, today)
    if not command.customer_exists:
        raise NotFound(details={"customer_id": command.customer_id})
    debt = OpeningDebtRecorded(command.debt_id, command.kind, command.date, command.amount, command.customer_id)
    return [*command.added, debt]


def _require_date(name: str, date: dt.date, latest: dt.date) -> None:
    if EARLIEST <= date <= latest:
        return
    problem = Phrase("FIELD_DATE_OUT_OF_RANGE", {"earliest": str(EARLIEST), "latest": str(latest)})
    fields = [{"field": name, "in": "body", "code": "date_out_of_range", "message": problem}]
    raise DateOutOfRange(details={"fields": fields}, fields=name, field=name, problem=problem)
