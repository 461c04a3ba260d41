"""How many of a large shop's rows are read to recompute its stock after one sale."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from projections.engine.deltas import Table
from projections.inventory.derivation import BLOCK_DAYS, ENTRIES, FLOW, NARROW
from projections.inventory.projector import INVENTORY
from tests.support.world import World

SHOP, OTHER = 7, 70
WINDOW = 75
# The sales from the beginning of the block in which the window of demand begins.
RECENT = 50_004 - 4 * ((50_003 // 4 - WINDOW + 1) // BLOCK_DAYS * BLOCK_DAYS)
# Per shop 50,000 sales by hand, one every six hours, of which `RECENT` are within the window of demand; of each
# hundredth only the void is known, as of a ledger's sale.
FILL_ENTRIES = """INSERT INTO stock_entries
    (business_id, entry, product_id, at, recorded, told_at, sold, moved, received)
    SELECT shop, n, mod(n, 100), CASE WHEN mod(n, 100) <> 50 THEN n * 21600 END, 0,
        CASE WHEN mod(n, 100) = 50 THEN n * 21600 END, CASE WHEN mod(n, 100) = 50 THEN -1000 ELSE 1000 END, 0, 0
    FROM generate_series(4, 50003) AS n, unnest(%s::bigint[]) AS shop"""
# Per shop what ledgers said of years ago.
FILL_FLOW = """INSERT INTO stock_flow (business_id, day, product_id, second, sold, moved, received)
    SELECT shop, n / 4, mod(n, 100), 0, 1000, 0, 0 FROM generate_series(4, 8003) AS n, unnest(%s::bigint[]) AS shop"""
# A count of every product, within the window.
FILL_COUNTS = """INSERT INTO stock_counts (business_id, product_id, at, recorded, counts, quantity)
    SELECT shop, n, (50003 - 100) * 21600, 1, 1, 1000 FROM generate_series(0, 99) AS n, unnest(%s::bigint[]) AS shop"""
LOST = ("Rows Removed by Filter", "Rows Removed by Index Recheck")


@pytest.fixture
def large(world: World) -> Iterator[World]:
    """Two shops with many rows, which leave neither rows nor statistics behind."""
    schema = world.schema("inventory")
    with world.conn.transaction(force_rollback=True):
        world.conn.execute(SQL("SET LOCAL search_path = {}").format(Identifier(schema)))
        for statement in (FILL_ENTRIES, FILL_FLOW, FILL_COUNTS):
            world.conn.execute(statement, ([SHOP, OTHER],))
        yield world
    for table in (ENTRIES, FLOW):
        world.conn.execute(SQL("VACUUM {}").format(Identifier(schema, table.name)))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def carried_out(world: World, table: Table) -> dict[str, Any]:
    """Return the plan by which a shop's rows of a table are read, as it went."""
    schema = world.schema("inventory")
    query = SQL("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM {} WHERE business_id = %(business)s AND ({})").format(
        Identifier(schema, table.name), SQL(NARROW[table.name].replace("{schema}", schema))
    )
    parameters = {"business": SHOP, "stock.window_days": WINDOW}
    (((explained,),),) = world.conn.execute(query, parameters).fetchall()
    plan: dict[str, Any] = explained["Plan"]
    return plan


def entries_read(plan: dict[str, Any]) -> int:
    """Return how many entries were looked at, whether kept or not, in all parts of a plan."""
    scans = [node for node in nodes(plan) if node.get("Relation Name") == ENTRIES.name]
    return sum(round((n["Actual Rows"] + sum(n.get(name, 0) for name in LOST)) * n["Actual Loops"]) for n in scans)


@pytest.mark.parametrize("statistics", ["none", "older than the index", "all"])
def test_of_many_entries_the_recent_alone_are_read(large: World, statistics: str) -> None:
    if statistics == "older than the index":  # as in a generation that was just rebuilt
        large.conn.execute("DROP INDEX IF EXISTS stock_entries_by_time")
    if statistics != "none":
        large.conn.execute("ANALYZE stock_entries, stock_flow, stock_counts")
    for statement in INVENTORY.schema().indexes:
        large.conn.execute(statement.encode())
    of_entries, of_flow = carried_out(large, ENTRIES), carried_out(large, FLOW)
    assert of_entries["Actual Rows"] == RECENT
    assert entries_read(of_entries) <= RECENT + 10
    assert entries_read(of_flow) <= 10
