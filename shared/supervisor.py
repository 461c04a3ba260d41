"""Keeps the processes of one machine running: starts them, restarts what dies, stops them all within seconds."""

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

from shared.house import CannotStart

STOP_SECONDS = 6.0
READY_SECONDS = 60.0
_RESTART_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
_HEALTHY_SECONDS = 30.0
logger = logging.getLogger("smartmarket.supervisor")


@dataclass
class _Child:
    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: int = 0
    restart_at: float = field(default=0.0)


class Supervisor:
    """Runs `python -m smartmarket NAME …` for each name; children end by themselves when this process dies."""

    def __init__(self, children: Sequence[Sequence[str]], environment: Mapping[str, str]) -> None:
        """Prepare to run one process per argument list, with `environment`."""
        self._children = [_Child(arguments[0], arguments) for arguments in children]
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
        command = [sys.executable, "-m", "smartmarket", *child.arguments]
        child.process = subprocess.Popen(  # noqa: S603 - our own program
            command, env=self._environment, stdin=subprocess.PIPE, start_new_session=True
        )
        child.started = time.monotonic()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            if now - child.started > _HEALTHY_SECONDS:
                child.restarts = 0
            pause = _RESTART_PAUSES[min(child.restarts, len(_RESTART_PAUSES) - 1)]
            logger.warning(
                "process ended, starting it again", extra={"role": child.name, "exit": child.process.returncode}
            )
            child.process = None
            child.restarts += 1
            child.restart_at = now + pause
        elif child.process is None and now >= child.restart_at:
            self._spawn(child)


def free_port(port: int, *, insist: bool) -> int:
    """Return `port`, or the next free one unless it is insisted on; raises CannotStart where there is none."""
    for candidate in [port] if insist else range(port, port + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            if candidate != port:
                logger.warning("port %d is taken, using %d", port, candidate)
            return candidate
    msg = f"Port {port} is taken. Choose another: make run PORT={port + 1}"
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
