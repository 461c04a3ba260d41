"""Work that can wait gives way to everything else on this machine, as far as the system lets it.

Linux weighs sessions against each other before it weighs the processes in them (sched(7), "The autogroup feature"), and
every process of a PostgreSQL server is a session of its own: there nice values alone change nothing between them.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

# A thirtieth of the weight of others: they are let through at once, and locks held meanwhile are still let go soon.
NICENESS = 15
# Set by tests of other things, which run beside each other: what gives way to all of them would hardly get on.
OFF = "SMARTMARKET_TESTS_WITHOUT_LOW_PRIORITY"
_HERE = ("127.0.0.1", "::1", "localhost")
_LOOK_SECONDS, _FIRST_LOOK_SECONDS, _ROOM_SECONDS = 0.1, 0.03, 1.0
# Of a core, over the last half second: the connections of an idle house take 0.004 to look whether there is anything
# for them, one reader who comes back every hundredth of a second 0.03.
_AT_WORK, _WEIGHT_OF_NOW = 0.015, 0.2

# Returns the server's processes for others.
SELECT_CLIENTS = """SELECT pid FROM pg_stat_activity
    WHERE usesysid IS NOT NULL AND datid IS NOT NULL AND pid <> ALL(%s)"""


def give_way() -> None:
    """Lower the priority of this process and of what it starts; it leaves the session of whoever started it."""
    with suppress(OSError):
        os.setsid()
    _lower(os.getpid())


def server_gives_way(conn: "Connection[Any]") -> None:
    """Lower the priority of the server's process for a connection, if it runs on this machine, until it is closed."""
    if _runs_here(conn):
        _lower(conn.info.backend_pid)


@contextmanager
def leaving_room(connect: "Callable[[], Connection[Any]]", own: "Connection[Any]") -> Iterator[None]:
    """Keep one core of this machine free meanwhile of all that gives way, whenever others are asking the server.

    A process that runs is let finish its slice before another one of whatever weight gets the core: some milliseconds,
    where whoever asks is used to one. `own`, `connect`: the caller's connection to the server, and a way to another.
    """
    room = _Room({own.info.backend_pid}) if _runs_here(own) and hasattr(os, "sched_setaffinity") else None
    if room is None or len(room.cores) == 1 or OFF in os.environ:
        yield
        return
    with closing(connect()) as conn:
        room.look(conn)
        enough = threading.Event()
        enough.wait(_FIRST_LOOK_SECONDS)
        room.look(conn)
        watching = threading.Thread(target=room.watch, args=(conn, enough), name="leaving-room", daemon=True)
        watching.start()
        try:
            yield
        finally:
            enough.set()
            watching.join()
            os.sched_setaffinity(room.thread, room.cores)


class _Room:
    """Which cores are for those who give way, the thread that began it and whatever it starts among them."""

    def __init__(self, own: set[int]) -> None:
        self.cores: set[int] = os.sched_getaffinity(0)
        self.thread = threading.get_native_id()
        self._allowed: dict[int, set[int]] = {}
        self._own = own
        self._spent: dict[int, int] = {}
        self._looked = time.monotonic()
        self._share: float | None = None
        self._until = 0.0

    def watch(self, conn: "Connection[Any]", enough: threading.Event) -> None:
        with suppress(Exception):  # a connection that broke: whoever does the work has one too, and tells
            while not enough.wait(_LOOK_SECONDS):
                self.look(conn)

    def look(self, conn: "Connection[Any]") -> None:
        """Look who has worked since the last time, and make or take back the room."""
        rows = conn.execute(SELECT_CLIENTS, ([*self._own, conn.info.backend_pid],)).fetchall()
        clients = {pid: _niceness(pid) for (pid,) in rows if _is_servers(pid)}
        children = {pid: _niceness(pid) for pid in _children()}
        spent = {pid: _nanoseconds(pid) for pid, niceness in clients.items() if niceness < NICENESS}
        now = time.monotonic()
        if self._spent:
            worked = sum(n - self._spent.get(pid, n) for pid, n in spent.items()) / 1e9 / (now - self._looked)
            before = worked if self._share is None else self._share
            self._share = before + _WEIGHT_OF_NOW * (worked - before)
            self._until = now + _ROOM_SECONDS if self._share > _AT_WORK else self._until
        self._spent, self._looked = spent, now
        free = {min(self.cores)} if now < self._until else set()
        for pid in (self.thread, *(p for p, niceness in {**clients, **children}.items() if niceness >= NICENESS)):
            with suppress(OSError):
                allowed = self._allowed.setdefault(pid, os.sched_getaffinity(pid))
                os.sched_setaffinity(pid, allowed - free or allowed)


def _runs_here(conn: "Connection[Any]") -> bool:
    return (conn.info.host in _HERE or conn.info.host.startswith("/")) and _is_servers(conn.info.backend_pid)


def _is_servers(process: int) -> bool:
    with suppress(OSError):  # in a container, say, the server counts its processes otherwise
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").startswith("postgres")
    return False


def _children() -> list[int]:
    """Return this process's children, without waiting for any of them: that is for whoever started them."""
    with suppress(OSError):
        tasks = Path("/proc/self/task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text(encoding="ascii").split()]
    return []


def _niceness(process: int) -> int:
    with suppress(OSError):
        return os.getpriority(os.PRIO_PROCESS, process)
    return 0


def _nanoseconds(process: int) -> int:
    """Return how long a process has run."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0])
    return 0


def _lower(process: int) -> None:
    if OFF in os.environ:
        return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process, NICENESS)
    with suppress(OSError):
        Path(f"/proc/{process}/autogroup").write_text(str(NICENESS), encoding="ascii")
