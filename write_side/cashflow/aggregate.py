"""A shop's cash beside its sales: where it stood, what goes out, what comes back; commands in, events or a refusal out.

Money is integer paisa, dates are business dates in Asia/Dhaka.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from shared.domain.events.cashflow import CashSettingsChanged, CollectionRecorded, ExpenseEnded, ExpenseRecorded
from shared.domain.refusals.cashflow import ExpenseNotFound
from shared.domain.rules.cash_flows import DEFAULT_THRESHOLD
from shared.errors import DateOutOfRange, NotFound
from shared.eventstore.event import Event
from shared.texts import Phrase

EARLIEST = dt.date(2000, 1, 1)
# A recurring expense may be entered this long before it falls due first.
AHEAD = dt.timedelta(366)


@dataclass(frozen=True)
class Expense:
    """Something that was or will be paid; `ended_on` is the day from which on it is not."""

    expense_id: int
    date: dt.date
    amount: int
    category: str
    recurring: str | None
    ended_on: dt.date | None = None


@dataclass(frozen=True)
class Cash:
    """A shop's cash as its stream tells it."""

    opening_balance: int | None = None
    opening_date: dt.date | None = None
    critical_threshold: int = DEFAULT_THRESHOLD
    expenses: Mapping[int, Expense] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class ChangeCashSettings:
    """Say where the cash stood at the start of a day, or when to be warned; None leaves it."""

    opening_balance: int | None
    opening_date: dt.date | None
    critical_threshold: int | None


@dataclass(frozen=True)
class RecordExpense:
    """Money goes out on `date`, and again at the interval `recurring`, if any."""

    expense_id: int
    date: dt.date
    amount: int
    category: str
    recurring: str | None


@dataclass(frozen=True)
class RecordCollection:
    """A customer paid back some of what was bought on credit, or pays in advance."""

    collection_id: int
    date: dt.date
    amount: int
    customer_id: int


def change_settings(command: ChangeCashSettings, today: dt.date) -> CashSettingsChanged:
    """Return what is said; raises DateOutOfRange for an opening day still to come."""
    if command.opening_date is not None:
        _insist("opening_date", command.opening_date, today)
    return CashSettingsChanged(command.opening_balance, command.opening_date, command.critical_threshold)


def record_expense(command: RecordExpense, today: dt.date) -> ExpenseRecorded:
    """Return the expense; raises DateOutOfRange for one still to come, unless it recurs and begins within a year."""
    _insist("date", command.date, today + AHEAD if command.recurring else today)
    return ExpenseRecorded(command.expense_id, command.date, command.amount, command.category, command.recurring)


def end_expense(expense_id: int, cash: Cash, today: dt.date) -> list[ExpenseEnded]:
    """Return the end of an expense from today on, nothing if it has ended before; raises ExpenseNotFound."""
    expense = cash.expenses.get(expense_id)
    if expense is None:
        raise ExpenseNotFound(details={"id": expense_id})
    return [] if expense.ended_on else [ExpenseEnded(expense_id, today)]


def record_collection(command: RecordCollection, today: dt.date, *, known: bool) -> CollectionRecorded:
    """Return the collection, which may be more than is owed; raises NotFound unless the customer is `known`."""
    _insist("date", command.date, today)
    if not known:
        raise NotFound(details={"customer_id": command.customer_id})
    return CollectionRecorded(command.collection_id, command.date, command.amount, command.customer_id)


def evolve(cash: Cash, event: Event) -> Cash:
    """Return the cash after one more event of its stream."""
    if isinstance(event, CashSettingsChanged):
        said = {
            "opening_balance": event.opening_balance,
            "opening_date": event.opening_date,
            "critical_threshold": event.critical_threshold,
        }
        return replace(cash, **{name: value for name, value in said.items() if value is not None})  # type: ignore[arg-type]
    if isinstance(event, ExpenseRecorded):
        expense = Expense(event.expense_id, event.date, event.amount, event.category, event.recurring)
        return replace(cash, expenses={**cash.expenses, event.expense_id: expense})
    if isinstance(event, ExpenseEnded) and event.expense_id in cash.expenses:
        ended = replace(cash.expenses[event.expense_id], ended_on=event.date)
        return replace(cash, expenses={**cash.expenses, event.expense_id: ended})
    return cash


def _insist(name: str, date: dt.date, latest: dt.date) -> None:
    if EARLIEST <= date <= latest:
        return
    problem = Phrase("FIELD_DATE_OUT_OF_RANGE", {"earliest": str(EARLIEST), "latest": str(latest)})
    fields = [{"field": name, "in": "body", "code": "date_out_of_range", "message": problem}]
    raise DateOutOfRange(details={"fields": fields}, fields=name, field=name, problem=problem)
