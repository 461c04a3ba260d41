"""Rebuilds that stop in the middle, and checksums of what they may not touch."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.sql import SQL, Identifier

from projections.engine.replayer import Progress
from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from tests.support.shop_events import busy_shop
from tests.support.world import World

SALES = REGISTRY["sales"]
# Returns every table that a rebuild has nothing to write into.
SELECT_FOREIGN = """SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname IN ('log', 'vault', 'credentials', 'files', 'jobs') OR schemaname ~ '_g[0-9]+$' ORDER BY 1, 2"""
FINGERPRINT = "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t"


def street(world: World, shops: int = 5, batches: int = 3) -> None:
    """Give several shops a history."""
    for shop in range(1, shops + 1):
        world.append(shop, *busy_shop(shop, batches))


def fingerprints(world: World, schema: str | None = None) -> dict[tuple[str, str], Any]:
    """Return address -> count and checksum of a schema's tables, or of all that a rebuild may not touch."""
    found = {}
    for owner, table in world.admin.execute(SELECT_FOREIGN).fetchall():
        if schema in {None, owner}:
            statement = SQL(FINGERPRINT).format(Identifier(owner, table))
            found["" if schema else owner, table] = world.admin.execute(statement).fetchone()
    return found


def states(world: World, name: str = "sales") -> list[tuple[str, str]]:
    """Return schema and state of every generation, the oldest first."""
    rows = world.admin.execute(
        "SELECT schema, state FROM projections.generations WHERE projection = %s ORDER BY id", (name,)
    )
    return rows.fetchall()


class Interrupted(Exception):
    """The rebuild was broken off by its caller."""


def interrupt(at: str) -> Any:  # noqa: ANN401 - a report for `rebuild`
    def report(progress: Progress) -> None:
        if progress.state == at:
            raise Interrupted

    return report


@contextmanager
def a_rebuild_under_way(world: World) -> Iterator[threading.Event]:
    """Rebuild `sales` in a thread that stops before it catches up, until the event is set; it has ended afterwards."""
    there, go_on = threading.Event(), threading.Event()

    def report(progress: Progress) -> None:
        if progress.state == "catching_up":
            there.set()
            assert go_on.wait(30)

    thread = threading.Thread(target=lambda: rebuild(world.source, SALES, workers=0, report=report))
    thread.start()
    try:
        assert there.wait(30)
        yield go_on
    finally:
        go_on.set()
        thread.join(30)


# Returns how many sessions of this database wait for a lock.
WAITING = """SELECT count(*) FROM pg_locks WHERE NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
