"""Lag: how far customers, stock and cash are behind the log while a large ledger is imported."""

import threading
import time
from bisect import bisect_left
from typing import Any, cast

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from bench.figures import Figure, Target, percentile
from bench.processes import Processes
from bench.shops import Shop
from bench.stage import Stage
from projections.engine import generations
from projections.engine.follower import connect
from shared.postgres.database import PROJECTOR, SHARDS
from shared.runtime.container import Container

_PROJECTIONS = ("customers", "inventory", "cashflow")
_LOOK_SECONDS = 0.01
_TARGET = Target(at_most=500)

# Returns the position of the newest event.
SELECT_HEAD = "SELECT coalesce(max(notification_id), 0) FROM log.events"


class _Watch(threading.Thread):
    """Looks again and again how far the log and each projection are."""

    def __init__(self, container: Container, business_id: int) -> None:
        super().__init__(daemon=True)
        self.looks: list[tuple[float, dict[str, int]]] = []
        self._house = container
        self._shard = business_id % SHARDS
        self._ended = threading.Event()

    def run(self) -> None:
        """Look every hundredth of a second."""
        with connect(self._house.url, role=self._house.role(PROJECTOR)) as conn:
            while not self._ended.wait(_LOOK_SECONDS):
                with conn.transaction():
                    found = {name: self._reached(conn, name) for name in _PROJECTIONS}
                    head = conn.execute(SELECT_HEAD).fetchone()
                self.looks.append((time.perf_counter(), found | {"log": cast("tuple[int]", head)[0]}))

    def stop(self) -> None:
        """End, once the projections have been seen at the head."""
        self._ended.set()
        self.join()

    def lags_ms(self, name: str) -> list[float]:
        """Return for each event the milliseconds from its being seen in the log to its being seen in a projection."""
        times = [at for at, _ in self.looks]
        heads = [found["log"] for _, found in self.looks]
        reached = [found[name] for _, found in self.looks]
        events = range(heads[0] + 1, reached[-1] + 1)
        return [1000 * (times[bisect_left(reached, p)] - times[bisect_left(heads, p)]) for p in events]

    def _reached(self, conn: Connection[Any], name: str) -> int:
        serving = cast("tuple[int, str, int]", generations.live(conn, name))
        statement = SQL("SELECT position FROM {} WHERE shard = %s").format(Identifier(serving[1], "progress"))
        return cast("tuple[int]", conn.execute(statement, (self._shard,)).fetchone())[0]


def measure(stage: Stage) -> list[Figure]:
    """Import 100,000 rows into a new shop, several times over, and watch."""
    rows, rounds = stage.size(100_000, 3_000), stage.size(3, 1)
    content = stage.ledgers.csv(rows)
    lags: dict[str, list[list[float]]] = {name: [] for name in _PROJECTIONS}
    with stage.container() as container, Processes(container, stage.folder) as running:
        Shop.import_once(running.url, stage.ledgers.csv(100))
        for _ in range(rounds):
            with Shop(running.url) as shop:
                watch = _Watch(container, shop.business_id)
                watch.start()
                shop.import_file(content)
                watch.stop()
            for name, found in lags.items():
                found.append(watch.lags_ms(name))
    return [
        Figure(
            measure="lag",
            what=f"{name} behind the log while {rows:,} rows are imported, p99",
            unit="ms",
            values=[percentile(values, 99) for values in found],
            target=_TARGET,
            beside=f"p50 {percentile([ms for values in found for ms in values], 50):.0f}",
        )
        for name, found in lags.items()
    ]
