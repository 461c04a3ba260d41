"""The processes of a house as they run in earnest, and what they use."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from bench.machine import REPOSITORY
from shared.runtime.container import Container

ALL = ("api", "policies", "worker", "projector")
_PATIENCE = 60.0
_STOP_SECONDS = 15.0
_REST_SECONDS = 10.0

# Returns how many API processes said that they live.
COUNT_API = "SELECT count(*) FROM jobs.processes WHERE kind = 'api'"
# Returns how many jobs are not done.
COUNT_JOBS = "SELECT count(*) FROM jobs.jobs WHERE state IN ('pending', 'running')"


class Processes:
    """One process each of some kinds; `with Processes(house, folder) as running:` starts and ends them."""

    def __init__(
        self, container: Container, folder: Path, kinds: Sequence[str] = ALL, *, api_processes: int = 1
    ) -> None:
        """Run `python -m smartmarket KIND` on the database of the container, with the log lines in `folder`.

        The API may be several processes behind one socket, as `smartmarket up` has it.
        """
        self.port = _free_port()
        self._house = container
        self._folder = folder
        self._kinds = kinds
        self._api_processes = api_processes
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """Return the API's address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Return once every process is ready."""
        try:
            for kind in self._kinds:
                self._start(kind)
            for kind in self._kinds:
                self._await(kind)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process."""
        self._stop()

    def rest(self) -> None:
        """Return once every job is done, or after some seconds: forecasts of a large shop take minutes, and yield."""
        until = time.monotonic() + _REST_SECONDS
        with self._house.connect() as conn:
            while conn.execute(COUNT_JOBS).fetchone() != (0,) and time.monotonic() < until:
                time.sleep(0.05)

    def peak_mb(self, kind: str) -> float:
        """Return the most memory that a process had in RAM so far, in MB of 10^6 bytes."""
        return peak_bytes(self._children[kind].pid) / 1e6

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time each process has used so far, with those that it started and that still run."""
        return {kind: _cpu(child.pid) for kind, child in self._children.items()}

    def _start(self, kind: str) -> None:
        several = ["--processes", str(self._api_processes)] if kind == "api" else []
        with self._log(kind).open("wb") as log:
            self._children[kind] = subprocess.Popen(
                [sys.executable, "-m", "smartmarket", kind, *several, "--child"],
                cwd=REPOSITORY,
                env=environment(self._house, self.port),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await(self, kind: str) -> None:
        until = time.monotonic() + _PATIENCE
        while not self._ready(kind):
            if self._children[kind].poll() is not None or time.monotonic() > until:
                lines = self._log(kind).read_text(encoding="utf-8", errors="replace")[-3000:]
                msg = f"{kind} did not become ready:\n{lines}"
                raise RuntimeError(msg)
            time.sleep(0.05)

    def _ready(self, kind: str) -> bool:
        if kind == "api":
            return self._api_answers() and self._api_beats() >= self._api_processes
        return b"process started" in self._log(kind).read_bytes()

    def _api_answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/transactions").is_client_error
        except httpx.TransportError:
            return False

    def _api_beats(self) -> int:
        with self._house.connect() as conn:
            row = conn.execute(COUNT_API).fetchone()
        return int(row[0]) if row else 0

    def _log(self, kind: str) -> Path:
        return self._folder / f"{self._house.settings.database_url.rpartition('/')[2]}-{kind}.log"  # type: ignore[union-attr]

    def _stop(self) -> None:
        for child in self._children.values():
            child.send_signal(signal.SIGTERM)
        until = time.monotonic() + _STOP_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def environment(container: Container, port: int = 8000) -> dict[str, str]:
    """Return the environment in which a process finds this house."""
    settings = container.settings
    named = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "BROKER_URL": settings.broker_url,
        "SECRET_KEY": settings.secret_key,
        "JWT_SECRET": settings.jwt_secret,
        "SMARTMARKET_ENV": "development",
        "SMARTMARKET_RATE_LIMITS": "off",
        "SMARTMARKET_DATA_DIR": str(settings.data_dir),
        "PORT": str(port),
        "SMARTMARKET_LOG_LEVEL": "INFO",
    }
    return {**os.environ, **{name: value for name, value in named.items() if value}}


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process had in RAM so far; where the system does not tell, what it has now."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return psutil.Process(pid).memory_info().rss if psutil.pid_exists(pid) else 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _cpu(pid: int) -> float:
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children())]
    return sum(each.user + each.system for each in times)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
