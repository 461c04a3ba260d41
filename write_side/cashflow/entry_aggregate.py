"""Aggregate of a single entry of the cash stream: an expense is ended, and any entry voided once.

`decide` takes the command, the entry and the day; it returns the events or raises a refusal.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.domain.events.cashflow import (
    CollectionRecorded,
    CollectionVoided,
    ExpenseEnded,
    ExpenseRecorded,
    ExpenseVoided,
    OpeningDebtRecorded,
    OpeningDebtVoided,
)
from shared.domain.refusals.cashflow import CollectionNotFound, ExpenseNotFound, OpeningDebtNotFound
from shared.domain.refusals.sales import EntryAlreadyVoided
from shared.errors import NotFound
from shared.eventstore.event import Event

Recorded = ExpenseRecorded | CollectionRecorded | OpeningDebtRecorded
_NOT_FOUND: dict[type[Recorded], type[NotFound]] = {
    ExpenseRecorded: ExpenseNotFound,
    CollectionRecorded: CollectionNotFound,
    OpeningDebtRecorded: OpeningDebtNotFound,
}


@dataclass(frozen=True)
class CashEntry:
    """The entry of a kind with this id: as it was recorded, ended and voided; `recorded` is None if unknown."""

    kind: type[Recorded]
    entry_id: int
    recorded: Recorded | None = None
    ended_on: dt.date | None = None
    void_reason: str | None = None


@dataclass(frozen=True)
class EndExpense:
    """An expense is not paid from today on."""


@dataclass(frozen=True)
class VoidEntry:
    """An entry was recorded by mistake."""

    reason: str


Command = EndExpense | VoidEntry


def decide(command: Command, entry: CashEntry, today: dt.date) -> Sequence[Event]:
    """Return the events of a command; none if it changes nothing.

    Raises ExpenseNotFound, CollectionNotFound, OpeningDebtNotFound by the kind of entry, and EntryAlreadyVoided.
    """
    if entry.recorded is None:
        raise _NOT_FOUND[entry.kind](details={"id": entry.entry_id})
    if entry.void_reason is not None:
        raise EntryAlreadyVoided(details={"id": entry.entry_id, "reason": entry.void_reason})
    match command:
        case EndExpense():
            return [] if entry.ended_on else [ExpenseEnded(entry.entry_id, today)]
        case VoidEntry():
            return [_voided(entry.recorded, command.reason)]


def evolve(entry: CashEntry, event: Event) -> CashEntry:
    """Return the entry after one more event of the stream; events of other entries do not change it."""
    if _concerned(event) != (entry.kind, entry.entry_id):
        return entry
    match event:
        case ExpenseRecorded() | CollectionRecorded() | OpeningDebtRecorded():
            return replace(entry, recorded=event)
        case ExpenseEnded():
            return replace(entry, ended_on=event.date)
        case ExpenseVoided() | CollectionVoided() | OpeningDebtVoided():
            return replace(entry, void_reason=event.reason)
    return entry


def _concerned(event: Event) -> tuple[type[Recorded], int] | None:
    """Return kind and id of the entry that an event is about."""
    match event:
        case ExpenseRecorded() | ExpenseEnded() | ExpenseVoided():
            return ExpenseRecorded, event.expense_id
        case CollectionRecorded() | CollectionVoided():
            return CollectionRecorded, event.collection_id
        case OpeningDebtRecorded() | OpeningDebtVoided():
            return OpeningDebtRecorded, event.debt_id
    return None


def _voided(recorded: Recorded, reason: str) -> Event:
    match recorded:
        case ExpenseRecorded():
            return ExpenseVoided(recorded.expense_id, reason, recorded.date, recorded.amount)
        case CollectionRecorded():
            return CollectionVoided(
                recorded.collection_id, reason, recorded.date, recorded.amount, recorded.customer_id
            )
        case OpeningDebtRecorded():
            return OpeningDebtVoided(
                recorded.debt_id, reason, recorded.kind, recorded.date, recorded.amount, recorded.customer_id
            )
