"""Reading one shop's history takes as long among many events that are of no shop as among few."""

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Composed, Literal

from projections.operations.explain import SELECT_MOMENTS
from projections.operations.verify import SELECT_POSITIONS
from shared.domain.events.identity import LoginsRefused
from shared.domain.events.sales import SaleRecorded
from shared.eventstore.reader import LogReader
from shared.eventstore.system_events import GLOBAL_TOPICS
from tests.support.log_facts import connected, nodes

EVENTS, LIMIT = 20_000, 100
# Inserts events: of each hundred one is a sale of the shop, one opens a day, the others are refused logins.
FILL = """INSERT INTO log.events SELECT n, CASE n %% 100 WHEN 0 THEN 'days' ELSE 'stream-' || n END, n,
    CASE n %% 100 WHEN 0 THEN 'clock.DayOpened' WHEN 50 THEN %s ELSE %s END, '{}',
    CASE n %% 100 WHEN 50 THEN 7 END, now(), '{"actor": "scheduler"}', '' FROM generate_series(1, %s) AS n"""
PREPARE = "PREPARE history (bigint, text[], bigint, bigint, bigint) AS {}"
EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE history (7, {}, {}, {}, {})"
PLACES = {"business": "$1", "topics": "$2", "after": "$3", "upto": "$4", "limit": "$5"}
FOLDED = [SaleRecorded.topic]
MODES = ("force_generic_plan", "force_custom_plan")


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A long log, as the database's statistics have it."""
    with connected(database_url) as conn:
        conn.execute(FILL, (SaleRecorded.topic, LoginsRefused.topic, EVENTS))
        conn.execute("ANALYZE log.events")
        yield conn


def plan(owner: psycopg.Connection[Any], statement: LiteralString, topics: list[str], after: int) -> dict[str, Any]:
    """Return how a prepared statement went about it."""
    owner.execute(SQL(PREPARE).format(SQL(statement)))
    values = (topics, after, EVENTS, LIMIT)
    ((((explained,),)),) = owner.execute(SQL(EXPLAIN).format(*map(Literal, values))).fetchall()
    owner.execute("DEALLOCATE history")
    found: dict[str, Any] = explained["Plan"]
    return found


def looked_at(plan: dict[str, Any]) -> int:
    """Return how many rows were taken up or passed over."""
    leaves = [node for node in nodes(plan) if "Plans" not in node]
    return sum((n["Actual Rows"] + n.get("Rows Removed by Filter", 0)) * n["Actual Loops"] for n in leaves)


def blocks(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("topics", "parts"), [(FOLDED, 1), ([*FOLDED, *GLOBAL_TOPICS], 2)])
def test_a_chunk_of_a_history_looks_at_no_event_in_vain(
    owner: psycopg.Connection[Any], topics: list[str], parts: int, mode: str
) -> None:
    owner.execute("SELECT set_config('plan_cache_mode', %s, false)", (mode,))
    for after in (0, EVENTS // 2):
        found = plan(owner, LogReader(topics)._history.decode() % PLACES, topics, after)
        assert looked_at(found) <= parts * LIMIT, found
        assert blocks(found) <= parts * (LIMIT + 10), found


@pytest.mark.parametrize(
    ("statement", "of", "most"),
    [
        (SELECT_MOMENTS, {"business": 7, "after": FOLDED, "upto": EVENTS, "most": LIMIT}, 2 * LIMIT),
        (SELECT_POSITIONS, {"business": 7, "topics": FOLDED, "upto": EVENTS}, EVENTS // 50),
    ],
)
def test_the_moments_of_a_history_are_found_without_the_others(
    owner: psycopg.Connection[Any], statement: Composed, of: dict[str, Any], most: int
) -> None:
    ((((explained,),)),) = owner.execute(SQL("EXPLAIN (ANALYZE, FORMAT JSON) ") + statement, of).fetchall()
    assert looked_at(explained["Plan"]) <= most
