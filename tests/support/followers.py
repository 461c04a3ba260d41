"""Projectors at work in threads or processes, and what they wait for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.sql import SQL, Identifier

from projections.engine.follower import connect
from shared.postgres.database import PROJECTOR
from tests.support.shop_events import busy_street
from tests.support.waiting import wait_until
from tests.support.world import World

# Returns the projectors' connections other than one.
SELECT_PROJECTORS = """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'smartmarket-projector' AND pid <> %s"""


def projectors(world: World) -> set[int]:
    """Return the connections of the processes that write, without the test's own."""
    return {pid for (pid,) in world.admin.execute(SELECT_PROJECTORS, (world.conn.info.backend_pid,)).fetchall()}


def caught_up(world: World, name: str = "sales") -> bool:
    return set(world.progress(name).values()) == {world.store.head()}


@contextmanager
def appending(world: World, first_tx: int = 1, pause: float = 0.005) -> Iterator[None]:
    """Append what shops sell, one command after the other in a thread, for as long as this lasts."""
    enough = threading.Event()

    def sell() -> None:
        for fact in busy_street(18, first_tx):
            world.append_command(*fact)
            if enough.wait(pause):
                return

    thread = threading.Thread(target=sell)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join(30)


@contextmanager
def a_stuck_batch(world: World, processes: int = 1) -> Iterator[None]:
    """Lock a table of the serving generation until `processes` followers wait for it, each within a batch."""
    with connect(world.url, role=PROJECTOR) as conn, conn.transaction():
        table = Identifier(world.schema("sales"), "sales_totals")
        conn.execute("SET LOCAL lock_timeout = 0")
        conn.execute(SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(table))
        wait_until(lambda: len(world.waiting("%sales_totals%")) == processes)
        yield
