"""Records how far every read model is behind the log, every ten seconds, and keeps an hour of it.

These are measurements for operators: no read model depends on them, and no replay has them.
"""

from typing import Any

from psycopg import Connection

from projections.engine.replayer import Source
from shared.runtime.loop import Loop

_EVERY_SECONDS = 10.0
# Inserts a sample of each projection, unless another process has.
RECORD = """INSERT INTO projections.lags (projection, at, position, lag, lag_seconds)
    SELECT name, date_bin('10 seconds', clock_timestamp(), 'epoch'), position, lag, lag_seconds
    FROM projections.standing() ON CONFLICT DO NOTHING"""
# Deletes the samples of more than an hour ago.
FORGET = "DELETE FROM projections.lags WHERE at < clock_timestamp() - interval '1 hour'"


class LagRecorder(Loop):
    """Records until stopped; any number of processes may."""

    def __init__(self, source: Source) -> None:
        """Write to the database of `source`."""
        super().__init__("lag-recorder")
        self._source = source

    def step(self) -> None:
        """Record over one connection until stopped or the connection breaks."""
        with self._source.connect() as conn:
            while not self.stopping:
                record(conn)
                self.wait(_EVERY_SECONDS)


def record(conn: Connection[Any]) -> None:
    """Record how far every projection is behind now."""
    conn.execute(RECORD)
    conn.execute(FORGET)
