import asyncio
import os
from dataclasses import dataclass, field

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from projections.engine import generation_schemas
from projections.engine.follower import connect
from projections.operations.rebuild import rebuild, roll_back
from projections.registry import REGISTRY
from shared.postgres.database import PROJECTOR, READER, reader_pool, reading
from tests.support.followers import appending, caught_up
from tests.support.projector_processes import following
from tests.support.rebuilds import street
from tests.support.waiting import wait_until
from tests.support.world import World, differences

# The nightly run does three times as many of both.
SWAPS = int(os.environ.get("SMARTMARKET_FAULT_SWAPS", "18"))
TRANSACTIONS = 100 * SWAPS
READERS = 4
# All return how many sales there are, what is shown beside it, and of which generation the table is; two of one
# projection, two of another.
OF_DAYS = """SELECT sum(sales)::bigint, (SELECT relnamespace FROM pg_class WHERE oid = min(t.tableoid))
    FROM profile_days t WHERE business_id = %s"""
OF_THE_PROFILE = """SELECT transactions, (SELECT relnamespace FROM pg_class WHERE oid = t.tableoid)
    FROM profile_stats t WHERE business_id = %s"""
COUNTED = """SELECT count(*), (SELECT relnamespace FROM pg_class WHERE oid = min(t.tableoid))
    FROM transactions t WHERE business_id = %s"""
ADDED_UP = """SELECT sales, (SELECT relnamespace FROM pg_class WHERE oid = t.tableoid)
    FROM sales_totals t WHERE business_id = %s"""
_PAIRS = ((OF_DAYS, OF_THE_PROFILE), (OF_DAYS, OF_THE_PROFILE), (COUNTED, ADDED_UP))


@dataclass
class Seen:
    """What readers met while generations were swapped."""

    transactions: int = 0
    mixed: list[object] = field(default_factory=list)
    generations: set[int] = field(default_factory=set)


async def read(
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]], business: int, seen: Seen, enough: asyncio.Event
) -> None:
    """Read one shop's sales twice over in each transaction; anything the database refuses ends the test."""
    while not enough.is_set() or seen.transactions < TRANSACTIONS:
        one, other = _PAIRS[seen.transactions % len(_PAIRS)]
        async with reading(pool, business) as conn:
            first = await (await conn.execute(one, (business,))).fetchone()
            second = await (await conn.execute(other, (business,))).fetchone()
        assert first is not None
        seen.transactions += 1
        seen.generations.add(first[1])
        if first != second or not first[0]:
            seen.mixed.append((first, second))


def swap(world: World) -> None:
    """Rebuild projections in turn, go back and forth once, and drop what serves no longer as soon as it may be."""
    with connect(world.url, role=PROJECTOR) as conn:
        for turn in range(SWAPS // 3):
            projection = REGISTRY["sales" if turn % 6 == 0 else "identity"]
            rebuild(world.source, projection, workers=0)
            roll_back(world.source, projection)
            roll_back(world.source, projection)
            wait_until(lambda: bool(generation_schemas.drop_unused(conn, after_seconds=0.2)))


async def read_while_swapping(world: World) -> Seen:
    seen, enough = Seen(), asyncio.Event()
    async with reader_pool(world.url, role=READER) as pool:
        readers = [asyncio.create_task(read(pool, 1 + n % 2, seen, enough)) for n in range(READERS)]
        try:
            await asyncio.to_thread(swap, world)
        finally:
            enough.set()
            await asyncio.gather(*readers)
    return seen


def test_readers_see_no_error_or_mixture_while_generations_swap(world: World) -> None:
    street(world, shops=5)
    world.project()
    with following(world.source, REGISTRY["sales"], REGISTRY["identity"]):
        with appending(world, first_tx=1001, pause=0.1):
            seen = asyncio.run(read_while_swapping(world))
        wait_until(lambda: caught_up(world))
    assert seen.mixed == []
    assert seen.transactions >= TRANSACTIONS
    assert len(seen.generations) > SWAPS // 6
    dropped = world.admin.execute("SELECT count(*) FROM projections.generations WHERE state = 'dropped'").fetchone()
    assert dropped is not None
    assert dropped[0] >= SWAPS // 3
    assert differences(world.rows("sales"), world.expected("sales")) == {}
