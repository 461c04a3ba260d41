"""Rebuilds as an operator runs them: the command itself, watched from outside."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

from bench.machine import REPOSITORY
from bench.processes import environment, peak_bytes
from shared.runtime.container import Container

_WATCH_SECONDS = 0.2


class Rebuilt(msgspec.Struct):
    """What `smartmarket projections rebuild --json` says: rows, and seconds from its first statement to adoption."""

    schema: str
    rows: int
    replay_seconds: float
    seconds: float
    peak_mb: float = 0.0


def rebuild(container: Container, name: str, *, workers: int = 2) -> Rebuilt:
    """Replay a projection with `workers` processes; `peak_mb` is the most any of them had in RAM (MB of 10^6 bytes)."""
    command = [sys.executable, "-m", "smartmarket", "projections", "rebuild", name, "--json", "--shards", str(workers)]
    child = subprocess.Popen(command, cwd=REPOSITORY, env=environment(container), stdout=subprocess.PIPE)
    watch = _Watch(child.pid)
    watch.start()
    answer, _ = child.communicate()
    peak = watch.ended()
    if child.returncode:
        msg = f"{' '.join(command)} ended with {child.returncode}"
        raise RuntimeError(msg)
    done = msgspec.json.decode(answer, type=Rebuilt)
    return msgspec.structs.replace(done, peak_mb=peak / 1e6)


class _Watch(threading.Thread):
    """Keeps the largest peak of a process and its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()

    def run(self) -> None:
        """Look a few times a second, for looking costs too; a peak stays visible until its process ends."""
        while not self._ended.is_set():
            with suppress(psutil.NoSuchProcess, OSError):
                self._peak = max(self._peak, *map(peak_bytes, (self._pid, *_children(self._pid))))
            time.sleep(_WATCH_SECONDS)

    def ended(self) -> int:
        """Stop watching; returns the peak in bytes."""
        self._ended.set()
        self.join()
        return self._peak


def _children(pid: int) -> list[int]:
    """Return the children of a process; where the system lists them per process, without looking at all others."""
    lists = list(Path(f"/proc/{pid}/task").glob("*/children"))
    if not lists:
        return [child.pid for child in psutil.Process(pid).children()]
    return [int(child) for found in lists for child in found.read_text(encoding="ascii").split()]
