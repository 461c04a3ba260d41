import datetime as dt
from dataclasses import replace

import pytest

from shared.domain.events.cashflow import CashSettingsChanged, CollectionRecorded, ExpenseEnded, ExpenseRecorded
from shared.domain.refusals.cashflow import ExpenseNotFound
from shared.errors import DateOutOfRange, NotFound
from shared.eventstore.event import Event
from write_side.cashflow.aggregate import (
    Cash,
    ChangeCashSettings,
    EndExpense,
    RecordCollection,
    RecordExpense,
    decide,
    evolve,
)

TODAY = dt.date(2025, 11, 3)
TOMORROW = dt.date(2025, 11, 4)
RENT = ExpenseRecorded(1, TODAY, 1_500_000, "rent", "monthly")


def after(*events: Event) -> Cash:
    cash = Cash()
    for event in events:
        cash = evolve(cash, event)
    return cash


def test_settings_are_recorded_and_what_is_left_out_stays() -> None:
    (said,) = decide(ChangeCashSettings(500, TODAY, None), Cash(), TODAY)
    assert said == CashSettingsChanged(500, TODAY, None)
    cash = after(CashSettingsChanged(critical_threshold=7), said)
    assert (cash.opening_balance, cash.opening_date, cash.critical_threshold) == (500, TODAY, 7)
    assert Cash().critical_threshold == 2_000_000


@pytest.mark.parametrize("day", [TOMORROW, dt.date(1999, 12, 31)])
def test_an_opening_day_lies_between_2000_and_today(day: dt.date) -> None:
    with pytest.raises(DateOutOfRange) as refused:
        decide(ChangeCashSettings(500, day, None), Cash(), TODAY)
    assert refused.value.details["fields"][0]["field"] == "opening_date"


@pytest.mark.parametrize(
    ("recurring", "day", "allowed"),
    [
        (None, TODAY, True),
        (None, TOMORROW, False),
        ("monthly", TOMORROW, True),
        ("yearly", TODAY + dt.timedelta(366), True),
        ("yearly", TODAY + dt.timedelta(367), False),
        ("daily", dt.date(2000, 1, 1), True),
        ("daily", dt.date(1999, 12, 31), False),
    ],
)
def test_an_expense_was_paid_or_recurs_within_a_year(recurring: str | None, day: dt.date, *, allowed: bool) -> None:
    command = RecordExpense(1, day, 100, "x", recurring)
    if allowed:
        assert decide(command, Cash(), TODAY) == [ExpenseRecorded(1, day, 100, "x", recurring)]
    else:
        with pytest.raises(DateOutOfRange):
            decide(command, Cash(), TODAY)


def test_an_expense_ends_once() -> None:
    assert decide(EndExpense(1), after(RENT), TODAY) == [ExpenseEnded(1, TODAY)]
    assert decide(EndExpense(1), after(RENT, ExpenseEnded(1, TODAY)), TOMORROW) == []
    assert after(RENT, ExpenseEnded(1, TODAY)).expenses[1].ended_on == TODAY
    with pytest.raises(ExpenseNotFound):
        decide(EndExpense(2), after(RENT), TODAY)


def test_a_collection_is_of_a_known_customer_and_not_of_tomorrow() -> None:
    command = RecordCollection(1, TODAY, 100, 5, customer_exists=True)
    assert decide(command, Cash(), TODAY) == [CollectionRecorded(1, TODAY, 100, 5)]
    with pytest.raises(NotFound):
        decide(replace(command, customer_exists=False), Cash(), TODAY)
    with pytest.raises(DateOutOfRange):
        decide(replace(command, date=TOMORROW), Cash(), TODAY)


def test_events_of_other_streams_do_not_change_the_cash() -> None:
    assert after(CollectionRecorded(1, TODAY, 100, 5), ExpenseEnded(9, TODAY)) == Cash()
