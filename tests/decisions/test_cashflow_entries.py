"""A single entry of the cash stream: ended, voided once, and untouched by what happens to others."""

import datetime as dt

import pytest

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
from write_side.cashflow.entry_aggregate import CashEntry, EndExpense, Recorded, VoidEntry, decide, evolve

TODAY = dt.date(2025, 11, 3)
TOMORROW = dt.date(2025, 11, 4)
RENT = ExpenseRecorded(1, TODAY, 1_500_000, "rent", "monthly")
PAID = CollectionRecorded(1, TODAY, 50_000, 7)
OWED = OpeningDebtRecorded(1, "debt", TODAY, 20_000, 7)
VOIDS: dict[type[Recorded], Event] = {
    ExpenseRecorded: ExpenseVoided(1, "twice", TODAY, 1_500_000),
    CollectionRecorded: CollectionVoided(1, "twice", TODAY, 50_000, 7),
    OpeningDebtRecorded: OpeningDebtVoided(1, "twice", "debt", TODAY, 20_000, 7),
}
UNKNOWN: dict[type[Recorded], type[NotFound]] = {
    ExpenseRecorded: ExpenseNotFound,
    CollectionRecorded: CollectionNotFound,
    OpeningDebtRecorded: OpeningDebtNotFound,
}


def after(kind: type[Recorded], *events: Event, entry_id: int = 1) -> CashEntry:
    entry = CashEntry(kind, entry_id)
    for event in events:
        entry = evolve(entry, event)
    return entry


def test_an_expense_ends_once() -> None:
    assert decide(EndExpense(), after(ExpenseRecorded, RENT), TODAY) == [ExpenseEnded(1, TODAY)]
    ended = after(ExpenseRecorded, RENT, ExpenseEnded(1, TODAY))
    assert decide(EndExpense(), ended, TOMORROW) == []
    assert ended.ended_on == TODAY


@pytest.mark.parametrize("kind", list(VOIDS))
def test_an_entry_is_voided_once_with_what_was_recorded(kind: type[Recorded]) -> None:
    entry = after(kind, RENT, PAID, OWED)
    assert decide(VoidEntry("twice"), entry, TODAY) == [VOIDS[kind]]
    voided = evolve(entry, VOIDS[kind])
    with pytest.raises(EntryAlreadyVoided) as refused:
        decide(VoidEntry("again"), voided, TODAY)
    assert refused.value.details == {"id": 1, "reason": "twice"}


@pytest.mark.parametrize("kind", list(VOIDS))
def test_an_unknown_entry_cannot_be_voided(kind: type[Recorded]) -> None:
    with pytest.raises(UNKNOWN[kind]):
        decide(VoidEntry("twice"), after(kind, RENT, PAID, OWED, entry_id=2), TODAY)


def test_a_voided_expense_cannot_be_ended_and_an_ended_one_can_be_voided() -> None:
    with pytest.raises(EntryAlreadyVoided):
        decide(EndExpense(), after(ExpenseRecorded, RENT, VOIDS[ExpenseRecorded]), TODAY)
    ended = after(ExpenseRecorded, RENT, ExpenseEnded(1, TODAY))
    assert decide(VoidEntry("twice"), ended, TODAY) == [VOIDS[ExpenseRecorded]]


@pytest.mark.parametrize("kind", list(VOIDS))
def test_entries_of_other_kinds_and_ids_do_not_change_an_entry(kind: type[Recorded]) -> None:
    others = [void for other, void in VOIDS.items() if other is not kind]
    assert after(kind, RENT, PAID, OWED, *others) == after(kind, RENT, PAID, OWED)
    assert after(kind, *VOIDS.values(), entry_id=2) == CashEntry(kind, 2)
