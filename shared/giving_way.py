"""Work that can wait gives way to everything else on this machine, as far as the system lets it.

Linux weighs sessions against each other before it weighs the processes in them (sched(7), "The autogroup feature"), and
every process of a PostgreSQL server is a session of its own: there nice values alone change nothing between them.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection

# A thirtieth of the weight of others: they are let through at once, and locks held meanwhile are still let go soon.
NICENESS = 15
_HERE = ("127.0.0.1", "::1", "localhost")


def give_way() -> None:
    """Lower the priority of this process and of what it starts; it leaves the session of whoever started it."""
    with suppress(OSError):
        os.setsid()
    _lower(os.getpid())


def server_gives_way(conn: "Connection[object]") -> None:
    """Lower the priority of the server's process for a connection, if it runs on this machine, until it is closed."""
    if not (conn.info.host in _HERE or conn.info.host.startswith("/")):
        return
    with suppress(OSError):  # in a container, say, the server counts its processes otherwise
        if Path(f"/proc/{conn.info.backend_pid}/comm").read_text(encoding="utf-8").startswith("postgres"):
            _lower(conn.info.backend_pid)


def _lower(process: int) -> None:
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process, NICENESS)
    with suppress(OSError):
        Path(f"/proc/{process}/autogroup").write_text(str(NICENESS), encoding="ascii")
