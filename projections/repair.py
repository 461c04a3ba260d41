"""Repair: one business's rows of a projection made anew, within the generation that serves."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections import generations
from projections.account import Account
from projections.aside import Aside, Wish, aside, served, shown
from projections.deriving import OF_ALL
from projections.projection import Projection
from projections.rebuild import Rebuilt
from projections.replay import Progress, Source
from shared.log_reader import LogReader

_ATTEMPTS = 4


def repair(
    source: Source, projection: Projection, business: int, report: Callable[[Progress], None] = lambda _: None,
    asked: int | None = None,
) -> Rebuilt:  # fmt: skip
    """Replay one business aside and put its rows in the place of those that serve, in one transaction.

    The replay holds no lock; where the business goes on meanwhile, it is replayed again, the last time under the lock.
    Raises Outdated where what serves is another version's.
    """
    began = time.monotonic()
    wish = Wish("repair", business, asked=asked)
    with closing(source.connect()) as conn, aside(conn, source, projection, wish) as made:
        rows = None
        for _ in range(_ATTEMPTS):
            made.replay({business: shown(conn, served(conn, projection), business)})
            rows = _exchange(conn, made, business, anew=False)
            if rows is not None:
                break
        if rows is None:
            rows = _exchange(conn, made, business, anew=True)
        events, seconds = made.worker.folded.value, time.monotonic() - began
        account = Account(conn, made.generation, report)
        account.tell(Progress("replaying", 1, 1, events, seconds))
        account.conclude("completed", {"businesses": 1, "rows": rows, "events": events, "seconds": round(seconds, 3)})
        return Rebuilt(projection.name, served(conn, projection), 1, rows or 0, events, seconds, seconds)


def _exchange(conn: Connection[Any], made: Aside, business: int, *, anew: bool) -> int | None:
    """Put the rows in place; returns how many they are, None if the business has gone on since they were made."""
    with conn.transaction():
        conn.execute(generations.LOCK_PROJECTION, (made.projection.name,))
        live = served(conn, made.projection)
        now = shown(conn, live, business)
        if anew:
            made.replay({business: now})
        reader = LogReader([*made.projection.topics, *OF_ALL])
        if reader.of_business(conn, business, made.worker.upto, limit=1, upto=now):
            return None
        rows = 0
        for table in made.projection.tables:
            here, there = Identifier(live, table.name), Identifier(made.schema, table.name)
            conn.execute(SQL("DELETE FROM {} WHERE business_id = %s").format(here), (business,))
            rows += conn.execute(SQL("INSERT INTO {} SELECT * FROM {}").format(here, there)).rowcount
        return rows
