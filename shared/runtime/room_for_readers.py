"""Keeps one core free of a rebuild's processes while requests read, where the database runs on this machine.

Low priority alone is not enough: the kernel lets a running process finish its time slice before a process of higher
priority gets the core, a few milliseconds where a query takes one.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from psycopg import Connection

from shared.postgres.database import READER_NAME
from shared.runtime.loop import Loop
from shared.runtime.low_priority import is_low, runs_on_this_machine

_LOOK_SECONDS = 0.1

# Selects the sessions of the database, and whether each has read for a request in the last second.
SELECT_SESSIONS = "SELECT pid, active FROM projections.sessions(%s)"


@contextmanager
def room_for_readers(connect: Callable[[], Connection[Any]]) -> Iterator[None]:
    """While the block runs, leave one core to requests as long as they read; otherwise low-priority work has all."""
    room = _Room(connect)
    room.start()
    try:
        yield
    finally:
        room.stop()
        room.join()


class _Room(Loop):
    """Looks ten times a second whether requests read, and sets the cores of this process's low-priority work."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        super().__init__("room for readers")
        self._connect = connect
        self._cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()

    def step(self) -> None:
        with self._connect() as conn:
            if len(self._cores) <= 1 or not runs_on_this_machine(conn):
                self.stop()
            while not self.stopping:
                self._look(conn)
                self.wait(_LOOK_SECONDS)

    def _look(self, conn: Connection[Any]) -> None:
        sessions = conn.execute(SELECT_SESSIONS, (READER_NAME,)).fetchall()
        reserved = {min(self._cores)} if any(reads for _, reads in sessions) else set()
        for process in (*_children(), *(pid for pid, _ in sessions)):
            if is_low(process):
                with suppress(OSError):  # it has ended
                    os.sched_setaffinity(process, self._cores - reserved)


def _children() -> list[int]:
    """Return the child processes of this process, without reaping any."""
    with suppress(OSError):
        tasks = Path("/proc/self/task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text(encoding="ascii").split()]
    return []
