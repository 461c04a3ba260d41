import datetime as dt
from dataclasses import replace

import pytest

from shared.domain.events.cashflow import (
    CashSettingsChanged,
    CollectionRecorded,
    ExpenseRecorded,
    OpeningDebtRecorded,
)
from shared.domain.events.sales import CustomersAdded, NewCustomer
from shared.errors import DateOutOfRange, NotFound
from shared.eventstore.event import Event
from write_side.cashflow.aggregate import (
    Cash,
    ChangeCashSettings,
    RecordCollection,
    RecordExpense,
    RecordOpeningDebt,
    decide,
    evolve,
)

TODAY = dt.date(2025, 11, 3)
TOMORROW = dt.date(2025, 11, 4)


def after(*events: Event) -> Cash:
    cash = Cash()
    for event in events:
        cash = evolve(cash, event)
    return cash


def test_settings_are_recorded_and_what_is_left_out_stays() -> None:
    (said,) = decide(ChangeCashSettings(500, TODAY, None), TODAY)
    assert said == CashSettingsChanged(500, TODAY, None)
    cash = after(CashSettingsChanged(critical_threshold=7), said)
    assert (cash.opening_balance, cash.opening_date, cash.critical_threshold) == (500, TODAY, 7)
    assert Cash().critical_threshold == 2_000_000


@pytest.mark.parametrize("day", [TOMORROW, dt.date(1999, 12, 31)])
def test_an_opening_day_lies_between_2000_and_today(day: dt.date) -> None:
    with pytest.raises(DateOutOfRange) as refused:
        decide(ChangeCashSettings(500, day, None), TODAY)
    assert refused.value.details["fields"][0]["field"] == "opening_date"


@pytest.mark.parametrize(
    ("recurring", "day", "allowed"),
    [
        (None, TODAY, True),
        (None, TODAY + dt.timedelta(366), True),
        (None, TODAY + dt.timedelta(367), False),
        ("monthly", TOMORROW, True),
        ("yearly", TODAY + dt.timedelta(366), True),
        ("yearly", TODAY + dt.timedelta(367), False),
        ("daily", dt.date(2000, 1, 1), True),
        ("daily", dt.date(1999, 12, 31), False),
    ],
)
def test_an_expense_was_paid_or_lies_ahead_within_a_year(recurring: str | None, day: dt.date, *, allowed: bool) -> None:
    command = RecordExpense(1, day, 100, "x", recurring)
    if allowed:
        assert decide(command, TODAY) == [ExpenseRecorded(1, day, 100, "x", recurring)]
    else:
        with pytest.raises(DateOutOfRange):
            decide(command, TODAY)


def test_a_collection_is_of_a_known_customer_and_not_of_tomorrow() -> None:
    command = RecordCollection(1, TODAY, 100, 5, customer_exists=True)
    assert decide(command, TODAY) == [CollectionRecorded(1, TODAY, 100, 5)]
    with pytest.raises(NotFound):
        decide(replace(command, customer_exists=False), TODAY)
    with pytest.raises(DateOutOfRange):
        decide(replace(command, date=TOMORROW), TODAY)


def test_an_opening_debt_is_of_a_known_or_added_customer_and_not_of_tomorrow() -> None:
    command = RecordOpeningDebt(1, "advance", TODAY, 100, 5)
    debt = OpeningDebtRecorded(1, "advance", TODAY, 100, 5)
    assert decide(command, TODAY) == [debt]
    added = CustomersAdded([NewCustomer(5, "key", "sealed")])
    assert decide(replace(command, added=[added]), TODAY) == [added, debt]
    with pytest.raises(NotFound):
        decide(replace(command, customer_exists=False), TODAY)
    with pytest.raises(DateOutOfRange):
        decide(replace(command, date=TOMORROW), TODAY)


def test_entries_do_not_change_the_settings() -> None:
    assert after(CollectionRecorded(1, TODAY, 100, 5), ExpenseRecorded(9, TODAY, 1, "x", None)) == Cash()
