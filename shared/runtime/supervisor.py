"""Supervisor of the processes on one machine: starts them, restarts those that end, stops them within seconds."""

import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.runtime.errors import CannotStart

STOP_SECONDS = 6.0
READY_SECONDS = 60.0
_RESTART_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
_HEALTHY_SECONDS = 30.0
_WATCH_SECONDS = 0.1
_WAITING_CLIENTS = 2048
_LAST_PORT = 65_535
logger = logging.getLogger("smartmarket.supervisor")


@dataclass(frozen=True)
class Program:
    """A child process: the arguments of `python -m smartmarket`, and the file descriptors that it inherits."""

    arguments: Sequence[str]
    inherits: Sequence[int] = ()


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: int = 0
    restart_at: float = field(default=0.0)


class Supervisor:
    """Runs one process per program; children end by themselves when this process dies."""

    def __init__(self, programs: Sequence[Program], environment: Mapping[str, str]) -> None:
        """Prepare to run the programs with `environment`."""
        self._children = [_Child(program) for program in programs]
        self._environment = dict(environment)

    def start(self) -> None:
        """Start every child."""
        for child in self._children:
            self._spawn(child)

    def watch(self, stopped: threading.Event) -> None:
        """Restart children that end, until `stopped`."""
        while not stopped.is_set():
            for child in self._children:
                self._restart_if_ended(child)
            stopped.wait(_WATCH_SECONDS)

    def stop(self) -> None:
        """Send every child SIGTERM, and SIGKILL to those that are still running after STOP_SECONDS."""
        alive = [c.process for c in self._children if c.process and c.process.poll() is None]
        for process in alive:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for process in alive:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("process did not stop in time; killing it", extra={"pid": process.pid})
                process.kill()
                process.wait()

    def _spawn(self, child: _Child) -> None:
        command = [sys.executable, "-m", "smartmarket", *child.program.arguments, "--child"]
        child.process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            env=self._environment,
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=child.program.inherits,
        )
        child.started = time.monotonic()

    def _restart_if_ended(self, child: _Child) -> None:
        """Plan the restart of a child that has ended, with a pause that grows if it keeps ending; start it when due."""
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            if now - child.started > _HEALTHY_SECONDS:
                child.restarts = 0
            pause = _RESTART_PAUSES[min(child.restarts, len(_RESTART_PAUSES) - 1)]
            ended = {"role": child.program.arguments[0], "exit_code": child.process.returncode}
            logger.warning("process ended; restarting it in %.1f s", pause, extra=ended)
            child.process = None
            child.restarts += 1
            child.restart_at = now + pause
        elif child.process is None and now >= child.restart_at:
            self._spawn(child)


def serving(listener: socket.socket, processes: int) -> list[Program]:
    """Return the programs of API processes that all accept clients on `listener`.

    Clients are accepted by any process that is free. They wait while none is running, since the caller keeps the
    socket open.
    """
    return [Program(["api", "--socket", str(listener.fileno())], [listener.fileno()])] * processes


def listen(host: str, port: int, *, insist: bool) -> socket.socket:
    """Return a socket that listens on `port`, or, unless `insist`, on the first free port of the next hundred.

    Raises CannotStart if all of them are taken, or if this process may not listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [port] if insist else range(port, min(port + 100, _LAST_PORT + 1)):
        try:
            listener = socket.create_server((host, candidate), family=family, backlog=_WAITING_CLIENTS)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            msg = f"Cannot listen on {host}, port {candidate}: {error.strerror or error}."
            raise CannotStart(msg) from error
        if candidate != port:
            logger.warning("port %d is taken, using %d", port, candidate)
        return listener
    other = port + 1 if port < _LAST_PORT else port - 1
    msg = f"Port {port} is taken. Choose another, for example PORT={other}."
    raise CannotStart(msg)


def becomes_ready(url: str, stopped: threading.Event) -> bool:
    """Wait until `url` answers 200; False if `stopped` first. Raises CannotStart after READY_SECONDS."""
    until = time.monotonic() + READY_SECONDS
    while not stopped.is_set() and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return True
        except OSError:
            stopped.wait(0.1)
    if not stopped.is_set():
        msg = f"SmartMarket did not become ready within {READY_SECONDS:.0f} s; the lines above say why."
        raise CannotStart(msg)
    return False


def end_with_parent(pipe: int) -> None:
    """Send this process SIGTERM once `pipe`, whose other end the parent holds open, is closed."""

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
