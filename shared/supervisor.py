"""Keeps the processes of one machine running: starts them, restarts what dies, stops them all within seconds."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

STOP_SECONDS = 6.0
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


def end_with_parent(pipe: int) -> None:
    """Send this process SIGTERM once `pipe`, a file descriptor held open by the parent, ends."""

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
