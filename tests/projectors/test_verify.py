import threading
import tracemalloc
from functools import partial

import pytest
from psycopg.sql import SQL, Identifier

from projections.operations.scratch import OperationRequest
from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.domain.events.sales import SaleVoided
from shared.postgres.generation_states import GenerationKind
from tests.support.poison import POISONS, write
from tests.support.shop_events import DAY, batch, busy_shop, everything_else, products, sale
from tests.support.waiting import wait_until
from tests.support.world import World

SHOP, OTHER = 7, 23


@pytest.fixture
def street(world: World) -> World:
    """Two shops with a history, in every read model."""
    for shop in (SHOP, OTHER):
        world.append(shop, *busy_shop(shop, 4), *everything_else(shop))
    world.append(SHOP, batch(SHOP, [sale(900, paisa=700), sale(901, paisa=900)]))
    world.append(SHOP, SaleVoided(901, "twice", DAY, None, 1, None, 1000, 900, None))
    world.project()
    return world


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_untouched_tables_match_the_log(street: World, name: str) -> None:
    found = verify(street.source, REGISTRY[name])
    assert found.equal
    assert found.differences == []
    assert (found.businesses, found.projection) == (2, name)
    assert found.rows > 0


def test_verifying_leaves_nothing_behind_and_changes_nothing_that_serves(street: World) -> None:
    serving, before = street.schema("sales"), street.rows("sales")
    verify(street.source, REGISTRY["sales"])
    assert (street.schema("sales"), street.rows("sales")) == (serving, before)
    schemas = street.admin.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sales_g'").fetchall()
    assert schemas == [(serving,)]


def test_one_cell_that_was_changed_is_found(street: World) -> None:
    table = Identifier(street.schema("sales"), "transactions")
    street.admin.execute(SQL("UPDATE {} SET paisa = paisa + 1 WHERE business_id = 7 AND id = 900").format(table))
    found = verify(street.source, REGISTRY["sales"])
    (difference,) = found.differences
    assert not found.equal
    assert (difference.table, difference.business_id, difference.key) == (
        "transactions",
        SHOP,
        {"business_id": SHOP, "id": 900},
    )
    assert difference.live is not None
    assert difference.replayed is not None
    assert (difference.live["paisa"], difference.replayed["paisa"]) == (701, 700)
    assert difference.position == difference.replayed["position"]


def test_cells_that_changed_places_between_rows_are_found(street: World) -> None:
    table = Identifier(street.schema("sales"), "transactions")
    rows = street.admin.execute(
        SQL("SELECT id, product_id FROM {} WHERE business_id = 7 ORDER BY id").format(table)
    ).fetchall()
    pairs = [(one, other) for one, other in zip(rows[::2], rows[1::2], strict=False) if one[1] != other[1]]
    assert len(pairs) > 4
    for one, other in pairs[:8]:
        exchange = SQL("UPDATE {} SET product_id = %s + %s - product_id WHERE business_id = 7 AND id IN (%s, %s)")
        street.admin.execute(exchange.format(table), (one[1], other[1], one[0], other[0]))
        found = verify(street.source, REGISTRY["sales"], [SHOP])
        assert {d.key["id"] for d in found.differences} == {one[0], other[0]}
        street.admin.execute(exchange.format(table), (one[1], other[1], one[0], other[0]))


def test_a_row_that_is_gone_is_found_with_the_event_that_made_it(street: World) -> None:
    table = Identifier(street.schema("sales"), "products")
    street.admin.execute(SQL("DELETE FROM {} WHERE business_id = 23 AND id = 3").format(table))
    (difference,) = verify(street.source, REGISTRY["sales"]).differences
    assert (difference.live, difference.key) == (None, {"business_id": OTHER, "id": 3})
    assert difference.replayed is not None
    last = street.admin.execute(
        "SELECT max(notification_id) FROM log.events WHERE business_id = 23 AND topic = 'sales.SalesBatchRecorded'"
    ).fetchone()
    assert (difference.position,) == last


def test_a_row_that_no_event_made_is_found(street: World) -> None:
    table = Identifier(street.schema("identity"), "data_sources")
    street.admin.execute(SQL("INSERT INTO {} VALUES (7, 'thin air', 1)").format(table))
    (difference,) = verify(street.source, REGISTRY["identity"]).differences
    assert (difference.replayed, difference.position) == (None, 0)
    assert difference.key == {"business_id": SHOP, "source": "thin air"}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_rows_of_a_business_that_no_event_names_are_found_in_every_table(street: World, name: str) -> None:
    schema = street.schema(name)
    copy = SQL(
        "INSERT INTO {0} SELECT (jsonb_populate_record(t, '{{\"business_id\": 999999}}')).* FROM {0} AS t"
        " WHERE business_id = 7 LIMIT 1"
    )
    tables = [
        table.name
        for table in REGISTRY[name].tables
        if street.admin.execute(copy.format(Identifier(schema, table.name))).rowcount
    ]
    assert tables
    found = verify(street.source, REGISTRY[name])
    assert [(d.table, d.business_id, d.replayed, d.position) for d in found.differences] == [
        (table, 999_999, None, 0) for table in tables
    ]
    assert (found.differing, found.businesses) == (len(tables), 3)
    assert verify(street.source, REGISTRY[name], [SHOP]).businesses == 1
    assert verify(street.source, REGISTRY[name], request=OperationRequest(GenerationKind.VERIFY, SHOP)).businesses == 1


def test_however_many_rows_differ_memory_holds_those_that_are_shown(street: World) -> None:
    table = Identifier(street.schema("identity"), "data_sources")
    many = SQL("INSERT INTO {} SELECT 7, 'thin air ' || n, n FROM generate_series(1, 30000) AS n")
    street.admin.execute(many.format(table))
    tracemalloc.start()
    try:
        found = verify(street.source, REGISTRY["identity"])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.differing == 30_000
    first = sorted(f"thin air {n}" for n in range(1, 30_001))[:100]
    assert [(d.key["source"], d.replayed, d.position) for d in found.differences] == [
        (source, None, 0 if i < 10 else None) for i, source in enumerate(first)
    ]
    assert most < 5_000_000


def test_every_row_that_was_changed_is_counted_and_a_hundred_are_shown_whole(street: World) -> None:
    table = Identifier(street.schema("sales"), "transactions")
    changed = street.admin.execute(SQL("UPDATE {} SET paisa = paisa + 1").format(table)).rowcount
    found = verify(street.source, REGISTRY["sales"])
    assert found.differing == changed > 150
    shown = [(d.live or {}, d.replayed or {}) for d in found.differences]
    assert [live["paisa"] - replayed["paisa"] for live, replayed in shown] == [1] * 100
    keys = [(live["business_id"], live["id"]) for live, _ in shown]
    assert keys == sorted(keys)
    assert [d.position for d in found.differences] == [replayed["position"] for _, replayed in shown[:10]] + [None] * 90


def test_keys_are_held_together_in_whatever_letters_they_are_written(street: World) -> None:
    names = ["a", "B", "_", "a b", "Z", "ä", "খাতা", "é", "e", "E", "-", "ab", "😀", "～"]
    sales = [sale(5_000 + i, payment=i) for i, _ in enumerate(names)]
    street.append(SHOP, batch(SHOP, sales, payments=[(name, None) for name in names]))
    street.project()
    table = Identifier(street.schema("sales"), "sales_days")
    street.admin.execute(SQL("UPDATE {} SET paisa = 9 WHERE payment_method IN ('খাতা', 'E', '😀')").format(table))
    street.admin.execute(SQL("DELETE FROM {} WHERE payment_method = 'a b'").format(table))
    found = verify(street.source, REGISTRY["sales"])
    assert [(d.key["payment_method"], d.live is None) for d in found.differences] == [
        ("E", False),
        ("a b", True),
        ("খাতা", False),
        ("😀", False),
    ]
    assert found.differing == 4


def test_only_the_businesses_asked_for_are_looked_at(street: World) -> None:
    table = Identifier(street.schema("sales"), "products")
    street.admin.execute(SQL("DELETE FROM {} WHERE business_id = 23").format(table))
    assert verify(street.source, REGISTRY["sales"], [SHOP]).equal
    found = verify(street.source, REGISTRY["sales"], [OTHER])
    assert (found.differing, found.businesses) == (9, 1)


def test_verification_ignores_events_not_yet_projected(street: World) -> None:
    street.append(SHOP, products("Late", first=90))
    assert verify(street.source, REGISTRY["sales"]).equal


def test_a_parked_business_is_compared_as_it_was_before(street: World) -> None:
    poison = POISONS["a sale of nothing"]
    write(street, poison)
    street.project("sales")
    assert street.parked("sales")
    assert verify(street.source, REGISTRY["sales"]).equal


def test_verifying_goes_on_beside_live_writes(street: World) -> None:
    stopped = threading.Event()

    def sell() -> None:
        tx = 10_000
        while not stopped.is_set():
            street.append(SHOP, batch(SHOP, [sale(tx), sale(tx + 1)]))
            tx += 2

    seller = threading.Thread(target=sell)
    applier, conn = street.applier("sales"), street.conn
    seller.start()
    try:
        positions = applier.positions(range(16))
        for _ in range(5):
            wait_until(partial(_beyond, street, min(positions.values())))
            positions = applier.apply(applier.reader.after(conn, min(positions.values()), limit=3), positions)
            assert verify(street.source, REGISTRY["sales"]).equal
    finally:
        stopped.set()
        seller.join(30)


def _beyond(world: World, position: int) -> bool:
    return world.store.head() > position
