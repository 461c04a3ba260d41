"""Starts, finds and stops a server process of this machine: the common part of PostgreSQL and Redis from wheels.

All processes of a server have its mark in their command lines. It identifies them after their starter was killed;
process ids alone may belong to other programs by then.
"""

import contextlib
import logging
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from shared.embedded.program import EmbeddedServerError, Program, Record, mark_of
from shared.embedded.unprivileged import account_for, command_as

logger = logging.getLogger("smartmarket.embedded")

START_SECONDS = 120.0  # recovery after a crash takes time
ATTACH_SECONDS = 10.0
STOP_SECONDS = 8.0
KILL_SECONDS = 5.0
_POLL_SECONDS = 0.03
_PORT_ATTEMPTS = 5
_TAIL_BYTES = 2000


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hand_over(file: Path) -> None:
    """Give `file` to the owner of its folder, so that files written by root do not lock the owner out."""
    if os.geteuid() == 0:
        owner = file.parent.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


class Server:
    """One server program with its data folder; its log is next to the folder."""

    def __init__(self, program: Program, folder: Path) -> None:
        """Use `folder` (an absolute path; it need not exist yet)."""
        self._program = program
        self.name = program.name
        self._folder = folder
        self._mark = mark_of(folder)
        self._log = folder.with_name(f"{folder.name}.log")
        self._child: subprocess.Popen[bytes] | None = None
        self._attached: psutil.Process | None = None

    def up(self, record: Record, remember: Callable[[], None]) -> None:
        """Attach to the server if it is still running, else start it; `remember` is called when the record changed.

        Raises EmbeddedServerError with the end of the log if the server does not start.
        """
        if self._attach(record):
            logger.info("%s was still running (process %d, port %d)", self._program.name, record.pid, record.port)
            return remember()
        self._make_folder()
        self._program.prepare(record, self._run_to_end)
        for _ in range(_PORT_ATTEMPTS):
            record.port, record.pid = free_port(), 0
            remember()  # before the start: if this process is killed, the next one must find the server
            if self._start(record):
                logger.info("%s started (process %d, port %d)", self._program.name, record.pid, record.port)
                return remember()
            logger.warning("port %d was taken while %s started; retrying with another", record.port, self._program.name)
        raise EmbeddedServerError(self._failure("found no free port on 127.0.0.1"))

    def has_ended(self) -> bool:
        """Tell whether the server that `up` or `restart` left running has ended."""
        if self._child:
            return self._child.poll() is not None
        return self._attached is not None and not self._attached.is_running()

    def restart(self, record: Record, remember: Callable[[], None], stopping: threading.Event) -> None:
        """Start a server that has ended again, on its port and its data, after ending what is left of it.

        Gives up when `stopping` is set. Raises EmbeddedServerError if it does not start; its data must still be there.
        """
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()  # backends without a postmaster: they would keep the new one from starting
        self.await_end(time.monotonic() + KILL_SECONDS)
        if not self._program.has_data():
            raise EmbeddedServerError(self._failure("cannot be started again: its data is gone"))
        self._program.prepare(record, self._run_to_end)
        if not self._start(record, stopping):
            raise EmbeddedServerError(self._failure(f"cannot be started again: port {record.port} is taken"))
        remember()

    def ask_to_stop(self) -> None:
        """Ask the server for an orderly shutdown: clients are disconnected, data is written."""
        for process in _heads(self.processes()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(self._program.stop_signal)

    def await_end(self, deadline: float) -> None:
        """Wait until no process of the server is left; those alive at `deadline` (monotonic seconds) are killed.

        Raises EmbeddedServerError if they survive that.
        """
        if not self._gone_by(deadline):
            logger.warning("%s did not stop in time; killing it", self._program.name)
            for process in self.processes():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            if not self._gone_by(time.monotonic() + KILL_SECONDS):
                raise EmbeddedServerError(self._failure("has processes that cannot be stopped"))
        if self._child:
            self._child.wait()
            self._child = None

    def processes(self) -> list[psutil.Process]:
        """Return the live processes of this server, also those started by an earlier process."""
        ours = [process for process in psutil.process_iter(["name", "cmdline"]) if self._is_ours(process)]
        if self._child and self._child.poll() is None and self._child.pid not in {process.pid for process in ours}:
            ours.append(psutil.Process(self._child.pid))  # it has not yet executed the server's program
        return ours

    def _is_ours(self, process: psutil.Process) -> bool:
        arguments = process.info["cmdline"] or ()
        return process.info["name"] == self._program.name and any(self._mark in argument for argument in arguments)

    def _gone_by(self, deadline: float) -> bool:
        while self.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _attach(self, record: Record) -> bool:
        deadline = time.monotonic() + ATTACH_SECONDS
        while (processes := self.processes()) and record.port and time.monotonic() < deadline:
            if self._program.answers(record) and (heads := _heads(processes)):
                record.pid = heads[0].pid
                self._attached = heads[0]
                return True
            time.sleep(_POLL_SECONDS)
        if processes:
            logger.warning("%s left processes that do not answer; stopping them", self._program.name)
            self.ask_to_stop()
            self.await_end(time.monotonic() + STOP_SECONDS)
        return False

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        account = account_for(self._folder)
        if account and account.uid != self._folder.stat().st_uid:
            os.chown(self._folder, account.uid, account.gid)

    def _start(self, record: Record, stopping: threading.Event | None = None) -> bool:
        """Start on the recorded port; returns False if another program took the port first."""
        self._child = child = self._launch(record)
        deadline = time.monotonic() + START_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            if (stopping and stopping.is_set()) or self._program.answers(record):
                record.pid = child.pid
                return True
            time.sleep(_POLL_SECONDS)
        if child.poll() is not None and b"Address already in use" in self._log_tail():
            return False
        raise EmbeddedServerError(self._failure("did not start", self._log_tail()))

    def _launch(self, record: Record) -> subprocess.Popen[bytes]:
        if self._log.exists():
            self._log.replace(self._log.with_name(f"{self._log.name}.1"))
        with tempfile.TemporaryFile() as configuration, self._log.open("xb") as log:
            self._log.chmod(0o600)
            hand_over(self._log)
            configuration.write(self._program.configuration(record))
            configuration.seek(0)
            return subprocess.Popen(  # noqa: S603 - fixed program and arguments
                self._command_line(self._program.command(record)),
                stdin=configuration,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=_environment(),
                start_new_session=True,  # Ctrl-C in the terminal must not reach the servers: they are stopped in order
            )

    def _run_to_end(self, command: Sequence[str], instructions: bytes) -> None:
        done = subprocess.run(  # noqa: S603 - fixed programs and arguments
            self._command_line(command),
            input=instructions,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=_environment(),
            check=False,
        )
        logger.debug("%s: %s", command[0], done.stdout.decode(errors="replace"))
        if done.returncode != 0:
            raise EmbeddedServerError(self._failure(f"could not be prepared by {command[0]}", done.stdout))

    def _command_line(self, command: Sequence[str]) -> list[str]:
        return command_as(account_for(self._folder), [*self._program.needs(), self._folder], command)

    def _log_tail(self) -> bytes:
        return self._log.read_bytes()[-_TAIL_BYTES:] if self._log.exists() else b""

    def _failure(self, what: str, output: bytes = b"") -> str:
        return (
            f"{self._program.name} {what}; its data is in {self._folder}. Fix the errors below, "
            f"or set SMARTMARKET_DATA_DIR to another folder. Log: {self._log}\n{output.decode(errors='replace')}"
        )


def _heads(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return those that are not children of others among them, such as the postmaster."""
    family, heads = {process.pid for process in processes}, []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.ppid() not in family:
                heads.append(process)
    return heads


def _environment() -> dict[str, str]:
    """Return the environment of the servers: none of the application's secrets."""
    library_path = {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}
    return {"PATH": os.defpath, "LC_ALL": "C", **library_path}
