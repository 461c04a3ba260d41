import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas
from projections.engine.follower import connect
from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from shared.postgres.database import FIRST_STATEMENT, PROJECTOR, READER
from tests.support.shop_events import batch, busy_shop, everything_else, products, sale
from tests.support.world import World, differences

SHOP, OTHER = 7, 23
TABLES = [(name, table) for name, projection in REGISTRY.items() for table in projection.tables]
# Returns the columns of each index of a table, the primary key's first.
SELECT_INDEXES = """SELECT indisprimary, ARRAY(
        SELECT attname::text FROM unnest(indkey::int2[]) WITH ORDINALITY AS k(n, i)
        JOIN pg_attribute ON attrelid = indrelid AND attnum = k.n ORDER BY k.i)
    FROM pg_index WHERE indrelid = %s::regclass ORDER BY indisprimary DESC"""
SELECT_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE (table_schema, table_name) = (%s, %s)"
# Returns how many generations are in each state.
SELECT_STATES = "SELECT state, count(*) FROM projections.generations WHERE projection = %s GROUP BY state"


@contextmanager
def reader(world: World, business: int | None) -> Iterator[Connection[Any]]:
    """A transaction as the API has it: SELECT-only role, REPEATABLE READ, tenant and generations set first."""
    with psycopg.connect(world.url, options=f"-c role={READER}") as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.execute(FIRST_STATEMENT, ("" if business is None else str(business),))
        yield conn


def states(world: World, name: str = "sales") -> dict[str, int]:
    return dict(world.admin.execute(SELECT_STATES, (name,)).fetchall())


def schemas(world: World) -> set[str]:
    rows = world.admin.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '_g[0-9]+$'").fetchall()
    return {schema for (schema,) in rows}


def busy(world: World) -> None:
    for shop in (SHOP, OTHER):
        world.append(shop, *busy_shop(shop, 2), *everything_else(shop))
    world.project()


def test_every_projection_gets_one_generation_and_keeps_it(world: World) -> None:
    serving = {name: world.schema(name) for name in REGISTRY}
    assert generation_schemas.ensure_live(world.conn, REGISTRY) == []
    assert {name: world.schema(name) for name in REGISTRY} == serving
    assert schemas(world) == set(serving.values())


def test_several_processes_that_start_at_once_make_one_generation_each(world: World) -> None:
    for schema in schemas(world):
        world.admin.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
    world.admin.execute("TRUNCATE projections.live, projections.generations")
    barrier, made = threading.Barrier(6), list[str]()

    def start() -> None:
        with connect(world.url, role=PROJECTOR) as conn:
            barrier.wait()
            made.extend(generation_schemas.ensure_live(conn, REGISTRY))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(made) == sorted(REGISTRY)
    assert schemas(world) == {world.schema(name) for name in REGISTRY}
    assert [states(world, name) for name in REGISTRY] == [{"live": 1}] * len(REGISTRY)


def test_tables_have_one_name_over_all_projections() -> None:
    names = [table.name for _, table in TABLES] + ["progress", "parked", "replayed"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "table"), TABLES, ids=[table.name for _, table in TABLES])
def test_a_table_is_keyed_by_business_first_as_its_projector_says(world: World, name: str, table: Any) -> None:  # noqa: ANN401 - a parameter of the test
    address = f"{world.schema(name)}.{table.name}"
    (primary, key), *others = world.conn.execute(SELECT_INDEXES, (address,)).fetchall()
    assert primary
    assert tuple(key) == table.keys
    first = {columns[0] for _, columns in [(primary, key), *others]}
    assert first - {"next_change_on"} == {"business_id"}  # a new day asks every business at once
    columns = {c for (c,) in world.admin.execute(SELECT_COLUMNS, (world.schema(name), table.name)).fetchall()}
    assert columns == set(table.all_columns)


@pytest.mark.parametrize("rebuilt", [False, True])
def test_readers_see_their_tenant_only_and_nothing_without_one(world: World, *, rebuilt: bool) -> None:
    busy(world)
    for projection in REGISTRY.values():
        if rebuilt:
            rebuild(world.source, projection, workers=0)
        for table in projection.tables:
            query = SQL("SELECT DISTINCT business_id FROM {}").format(Identifier(table.name))
            seen = []
            for tenant in (None, SHOP, OTHER, 99):
                with reader(world, tenant) as conn:
                    seen.append([business for (business,) in conn.execute(query)])
            assert seen == [[], [SHOP], [OTHER], []], table.name


@pytest.mark.parametrize(("name", "table"), TABLES, ids=[table.name for _, table in TABLES])
@pytest.mark.parametrize(
    "statement", ["DELETE FROM {}", "UPDATE {} SET business_id = 1", "INSERT INTO {} DEFAULT VALUES"]
)
def test_readers_can_only_read(world: World, name: str, table: Any, statement: str) -> None:  # noqa: ANN401 - a parameter of the test
    address = Identifier(world.schema(name), table.name)
    with reader(world, SHOP) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(SQL(statement).format(address))


@pytest.mark.parametrize("table", ["parked", "progress", "replayed"])
def test_readers_do_not_see_how_far_other_shops_are(world: World, table: str) -> None:
    for name in REGISTRY:
        with reader(world, SHOP) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(SQL("SELECT * FROM {}").format(Identifier(world.schema(name), table)))


def test_adopting_retires_the_one_that_served(world: World) -> None:
    first = world.schema("sales")
    done = [rebuild(world.source, REGISTRY["sales"], workers=0).schema for _ in range(2)]
    assert world.schema("sales") == done[1]
    assert len({first, *done}) == 3
    assert states(world) == {"live": 1, "retired": 2}
    assert states(world, "identity") == {"live": 1}


def test_an_old_retired_generation_is_dropped_but_not_the_serving_one(world: World) -> None:
    busy(world)
    first = world.schema("sales")
    rebuild(world.source, REGISTRY["sales"], workers=0)
    assert generation_schemas.drop_unused(world.conn) == []
    world.admin.execute("UPDATE projections.generations SET changed_at = changed_at - interval '59 seconds'")
    assert generation_schemas.drop_unused(world.conn) == []
    world.admin.execute("UPDATE projections.generations SET changed_at = changed_at - interval '2 seconds'")
    assert generation_schemas.drop_unused(world.conn) == [first]
    assert generation_schemas.drop_unused(world.conn, after_seconds=0) == []
    assert schemas(world) == {world.schema(name) for name in REGISTRY}
    assert states(world) == {"live": 1, "dropped": 1}
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_generation_in_use_is_dropped_after_its_last_reader(world: World) -> None:
    busy(world)
    first = world.schema("sales")
    with reader(world, SHOP) as conn:
        before = conn.execute("SELECT count(*) FROM transactions").fetchone()
        rebuild(world.source, REGISTRY["sales"], workers=0)
        assert generation_schemas.drop_unused(world.conn, after_seconds=0) == []
        assert states(world) == {"live": 1, "retired": 1}
        assert conn.execute("SELECT count(*) FROM transactions").fetchone() == before == (41,)
        # Tables that the reader has not touched yet are still there too.
        assert conn.execute("SELECT sales FROM sales_totals").fetchone() == (41,)
    assert generation_schemas.drop_unused(world.conn, after_seconds=0) == [first]


def test_one_that_is_in_use_does_not_keep_others_from_being_dropped(world: World) -> None:
    busy(world)
    with reader(world, SHOP) as conn:
        conn.execute("SELECT count(*) FROM transactions")
        idle = rebuild(world.source, REGISTRY["sales"], workers=0).schema
        rebuild(world.source, REGISTRY["sales"], workers=0)
        assert generation_schemas.drop_unused(world.conn, after_seconds=0) == [idle]


def test_operators_see_the_position_of_a_projection(world: World) -> None:
    world.append(SHOP, products("Tea"))
    world.project("sales")
    world.append_broken(SHOP, "sales.ProductsAdded")
    world.append(SHOP, batch(SHOP, [sale(1)]))
    before = world.status("sales")
    world.project("sales")
    after = world.status("sales")
    assert (before["name"], before["position"], before["lag"], before["parked"], before["state"]) == (
        "sales",
        1,
        2,
        0,
        "live",
    )
    assert (after["position"], after["lag"], after["parked"]) == (3, 0, 1)
    assert (after["generation"], after["projector_version"]) == (world.schema("sales"), REGISTRY["sales"].version)
