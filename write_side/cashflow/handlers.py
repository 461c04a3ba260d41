"""Command handlers of a shop's cash; answers hold paisa."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from shared.domain.events.cashflow import CashSettingsChanged, ExpenseEnded, ExpenseRecorded
from shared.eventstore.command import CommandContext, Result, Stream
from shared.eventstore.event import Event
from shared.eventstore.store import UnitOfWork
from shared.runtime.business_day import date_of
from write_side.cashflow.aggregate import (
    Cash,
    ChangeCashSettings,
    EndExpense,
    RecordCollection,
    RecordExpense,
    decide,
    evolve,
)
from write_side.lookups.customers import find_customer

Answer = dict[str, Any]
CASH = Stream("cash", Cash(), evolve)
# New entries do not depend on earlier ones.
NEW_ENTRIES = CASH.unfolded()
SETTINGS = CASH.only(CashSettingsChanged)


def change_settings(ctx: CommandContext, command: ChangeCashSettings) -> Result[Answer]:
    """Change the settings; answers with all of them. Raises DateOutOfRange."""
    return ctx.transact(SETTINGS, lambda cash, unit: decide(command, cash, date_of(unit.now)), _settings)


def record_expense(
    ctx: CommandContext, date: dt.date, amount: int, category: str, recurring: str | None
) -> Result[Answer]:
    """Record an expense under a new id; answers with it. Raises DateOutOfRange."""
    command = RecordExpense(ctx.new_id("expense"), date, amount, category, recurring)
    return ctx.transact(
        NEW_ENTRIES,
        lambda cash, unit: decide(command, cash, date_of(unit.now)),
        lambda cash: _expense(cash, command.expense_id),
    )


def end_expense(ctx: CommandContext, expense_id: int) -> Result[Answer]:
    """End an expense today; ending it again changes nothing. Raises ExpenseNotFound."""
    command = EndExpense(expense_id)
    return ctx.transact(
        CASH.only(ExpenseRecorded, ExpenseEnded, expense_id=expense_id),
        lambda cash, unit: decide(command, cash, date_of(unit.now)),
        lambda cash: _expense(cash, expense_id),
    )


def record_collection(ctx: CommandContext, date: dt.date, amount: int, customer_id: int) -> Result[Answer]:
    """Record a customer's payment under a new id; answers with it. Raises DateOutOfRange, NotFound."""
    collection_id = ctx.new_id("collection")

    def collect(cash: Cash, unit: UnitOfWork) -> Sequence[Event]:
        exists = find_customer(unit, customer_id).existed
        command = RecordCollection(collection_id, date, amount, customer_id, exists)
        return decide(command, cash, date_of(unit.now))

    answer = {"id": collection_id, "date": str(date), "amount": amount, "customer_id": customer_id}
    return ctx.transact(NEW_ENTRIES, collect, lambda _: answer)


def _settings(cash: Cash) -> Answer:
    date = cash.opening_date
    return {
        "opening_balance": cash.opening_balance,
        "opening_date": date and str(date),
        "critical_threshold": cash.critical_threshold,
    }


def _expense(cash: Cash, expense_id: int) -> Answer:
    expense = cash.expenses[expense_id]
    return {
        "id": expense_id,
        "date": str(expense.date),
        "amount": expense.amount,
        "category": expense.category,
        "recurring": expense.recurring,
        "ended_on": expense.ended_on and str(expense.ended_on),
    }
