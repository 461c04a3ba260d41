"""The shop as its books, known at one moment, stand for another day."""

import datetime as dt
from collections.abc import Iterator
from itertools import count
from multiprocessing import get_context
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.engine import generation_schemas, replayer
from projections.engine.books import Books
from projections.engine.generations import Origin
from projections.operations import rebuild, time_travel
from projections.registry import REGISTRY
from shared.domain.events.customers import CustomersMerged
from shared.eventstore.catalogue import CATALOGUE
from shared.eventstore.event import Event, Row
from shared.eventstore.system_events import DayOpened, RuleActivated
from shared.postgres.generation_states import GenerationKind
from shared.runtime.business_day import date_of
from tests.support.histories import TODAY, any_dates, histories
from tests.support.model_books import books_until
from tests.support.properties import examples
from tests.support.shop_events import DAY, batch, busy_shop, completed, customers, everything_else, products, sale
from tests.support.world import World, differences

SHOP, LATE = 7, DAY + dt.timedelta(days=1)
_shops = count(5_000)
INSERT = """INSERT INTO projections.replays
        (id, business_id, user_id, as_of, happened_until, day, position, rules_position, expires_at)
    VALUES (%s, %s, %s, now(), %s, %s, %s, %s, now() + interval '30 minutes')"""
SELECT = "SELECT state, schemas, books_begin FROM projections.replays WHERE id = %s"
# Events with dates that are no business dates of entries, each with the reason.
UNDATED = {
    "clock.DayCorrected": "the days themselves",
    "clock.DayOpened": "the days themselves",
    "demo.DemoShopOpened": "what the shop was made for, not an entry of it",
    "forecasting.DailyForecastsPlanned": "of no shop",
    "identity.BusinessErasureRequested": "when the shop is erased, not an entry of it",
    "sales.ReceiptStored": "the picture of a receipt is no entry yet",
}


@pytest.fixture(scope="module")
def workers(shared_world: World) -> Iterator[dict[str, replayer.Worker]]:
    """A scratch generation of each projection, and what replays into it."""
    shared_world.append(None, DayOpened(TODAY[0]))
    folded = get_context("spawn").Value("q", 0)
    made = {}
    for name, projection in REGISTRY.items():
        with shared_world.conn.transaction():
            _, schema = generation_schemas.create(shared_world.conn, projection, Origin(GenerationKind.TRAVEL))
        made[name] = replayer.Worker(replayer.Target(shared_world.source, projection, schema, 0), folded)
    yield made
    for worker in made.values():
        worker.conn.close()


@pytest.mark.timeout(400)
@settings(max_examples=examples(20), deadline=None)
@given(data=st.data(), day=any_dates, chunk=st.integers(1, 5))
def test_books_of_any_history_are_those_that_the_model_keeps(
    shared_world: World, workers: dict[str, replayer.Worker], data: st.DataObject, day: dt.date, chunk: int
) -> None:
    business = next(_shops)
    shared_world.record(data.draw(histories([business])))
    whole = shared_world.history([business])
    own = [recorded.position for recorded in whole if recorded.business_id == business]
    position = own[data.draw(st.integers(0, len(own) - 1))] if own else whole[-1].position
    known = [recorded for recorded in whole if recorded.position <= position]
    rules_position = max((each.position for each in known if date_of(each.recorded_at) <= day), default=0)
    books = Books(day, rules_position)
    books.read(known)
    for name, worker in workers.items():
        worker.books = books
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replayer, "_CHUNK", chunk)
            worker.replay_to(business, position)
        rebuild.apply_removals(shared_world.conn, REGISTRY[name], worker.schema)
        history = books_until(known, day) if REGISTRY[name].dated else known
        expected = shared_world.expected(name, history=history)
        assert differences(shared_world.rows(name, worker.schema, [business]), expected) == {}, name


def _travelled(
    world: World, day: dt.date, *, position: int | None = None, rules_position: int | None = None
) -> list[str]:
    """Make a replay of the shop to a business date; returns its schemas."""
    replay, position = uuid4(), world.store.head() if position is None else position
    world.admin.execute(
        INSERT, (replay, SHOP, SHOP, day, day, position, position if rules_position is None else rules_position)
    )
    assert time_travel.make_next(world.source)
    state, schemas, _ = world.admin.execute(SELECT, (replay,)).fetchone() or ("", [], None)
    assert state == "ready"
    return list(schemas)


def _named(schemas: list[str]) -> dict[str, str]:
    return dict(zip(REGISTRY, schemas, strict=True))


def test_a_replay_leaves_out_what_happened_later_however_early_it_was_known(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 2), *everything_else(SHOP))
    world.append(SHOP, batch(SHOP, [sale(901, paisa=5_000, date=LATE), sale(902, paisa=700)]), completed(SHOP))
    schemas = _named(_travelled(world, DAY))
    known = world.history([SHOP])
    for name, schema in schemas.items():
        history = books_until(known, DAY) if REGISTRY[name].dated else known
        assert differences(world.rows(name, schema), world.expected(name, history=history)) == {}, name
    ids = {row["id"] for row in world.rows("sales", schemas["sales"])["transactions"]}
    assert 902 in ids
    assert 901 not in ids


def test_a_late_file_counts_in_the_books_of_the_days_it_is_about(world: World) -> None:
    world.append(SHOP, products("Tea"), batch(SHOP, [sale(1, paisa=100)]), completed(SHOP))
    before = world.store.head()
    world.append(SHOP, batch(SHOP, [sale(2, paisa=40)], number=1), completed(SHOP, 1))
    known_before = _named(_travelled(world, DAY, position=before))
    known_now = _named(_travelled(world, DAY))
    sums = [world.rows("sales", schemas["sales"])["sales_totals"][0]["paisa"] for schemas in (known_before, known_now)]
    assert sums == [100, 140]


def test_products_and_customers_belong_to_the_books_from_their_first_entry_on(world: World) -> None:
    world.append(SHOP, products("Tea", "Rice"), customers(("Ali", None), ("Salma", None)))
    lines = [sale(1, product=1, customer=1), sale(2, product=2, customer=2, date=LATE)]
    world.append(SHOP, batch(SHOP, lines), completed(SHOP))
    early, late = (_named(_travelled(world, day)) for day in (DAY, LATE))
    for schemas, wanted in ((early, {1}), (late, {1, 2})):
        assert {row["id"] for row in world.rows("sales", schemas["sales"])["products"]} == wanted
        assert {row["id"] for row in world.rows("customers", schemas["customers"])["churn"]} == wanted
        assert world.rows("identity", schemas["identity"])["profile_stats"][0]["customers"] == len(wanted)


def test_customers_who_are_one_begin_together_whichever_of_them_buys_afterwards(world: World) -> None:
    world.append(SHOP, products("Tea"), customers(("Ali", None), ("Ali B.", None)), CustomersMerged(1, [2]))
    world.append(SHOP, batch(SHOP, [sale(1, customer=2, date=LATE)]), completed(SHOP))
    for day, merged in ((DAY, []), (LATE, [(2, 1)])):
        schemas = _named(_travelled(world, day))
        rows = world.rows("cashflow", schemas["cashflow"])["baki_merges"]
        assert [(row["id"], row["customer_id"]) for row in rows] == merged
        assert len(world.rows("customers", schemas["customers"])["churn"]) == len(merged)


def test_rules_are_those_of_the_business_date(world: World) -> None:
    world.append(SHOP, customers(("Ali", None)), batch(SHOP, [sale(1, customer=1)]), completed(SHOP))
    before = world.store.head()
    world.append(None, RuleActivated("rfm", "rfm.v1.9", {"recency_days": [1, 2, 3, 4]}))
    for rules_position, wanted in ((before, "rfm.v1 "), (None, "rfm.v1.9 ")):
        schemas = _named(_travelled(world, DAY + dt.timedelta(days=2), rules_position=rules_position))
        (row,) = world.rows("customers", schemas["customers"])["churn"]
        assert row["rules"].startswith(wanted)


def test_the_day_of_derived_rows_is_the_business_date(world: World) -> None:
    world.append(None, DayOpened(DAY + dt.timedelta(days=300)))
    world.append(SHOP, customers(("Ali", None)), batch(SHOP, [sale(1, customer=1)]), completed(SHOP))
    recencies = []
    for days in (0, 20, 200):
        schemas = _named(_travelled(world, DAY + dt.timedelta(days=days)))
        (row,) = world.rows("customers", schemas["customers"])["churn"]
        recencies.append(row["recency"])
    assert recencies == [5, 4, 1]


def test_books_without_entries_say_so(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 1))
    schemas = _named(_travelled(world, dt.date(2020, 1, 1)))
    assert world.rows("sales", schemas["sales"])["transactions"] == []
    first = min(s.date for r in world.history([SHOP]) for s in getattr(r.event, "sales", []))
    row = world.admin.execute("SELECT books_begin FROM projections.replays").fetchone()
    assert row == (first,)


def test_every_event_with_a_date_says_whether_it_is_a_business_date() -> None:
    dated = {topic for topic, event in CATALOGUE.items() if _has_date(event) and not topic.startswith("test.")}
    declared = {topic for topic, event in CATALOGUE.items() if event.books}
    assert dated - declared == set(UNDATED)


def test_declared_fields_exist() -> None:
    for topic, event in CATALOGUE.items():
        if event.books is None:
            continue
        entry = _line_of(event, event.books.lines) if event.books.lines else event
        subjects = getattr(event.books, "subjects", ())
        clears = getattr(event.books, "clears", ())
        date = getattr(event.books, "id_field", event.books.field)
        named = {*subjects, *clears} | ({date} if date else set())
        assert named <= set(entry.__struct_fields__), topic


def _has_date(event: type[Event]) -> bool:
    return any("date" in str(field.type) for field in msgspec.structs.fields(event)) or any(
        "date" in str(inner.type)
        for field in msgspec.structs.fields(event)
        for row in _rows_in(field.type)
        for inner in msgspec.structs.fields(row)
    )


def _rows_in(annotation: object) -> list[type[Row]]:
    return [a for a in getattr(annotation, "__args__", ()) if isinstance(a, type) and issubclass(a, Row)]


def _line_of(event: type[Event], name: str) -> type[Row]:
    (field,) = [field for field in msgspec.structs.fields(event) if field.name == name]
    (row,) = _rows_in(field.type)
    return row
