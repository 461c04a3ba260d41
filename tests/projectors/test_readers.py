import asyncio
from dataclasses import dataclass, field

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from projections import generations
from projections.rebuild import rebuild
from projections.registry import REGISTRY
from projections.runner import connect
from shared.database import PROJECTOR, READER, reader_pool, reading
from tests.conftest import wait_until
from tests.projectors.processes import following
from tests.projectors.test_followers import appending, caught_up
from tests.projectors.test_rebuilds import street
from tests.projectors.world import World, differences

SWAPS = 31
READERS = 3
# Both return how many sales there are, what they brought, and of which generation the table is.
COUNTED = """SELECT count(*), sum(paisa)::bigint, (SELECT relnamespace FROM pg_class WHERE oid = min(t.tableoid))
    FROM transactions t WHERE business_id = %s"""
ADDED_UP = """SELECT sales, paisa, (SELECT relnamespace FROM pg_class WHERE oid = t.tableoid)
    FROM sales_totals t WHERE business_id = %s"""
# The same of another projection, whose generations are swapped as well.
OF_THE_PROFILE = """SELECT transactions, paisa, (SELECT relnamespace FROM pg_class WHERE oid = t.tableoid)
    FROM profile_stats t WHERE business_id = %s"""


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
    while not enough.is_set():
        async with reading(pool, business) as conn:
            counted = await (await conn.execute(COUNTED, (business,))).fetchone()
            added_up = await (await conn.execute(ADDED_UP, (business,))).fetchone()
            profile = await (await conn.execute(OF_THE_PROFILE, (business,))).fetchone()
        assert counted is not None
        assert profile is not None
        seen.transactions += 1
        seen.generations |= {counted[2], profile[2]}
        if counted != added_up or not counted[0] or not profile[0]:
            seen.mixed.append((counted, added_up, profile))


def swap(world: World) -> None:
    """Rebuild projections in turn, dropping what has not served for a while."""
    with connect(world.url, role=PROJECTOR) as conn:
        for turn in range(SWAPS):
            rebuild(world.source, REGISTRY[("sales", "sales", "identity")[turn % 3]], workers=1)
            generations.drop_retired(conn, after_seconds=1.0)


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


def test_readers_meet_no_error_and_no_mixture_while_generations_are_swapped_and_dropped(world: World) -> None:
    street(world, shops=5)
    world.project()
    with following(world.source, REGISTRY["sales"], REGISTRY["identity"]):
        with appending(world, first_tx=1001, pause=0.05):
            seen = asyncio.run(read_while_swapping(world))
        wait_until(lambda: caught_up(world))
    assert seen.mixed == []
    assert seen.transactions > 10 * SWAPS
    assert len(seen.generations) > SWAPS // 2
    dropped = world.admin.execute("SELECT count(*) FROM projections.generations WHERE state = 'dropped'").fetchone()
    assert dropped is not None
    assert dropped[0] > SWAPS // 3
    assert differences(world.rows("sales"), world.expected("sales")) == {}
