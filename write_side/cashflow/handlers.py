"""Command handlers of a shop's cash; answers hold paisa and no personal data."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
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
from shared.eventstore.command import CommandContext, Result, Stream, allot
from shared.eventstore.event import Event
from shared.eventstore.store import UnitOfWork
from shared.runtime.business_day import date_of
from write_side.cashflow import entry_aggregate
from write_side.cashflow.aggregate import (
    Cash,
    ChangeCashSettings,
    RecordCollection,
    RecordExpense,
    RecordOpeningDebt,
    decide,
    evolve,
)
from write_side.cashflow.entry_aggregate import CashEntry, EndExpense, Recorded, VoidEntry
from write_side.lookups.customers import Person, find_customer, found_or_added

Answer = dict[str, Any]
CASH = Stream("cash", Cash(), evolve)
# New entries do not depend on earlier ones.
NEW_ENTRIES = CASH.unfolded()
SETTINGS = CASH.only(CashSettingsChanged)
# The fields of events that answers show as `id`.
_ID_FIELDS = ("expense_id", "collection_id", "debt_id")
# The events of an entry, and the field that names it.
_ENTRIES: Mapping[type[Recorded], tuple[str, tuple[type[Event], ...]]] = {
    ExpenseRecorded: ("expense_id", (ExpenseRecorded, ExpenseEnded, ExpenseVoided)),
    CollectionRecorded: ("collection_id", (CollectionRecorded, CollectionVoided)),
    OpeningDebtRecorded: ("debt_id", (OpeningDebtRecorded, OpeningDebtVoided)),
}


class OpeningDebtEntry(NamedTuple):
    """An opening debt or advance as its owner enters it; one of the customer's id and person is given."""

    kind: str
    date: dt.date
    amount: int
    customer_id: int | None
    person: Person | None


def change_settings(ctx: CommandContext, command: ChangeCashSettings) -> Result[Answer]:
    """Change the settings; answers with all of them. Raises DateOutOfRange."""
    return ctx.transact(SETTINGS, lambda _, unit: decide(command, date_of(unit.now)), _settings)


def record_expense(
    ctx: CommandContext, date: dt.date, amount: int, category: str, recurring: str | None
) -> Result[Answer]:
    """Record an expense under a new id; answers with it. Raises DateOutOfRange."""
    command = RecordExpense(ctx.new_id("expense"), date, amount, category, recurring)
    answer = {
        "id": command.expense_id,
        "date": str(date),
        "amount": amount,
        "category": category,
        "recurring": recurring,
        "ended_on": None,
    }
    return ctx.transact(NEW_ENTRIES, lambda _, unit: decide(command, date_of(unit.now)), lambda _: answer)


def end_expense(ctx: CommandContext, expense_id: int) -> Result[Answer]:
    """End an expense today; ending it again changes nothing. Raises ExpenseNotFound, EntryAlreadyVoided."""
    return _change(ctx, ExpenseRecorded, expense_id, EndExpense())


def void_expense(ctx: CommandContext, expense_id: int, reason: str) -> Result[Answer]:
    """Void an expense; answers with it. Raises ExpenseNotFound, EntryAlreadyVoided."""
    return _change(ctx, ExpenseRecorded, expense_id, VoidEntry(reason))


def record_collection(ctx: CommandContext, date: dt.date, amount: int, customer_id: int) -> Result[Answer]:
    """Record a customer's payment under a new id; answers with it. Raises DateOutOfRange, NotFound."""
    collection_id = ctx.new_id("collection")

    def collect(_: Cash, unit: UnitOfWork) -> Sequence[Event]:
        exists = find_customer(unit, customer_id).existed
        command = RecordCollection(collection_id, date, amount, customer_id, exists)
        return decide(command, date_of(unit.now))

    answer = {"id": collection_id, "date": str(date), "amount": amount, "customer_id": customer_id}
    return ctx.transact(NEW_ENTRIES, collect, lambda _: answer)


def void_collection(ctx: CommandContext, collection_id: int, reason: str) -> Result[Answer]:
    """Void a collection; answers with it. Raises CollectionNotFound, EntryAlreadyVoided."""
    return _change(ctx, CollectionRecorded, collection_id, VoidEntry(reason))


def record_opening_debt(ctx: CommandContext, entry: OpeningDebtEntry) -> Result[Answer]:
    """Record an opening debt or advance under a new id; answers with it. Raises DateOutOfRange, NotFound."""
    debt_id = ctx.new_id("opening_debt")

    def record(unit: UnitOfWork) -> Answer:
        command = _identified(unit, debt_id, entry)
        loaded = NEW_ENTRIES.load(unit)
        NEW_ENTRIES.append(unit, loaded, decide(command, date_of(unit.now)))
        return {
            "id": debt_id,
            "kind": entry.kind,
            "date": str(entry.date),
            "amount": entry.amount,
            "customer_id": command.customer_id,
        }

    return ctx.execute(record)


def void_opening_debt(ctx: CommandContext, debt_id: int, reason: str) -> Result[Answer]:
    """Void an opening debt or advance; answers with it. Raises OpeningDebtNotFound, EntryAlreadyVoided."""
    return _change(ctx, OpeningDebtRecorded, debt_id, VoidEntry(reason))


def _identified(unit: UnitOfWork, debt_id: int, entry: OpeningDebtEntry) -> RecordOpeningDebt:
    """Return the command with the id of the customer; a person met for the first time is added."""
    given = (debt_id, entry.kind, entry.date, entry.amount)
    if entry.person is None:
        customer_id = entry.customer_id or 0
        return RecordOpeningDebt(*given, customer_id, find_customer(unit, customer_id).existed)
    ids, added = found_or_added(unit, partial(allot, unit), {entry.person.key: entry.person})
    return RecordOpeningDebt(*given, ids[entry.person.key], added=[added] if added else [])


def _change(
    ctx: CommandContext, kind: type[Recorded], entry_id: int, command: entry_aggregate.Command
) -> Result[Answer]:
    name, events = _ENTRIES[kind]
    stream = Stream("cash", CashEntry(kind, entry_id), entry_aggregate.evolve).only(*events, **{name: entry_id})
    return ctx.transact(stream, lambda entry, unit: entry_aggregate.decide(command, entry, date_of(unit.now)), _entry)


def _settings(cash: Cash) -> Answer:
    date = cash.opening_date
    return {
        "opening_balance": cash.opening_balance,
        "opening_date": date and str(date),
        "critical_threshold": cash.critical_threshold,
    }


def _entry(entry: CashEntry) -> Answer:
    """Return an entry as its event recorded it, with the end of an expense and the void of any entry."""
    recorded = entry.recorded
    fields = {} if recorded is None else {name: getattr(recorded, name) for name in recorded.__struct_fields__}
    shown = {name: value for name, value in fields.items() if name not in _ID_FIELDS} | {"date": str(fields["date"])}
    if entry.kind is ExpenseRecorded:
        shown["ended_on"] = entry.ended_on and str(entry.ended_on)
    if entry.void_reason is not None:
        shown |= {"voided": True, "reason": entry.void_reason}
    return {"id": entry.entry_id, **shown}
