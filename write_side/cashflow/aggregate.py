"""Aggregate of a shop's cash: opening balance, expenses, collections.

`decide` takes the command, the state and the day; it returns the events or raises a refusal. Money is integer paisa,
dates are business dates in Asia/Dhaka.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from shared.domain.events.cashflow import CashSettingsChanged, CollectionRecorded, ExpenseEnded, ExpenseRecorded
from shared.domain.refusals.cashflow import ExpenseNotFound
from shared.domain.rules.cash_flows import DEFAULT_THRESHOLD
from shared.errors import DateOutOfRange, NotFound
from shared.eventstore.event import Event
from shared.texts import Phrase

EARLIEST = dt.date(2000, 1, 1)
# The first due date of a recurring expense may be this far in the future.
AHEAD = dt.timedelta(366)


@dataclass(frozen=True)
class Expense:
    """A payment in the past or future; not paid from `ended_on` on."""

    expense_id: int
    date: dt.date
    amount: int
    category: str
    recurring: str | None
    ended_on: dt.date | None = None


@dataclass(frozen=True)
class Cash:
    """The state of a shop's cash stream."""

    opening_balance: int | None = None
    opening_date: dt.date | None = None
    critical_threshold: int = DEFAULT_THRESHOLD
    expenses: Mapping[int, Expense] = field(default_factory=lambda: MappingProxyType({}))


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
class EndExpense:
    """An expense is not paid from today on."""

    expense_id: int


@dataclass(frozen=True)
class RecordCollection:
    """A customer paid back a sale on credit, or pays in advance; `customer_exists` is looked up by the handler."""

    collection_id: int
    date: dt.date
    amount: int
    customer_id: int
    customer_exists: bool


Command = ChangeCashSettings | RecordExpense | EndExpense | RecordCollection


def decide(command: Command, cash: Cash, today: dt.date) -> Sequence[Event]:
    """Return the events of a command; none if it changes nothing.

    Raises DateOutOfRange for a date before 2000 or in the future (a recurring expense may begin within a year),
    ExpenseNotFound, and NotFound for an unknown customer.
    """
    match command:
        case ChangeCashSettings():
            return _change_settings(command, today)
        case RecordExpense():
            return _record_expense(command, today)
        case EndExpense():
            return _end_expense(command, cash, today)
        case RecordCollection():
            return _record_collection(command, today)


def evolve(cash: Cash, event: Event) -> Cash:
    """Return the cash after one more event of its stream."""
    match event:
        case CashSettingsChanged():
            return replace(
                cash,
                opening_balance=cash.opening_balance if event.opening_balance is None else event.opening_balance,
                opening_date=event.opening_date or cash.opening_date,
                critical_threshold=(
                    cash.critical_threshold if event.critical_threshold is None else event.critical_threshold
                ),
            )
        case ExpenseRecorded():
            expense = Expense(event.expense_id, event.date, event.amount, event.category, event.recurring)
            return replace(cash, expenses={**cash.expenses, event.expense_id: expense})
        case ExpenseEnded() if event.expense_id in cash.expenses:
            ended = replace(cash.expenses[event.expense_id], ended_on=event.date)
            return replace(cash, expenses={**cash.expenses, event.expense_id: ended})
    return cash


def _change_settings(command: ChangeCashSettings, today: dt.date) -> list[Event]:
    if command.opening_date is not None:
        _require_date("opening_date", command.opening_date, today)
    return [CashSettingsChanged(command.opening_balance, command.opening_date, command.critical_threshold)]


def _record_expense(command: RecordExpense, today: dt.date) -> list[Event]:
    _require_date("date", command.date, today + AHEAD if command.recurring else today)
    return [ExpenseRecorded(command.expense_id, command.date, command.amount, command.category, command.recurring)]


def _end_expense(command: EndExpense, cash: Cash, today: dt.date) -> list[Event]:
    expense = cash.expenses.get(command.expense_id)
    if expense is None:
        raise ExpenseNotFound(details={"id": command.expense_id})
    return [] if expense.ended_on else [ExpenseEnded(command.expense_id, today)]


def _record_collection(command: RecordCollection, today: dt.date) -> list[Event]:
    _require_date("date", command.date, today)
    if not command.customer_exists:
        raise NotFound(details={"customer_id": command.customer_id})
    return [CollectionRecorded(command.collection_id, command.date, command.amount, command.customer_id)]


def _require_date(name: str, date: dt.date, latest: dt.date) -> None:
    if EARLIEST <= date <= latest:
        return
    problem = Phrase("FIELD_DATE_OUT_OF_RANGE", {"earliest": str(EARLIEST), "latest": str(latest)})
    fields = [{"field": name, "in": "body", "code": "date_out_of_range", "message": problem}]
    raise DateOutOfRange(details={"fields": fields}, fields=name, field=name, problem=problem)
