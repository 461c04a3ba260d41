"""Keeps the processes of one machine running: starts them, restarts what dies, stops them all within seconds."""

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.runtime.container import CannotStart

STOP_SECONDS = 6.0
READY_SECONDS = 60.0
_RESTART_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
_HEALTHY_SECONDS = 30.0
_WAITING_CLIENTS = 2048
logger = logging.getLogger("smartmarket.supervisor")


@dataclass(frozen=True)
class Program:
    """What a child runs: the arguments of `python -m smartmarket`, and open files that it inherits."""

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

    def watch(self, stopped: Callable[[], bool]) -> None:
        """Restart children that die, until `stopped()`."""
        while not stopped():
            for child in self._children:
                self._look_after(child)
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask all children to end, wait, and kill who is left."""
        alive = [c.process for c in self._children if c.process and c.process.poll() is None]
        for process in alive:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for process in alive:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
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

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            if now - child.started > _HEALTHY_SECONDS:
                child.restarts = 0
            pause = _RESTART_PAUSES[min(child.restarts, len(_RESTART_PAUSES) - 1)]
            said = {"role": child.program.arguments[0], "exit": child.process.returncode}
            logger.warning("process ended, starting it again", extra=said)
            child.process = None
            child.restarts += 1
            child.restart_at = now + pause
        elif child.process is None and now >= child.restart_at:
            self._spawn(child)


def serving(door: socket.socket, processes: int) -> list[Program]:
    """Return so many API processes that all let clients in by `door`.

    Whoever of them is free takes the next client. While one is started again the others go on, and while all are,
    clients wait: the door stays open as long as the caller holds it.
    """
    return [Program(["api", "--socket", str(door.fileno())], [door.fileno()])] * processes


def listen(host: str, port: int, *, insist: bool) -> socket.socket:
    """Return a socket that listens on `port`, or on the next free one unless it is insisted on.

    Raises CannotStart where there is none, or where this process may not listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [port] if insist else range(port, port + 100):
        try:
            door = socket.create_server((host, candidate), family=family, backlog=_WAITING_CLIENTS)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            msg = f"Cannot listen on {host}, port {candidate}: {error.strerror or error}."
            raise CannotStart(msg) from error
        if candidate != port:
            logger.warning("port %d is taken, using %d", port, candidate)
        return door
    msg = f"Port {port} is taken. Choose another, for example PORT={port + 1}."
    raise CannotStart(msg)


def becomes_ready(url: str, stopped: threading.Event) -> bool:
    """Wait until `url` answers well; False if `stopped` meanwhile. Raises CannotStart after a minute."""
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
    """Send this process SIGTERM once `pipe`, a file descriptor held open by the parent, ends."""

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
