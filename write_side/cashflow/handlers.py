"""The stream of a shop's cash: read, decided on and added to under the shop's lock."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.cashflow import aggregate
from write_side.cashflow.aggregate import Cash, ChangeCashSettings, RecordCollection, RecordExpense
from write_side.customers.handlers import merged_key

_DHAKA = ZoneInfo("Asia/Dhaka")

# Returns the version of a stream's last event, null for none.
SELECT_VERSION = "SELECT max(originator_version) AS version FROM log.events WHERE originator_id = %s"
# Returns whether a business has a customer of this id, or had until it was merged into another one.
SELECT_CUSTOMER = """SELECT EXISTS (SELECT FROM log.index_rows
        WHERE kind = 'customer' AND scope = %s AND value = %s AND value > 0)
    OR EXISTS (SELECT FROM log.index_rows WHERE kind = 'customer_merged' AND scope = %s AND key = %s) AS known"""


class Entry(NamedTuple):
    """What a command answered, as JSON with paisa, and where the log tells of it."""

    data: dict[str, Any]
    position: int | None


@dataclass(frozen=True)
class Cashbook:
    """The cash of one shop, for one command; `request_hash` tells a repeated command from a reused key."""

    store: EventStore
    business_id: int
    meta: Metadata
    request_hash: bytes | None

    @property
    def stream(self) -> str:
        """Return the name of the stream."""
        return f"cash-{self.business_id}"

    def change_settings(self, wish: ChangeCashSettings) -> Entry:
        """Change the settings as wished; returns all of them."""

        def decide(unit: UnitOfWork) -> dict[str, Any]:
            return self._decided(unit, lambda _: [aggregate.change_settings(wish, _today(unit))], _settings)

        return self._execute(decide)

    def end_expense(self, expense_id: int) -> Entry:
        """End an expense from today on; returns it, the same again if it had ended."""

        def decide(unit: UnitOfWork) -> dict[str, Any]:
            return self._decided(
                unit,
                lambda cash: aggregate.end_expense(expense_id, cash, _today(unit)),
                lambda cash: _expense(cash, expense_id),
            )

        return self._execute(decide)

    def record_expense(self, date: dt.date, amount: int, category: str, recurring: str | None) -> Entry:
        """Record an expense under a new id; returns it."""
        wish = RecordExpense(self.store.allot(self.business_id, "expense"), date, amount, category, recurring)

        def decide(unit: UnitOfWork) -> dict[str, Any]:
            event = aggregate.record_expense(wish, _today(unit))
            self._append(unit, event)
            return _expense(aggregate.evolve(Cash(), event), wish.expense_id)

        return self._execute(decide)

    def record_collection(self, date: dt.date, amount: int, customer_id: int) -> Entry:
        """Record what a customer paid back, under a new id; returns it."""
        wish = RecordCollection(self.store.allot(self.business_id, "collection"), date, amount, customer_id)

        def decide(unit: UnitOfWork) -> dict[str, Any]:
            wanted = (self.business_id, customer_id, self.business_id, merged_key(customer_id))
            (row,) = unit.sql(SELECT_CUSTOMER, wanted)
            self._append(unit, aggregate.record_collection(wish, _today(unit), known=row["known"]))
            return {"id": wish.collection_id, "date": str(date), "amount": amount, "customer_id": customer_id}

        return self._execute(decide)

    def _execute(self, decide: Callable[[UnitOfWork], dict[str, Any]]) -> Entry:
        outcome = self.store.execute(self.business_id, self.meta, decide, request_hash=self.request_hash)
        # What changed nothing stands where it was said before.
        position = outcome.position or self.store.load(self.stream)[-1].position
        return Entry(outcome.result, position)

    def _decided(
        self, unit: UnitOfWork, decide: Callable[[Cash], Sequence[Event]], answer: Callable[[Cash], dict[str, Any]]
    ) -> dict[str, Any]:
        """Append what `decide` says to the whole stream; returns the answer of what is true then."""
        history = unit.load(self.stream)
        cash = Cash()
        for recorded in history:
            cash = aggregate.evolve(cash, recorded.event)
        events = decide(cash)
        unit.append(self.stream, len(history), *events)
        for event in events:
            cash = aggregate.evolve(cash, event)
        return answer(cash)

    def _append(self, unit: UnitOfWork, event: Event) -> None:
        (row,) = unit.sql(SELECT_VERSION, (self.stream,))
        unit.append(self.stream, row["version"] or 0, event)


def _settings(cash: Cash) -> dict[str, Any]:
    date = cash.opening_date
    return {
        "opening_balance": cash.opening_balance,
        "opening_date": date and str(date),
        "critical_threshold": cash.critical_threshold,
    }


def _expense(cash: Cash, expense_id: int) -> dict[str, Any]:
    expense = cash.expenses[expense_id]
    return {
        "id": expense_id,
        "date": str(expense.date),
        "amount": expense.amount,
        "category": expense.category,
        "recurring": expense.recurring,
        "ended_on": expense.ended_on and str(expense.ended_on),
    }


def _today(unit: UnitOfWork) -> dt.date:
    return unit.now.astimezone(_DHAKA).date()
