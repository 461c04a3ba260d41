"""PostgreSQL and Redis for one machine without servers: programs from wheels, data in one folder.

<data_dir>/postgres/     the cluster, owned by an unprivileged account if this process is root
<data_dir>/redis/        the dump, likewise
<data_dir>/servers.json  ports, process ids and passwords, readable by its owner only
<data_dir>/servers.lock  held by the process that runs the servers
<data_dir>/postgres.log, redis.log (and .1, of the previous start)
"""

import fcntl
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from shared.embedded.keeper import Keeper
from shared.embedded.postgres import Postgres
from shared.embedded.program import EmbeddedServerError, Record
from shared.embedded.redis import Redis
from shared.embedded.server import STOP_SECONDS, Server, hand_over

__all__ = ["DataDirInUse", "EmbeddedServerError", "EmbeddedServers", "Endpoints"]

logger = logging.getLogger("smartmarket.embedded")


class DataDirInUse(EmbeddedServerError):
    """Another process runs the servers of this data folder."""


class Endpoints(NamedTuple):
    """The URLs of the servers, with passwords."""

    database_url: str
    redis_url: str


class _Records(msgspec.Struct):
    postgres: Record = msgspec.field(default_factory=Record)
    redis: Record = msgspec.field(default_factory=Record)


class EmbeddedServers:
    """The servers of one data folder; `with EmbeddedServers(folder) as endpoints:` starts and stops them.

    Servers that are still running after their process was killed are used again. One process at a time holds a folder.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        """Store everything in `data_dir`; `durable=False` is faster, loses data in a crash, and is meant for tests."""
        self._data_dir = data_dir.resolve()
        self._state = self._data_dir / "servers.json"
        self._postgres = Postgres(self._data_dir / "postgres", durable=durable)
        self._redis = Redis(self._data_dir / "redis", durable=durable)
        self._database_server = Server(self._postgres, self._data_dir / "postgres")
        self._redis_server = Server(self._redis, self._data_dir / "redis")
        self._lock: int | None = None
        self._records = _Records()
        self._writing = threading.Lock()

    def start(self) -> Endpoints:
        """Start both servers and wait until they answer.

        Raises DataDirInUse if another process holds the folder, EmbeddedServerError if a server does not start; then
        neither is left running.
        """
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        except OSError as error:
            raise self._unusable(error) from error
        try:
            return self._start_both()
        except OSError as error:
            self.stop()
            raise self._unusable(error) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both servers in order, within seconds; does nothing if this object does not hold the folder."""
        if self._lock is None:
            return
        deadline = time.monotonic() + STOP_SECONDS
        servers = (self._database_server, self._redis_server)
        for server in servers:
            server.ask_to_stop()
        for server in servers:
            server.await_end(deadline)
        logger.info("servers of %s stopped", self._data_dir)
        os.close(self._lock)
        self._lock = None

    def keepers(self, give_up: Callable[[], None]) -> list[Keeper]:
        """Return a thread for each server that starts it again whenever it ends; to be started and stopped.

        `give_up` is called when one cannot be started; that thread then holds the error.
        """
        held = ((self._database_server, self._records.postgres), (self._redis_server, self._records.redis))
        return [Keeper(server, record, self._remember, give_up) for server, record in held]

    def __enter__(self) -> Endpoints:
        """Start the servers."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers."""
        self.stop()

    def _start_both(self) -> Endpoints:
        self._records = records = self._read_records()
        self._database_server.up(records.postgres, self._remember)
        self._redis_server.up(records.redis, self._remember)
        self._postgres.ensure_database(records.postgres)
        return Endpoints(self._postgres.url(records.postgres), self._redis.url(records.redis))

    def _unusable(self, error: OSError) -> EmbeddedServerError:
        return EmbeddedServerError(
            f"The data folder {self._data_dir} cannot be used: {error}. Start as the user who owns it, or set "
            "SMARTMARKET_DATA_DIR to a folder that you may write."
        )

    def _take_lock(self) -> None:
        file = self._data_dir / "servers.lock"
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(lock, 20).decode()
            os.close(lock)
            message = (
                f"SmartMarket is already running on {self._data_dir} (process {holder}). Stop it first, or set "
                "SMARTMARKET_DATA_DIR to another folder."
            )
            raise DataDirInUse(message) from error
        self._lock = lock
        hand_over(file)
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())

    def _read_records(self) -> _Records:
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=_Records)
        except FileNotFoundError:
            return _Records()
        except msgspec.DecodeError:
            logger.warning("%s is unreadable; the servers get new passwords", self._state)
            return _Records()

    def _remember(self) -> None:
        """Replace the state in one step, readable by its owner alone."""
        with self._writing:
            handle, name = tempfile.mkstemp(dir=self._data_dir, prefix=".servers-")
            with os.fdopen(handle, "wb") as new:
                new.write(msgspec.json.encode(self._records))
            hand_over(Path(name))
            Path(name).replace(self._state)
