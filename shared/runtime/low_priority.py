"""Lowers the priority of background work: of this process, or of the server's process for one connection.

Linux divides processor time between sessions before it divides it between the processes of each (sched(7), "The
autogroup feature"), and every process of a PostgreSQL server is a session of its own: nice values alone change nothing
between them, so the autogroup's nice value is set too. Where the system does not allow it, nothing changes.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

NICENESS = 15
"""A thirtieth of the usual weight: others run at once, and a lock held at this priority is still released soon."""
OFF = "SMARTMARKET_TESTS_WITHOUT_LOW_PRIORITY"
"""Set by tests that run beside each other: work at low priority would hardly proceed there."""
_LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")


def lower_priority() -> None:
    """Lower the priority of this process and of those it starts; it gets a session of its own."""
    with suppress(OSError):
        os.setsid()
    _lower(os.getpid())


def lower_server_priority(conn: "Connection[Any]") -> None:
    """Lower the priority of the server's process for a connection until it is closed, if it runs on this machine."""
    if runs_on_this_machine(conn):
        _lower(conn.info.backend_pid)


def runs_on_this_machine(conn: "Connection[Any]") -> bool:
    """Tell whether the server's process for a connection is a process of this machine (not of a container on it)."""
    local = conn.info.host in _LOCAL_HOSTS or conn.info.host.startswith("/")
    return local and _is_postgres(conn.info.backend_pid)


def is_low(process: int) -> bool:
    """Tell whether the priority of a process was lowered."""
    with suppress(OSError):
        return os.getpriority(os.PRIO_PROCESS, process) >= NICENESS
    return False


def _is_postgres(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").startswith("postgres")
    return False


def _lower(process: int) -> None:
    if OFF in os.environ:
        return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process, NICENESS)
    with suppress(OSError):
        Path(f"/proc/{process}/autogroup").write_text(str(NICENESS), encoding="ascii")
