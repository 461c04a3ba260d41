"""Heartbeat of a process: a row that says, every few seconds, that it is alive."""

import datetime as dt
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from shared.runtime.loop import Loop

BEAT_SECONDS = 10.0

# Records that a process is alive now, and what its own clock says.
BEAT = """INSERT INTO jobs.processes (name, kind, seen_at, clock_ahead)
    VALUES (%(name)s, %(kind)s, now(), extract(epoch FROM %(clock)s - log.clock()))
    ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, clock_ahead = excluded.clock_ahead"""


def process_name(kind: str) -> str:
    """Return the unique name of this process: its kind, host and process id."""
    return f"{kind}@{socket.gethostname()}:{os.getpid()}"


def beat(conn: Connection[Any], name: str, kind: str) -> None:
    """Record that the process of this name is alive."""
    conn.execute(BEAT, {"name": name, "kind": kind, "clock": dt.datetime.now(dt.UTC)})


class Heartbeat(Loop):
    """Records every `BEAT_SECONDS` that this process is alive."""

    retry_seconds = BEAT_SECONDS

    def __init__(self, connect: Callable[[], Connection[Any]], kind: str) -> None:
        """Record a process of `kind` over short connections from `connect`."""
        super().__init__("heartbeat")
        self._connect = connect
        self._kind = kind

    def step(self) -> None:
        """Record one beat."""
        with self._connect() as conn:
            beat(conn, process_name(self._kind), self._kind)
        self.wait(BEAT_SECONDS)


@contextmanager
def heartbeat(connect: Callable[[], Connection[Any]], kind: str) -> Iterator[None]:
    """Record a process of `kind` as alive while the block runs."""
    thread = Heartbeat(connect, kind)
    thread.start()
    try:
        yield
    finally:
        thread.stop()
