"""Commands on a stream: loaded, decided, appended, answered; repeated ones get the answer that was stored."""

import datetime as dt
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.domain.events.cashflow import CashSettingsChanged, ExpenseRecorded
from shared.errors import IdempotencyKeyReused
from shared.eventstore.command import CommandContext, Result, Stream, allot, end_of
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from tests.support.log_facts import rows

DAY = dt.date(2025, 11, 3)
Amounts = tuple[int, ...]


def evolve(amounts: Amounts, event: Event) -> Amounts:
    return (*amounts, event.amount) if isinstance(event, ExpenseRecorded) else amounts


BOOK: Stream[Amounts] = Stream("book", (), evolve)


def expense(amount: int) -> ExpenseRecorded:
    return ExpenseRecorded(amount, DAY, amount, "rent")


def context(store: EventStore, command_id: str | None = None, request: bytes = b"same") -> CommandContext:
    return CommandContext(store, 7, Metadata(command_id=command_id), request)


def spend(ctx: CommandContext, amount: int, stream: Stream[Amounts] = BOOK) -> Result[list[int]]:
    return ctx.transact(stream, lambda _, __: [expense(amount)], list)


def unchanged(ctx: CommandContext, stream: Stream[Amounts] = BOOK) -> Result[int]:
    return ctx.transact(stream, lambda _, __: [], sum)


def test_a_command_decides_on_the_state_of_its_stream_and_answers_of_the_state_after(store: EventStore) -> None:
    assert spend(context(store), 5) == Result([5], 1)
    assert spend(context(store), 7) == Result([5, 7], 2)
    assert spend(context(store), 9, BOOK.of("other")) == Result([9], 3)
    assert [recorded.event for recorded in store.load("book-7")] == [expense(5), expense(7)]
    assert [recorded.version for recorded in store.load("book-7-other")] == [1]


def test_streams_of_no_business_are_named_by_their_ids() -> None:
    assert BOOK.of(3, "x").name(7) == "book-7-3-x"
    assert BOOK.name(None) == "book-0"
    assert replace(BOOK, per_business=False).of("run").name(7) == "book-run"


def test_a_repeated_command_answers_as_before_and_appends_nothing(store: EventStore) -> None:
    first = spend(context(store, "key"), 5)
    spend(context(store), 7)
    again = spend(context(store, "key"), 11)
    assert again == Result([5], first.position, replayed=True, changed=True)
    assert store.head() == 2


def test_another_request_under_the_same_key_is_refused(store: EventStore) -> None:
    spend(context(store, "key"), 5)
    with pytest.raises(IdempotencyKeyReused):
        spend(context(store, "key", b"other"), 5)
    assert store.head() == 1


def test_a_command_that_changes_nothing_has_the_position_of_what_it_read(store: EventStore) -> None:
    assert unchanged(context(store, "key")) == Result(0, None, changed=False)
    spend(context(store), 5)
    spend(context(store), 6, BOOK.of("other"))
    assert unchanged(context(store, "key")) == Result(5, 1, changed=False)
    assert unchanged(context(store), BOOK.unfolded()) == Result(0, 1, changed=False)
    assert store.head() == 2


def test_an_unfolded_stream_appends_at_its_end_without_reading_its_events(store: EventStore) -> None:
    spend(context(store), 5)
    seen: list[Amounts] = []

    def decide(amounts: Amounts, _: UnitOfWork) -> Sequence[Event]:
        seen.append(amounts)
        return [expense(7), expense(8)]

    assert context(store).transact(BOOK.unfolded(), decide, list) == Result([7, 8], 3)
    assert seen == [()]
    assert [recorded.version for recorded in store.load("book-7")] == [1, 2, 3]


def test_a_conflict_decides_again_on_the_newer_state(store: EventStore) -> None:
    """A command of another business appends to the same stream between load and append."""
    shared, seen = replace(BOOK, per_business=False), list[Amounts]()

    def decide(amounts: Amounts, _: UnitOfWork) -> Sequence[Event]:
        seen.append(amounts)
        if len(seen) == 1:
            spend(CommandContext(store, 70, Metadata()), 3, shared)
        return [expense(sum(amounts) + 1)]

    assert context(store, "key").transact(shared, decide, list) == Result([3, 4], 2)
    assert seen == [(), (3,)]


def test_commands_at_once_lose_no_event(store: EventStore) -> None:
    start = threading.Barrier(4)

    def send(amount: int) -> Result[list[int]]:
        start.wait(10)
        return spend(context(store), amount)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(send, range(1, 5)))
    assert sorted(len(result.data) for result in results) == [1, 2, 3, 4]


def test_an_event_of_another_kind_leaves_the_state_and_counts_as_a_version(store: EventStore) -> None:
    context(store).transact(BOOK, lambda _, __: [CashSettingsChanged(1, DAY)], list)
    assert spend(context(store), 5).data == [5]
    assert context(store).query(lambda unit: end_of(unit, "book-7")) == (2, 2)
    assert context(store).query(lambda unit: end_of(unit, "book-8")) == (0, 0)


def test_a_part_of_a_stream_is_folded_by_class_and_id(store: EventStore) -> None:
    events = [expense(4), CashSettingsChanged(1, DAY), expense(41), expense(4)]
    assert context(store).transact(BOOK, lambda _, __: events, list).data == [4, 41, 4]
    assert unchanged(context(store), BOOK.only(ExpenseRecorded, expense_id=4)) == Result(8, 4, changed=False)
    assert unchanged(context(store), BOOK.only(ExpenseRecorded)).data == 49
    assert unchanged(context(store), BOOK.only(CashSettingsChanged)).data == 0
    assert spend(context(store), 5, BOOK.only(ExpenseRecorded, expense_id=41)).data == [41, 5]
    assert [recorded.version for recorded in store.load("book-7")] == [1, 2, 3, 4, 5]


def test_ids_are_allotted_to_the_context_and_within_a_unit(store: EventStore, database_url: str) -> None:
    assert context(store).new_id("expense") == 1
    assert context(store).execute(lambda unit: allot(unit, "expense", 3)).data == 2
    assert context(store).of_business(70).new_id("expense") == 1
    assert rows(database_url, "SELECT scope, next FROM log.counters ORDER BY scope") == [(7, 5), (70, 2)]
