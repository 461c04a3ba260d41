"""Commands of a shop with thousands of entries cost about as much as those of a new one."""

import datetime as dt
from collections.abc import Callable

import pytest

from shared.domain.events.cashflow import CashSettingsChanged, ExpenseRecorded
from shared.domain.refusals.cashflow import ExpenseNotFound
from shared.eventstore.command import CommandContext
from shared.eventstore.store import EventStore, Metadata
from tests.support.waiting import Stopwatch
from write_side.cashflow import handlers
from write_side.cashflow.aggregate import ChangeCashSettings

EXPENSES, LIMIT_MS, ROUNDS = 5_000, 20.0, 7
FIRST = dt.date(2025, 1, 1)


@pytest.fixture
def shop(store: EventStore) -> CommandContext:
    """A shop with 5,000 expenses and two changes of its settings between them."""
    ctx = CommandContext(store, 7, Metadata(actor="user-1"))
    half = EXPENSES // 2
    expenses = [ExpenseRecorded(n, FIRST, 100 * n, "rent", "monthly") for n in range(1, EXPENSES + 1)]
    settings = CashSettingsChanged(5_000, FIRST, None), CashSettingsChanged(None, None, 700)
    events = [settings[0], *expenses[:half], settings[1], *expenses[half:]]
    ctx.execute(lambda unit: unit.append("cash-7", 0, *events))
    return ctx


def milliseconds(command: Callable[[], object]) -> float:
    watch = Stopwatch()
    command()
    return watch.seconds() * 1000


def test_ending_one_of_5000_expenses_takes_at_most_20_ms(shop: CommandContext) -> None:
    ended = handlers.end_expense(shop, 4_999).data
    assert (ended["amount"], ended["ended_on"] is not None) == (499_900, True)
    assert handlers.end_expense(shop, 4_999).changed is False
    with pytest.raises(ExpenseNotFound):
        handlers.end_expense(shop, EXPENSES + 1)
    # The fastest of several: others use the processor too.
    assert min(milliseconds(lambda n=n: handlers.end_expense(shop, n)) for n in range(1, ROUNDS)) <= LIMIT_MS  # type: ignore[misc] # bound at once


def test_changing_settings_beside_5000_expenses_takes_at_most_20_ms(shop: CommandContext) -> None:
    changed = handlers.change_settings(shop, ChangeCashSettings(9_000, None, None)).data
    assert changed == {"opening_balance": 9_000, "opening_date": str(FIRST), "critical_threshold": 700}
    command = ChangeCashSettings(None, None, 800)
    assert min(milliseconds(lambda: handlers.change_settings(shop, command)) for _ in range(ROUNDS)) <= LIMIT_MS
