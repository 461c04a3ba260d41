"""What the figures were measured on."""

import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg

REPOSITORY = Path(__file__).parents[1]
_BUSY = 0.15
_WRITES = 50


def facts(database_url: str, folder: Path) -> dict[str, Any]:
    """Return what a reader needs to judge the figures; takes a second.

    `busy` is the share of all cores that others used during that second, with the servers idle.
    """
    load = os.getloadavg()
    return {
        "cores": len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count(),
        "cpu": _cpu(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgres": _postgres(database_url),
        "fsync_ms": round(_fsync_ms(folder), 2),
        "load_average": [round(part, 2) for part in load],
        "busy": round(psutil.cpu_percent(1.0) / 100, 2),
        "commit": _commit(),
    }


def warning(known: dict[str, Any]) -> str | None:
    """Return why the figures may be worse than the code, None on an idle machine."""
    if known["busy"] <= _BUSY:
        return None
    load = known["load_average"][0]
    return f"others use {known['busy']:.0%} of this machine (load average {load}): expect worse figures"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _postgres(url: str) -> str:
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
    return f"{row[0]}, fsync {row[1]}" if row else "unknown"


def _fsync_ms(folder: Path) -> float:
    seconds = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_WRITES):
            began = time.perf_counter()
            file.write(bytes(8192))
            file.flush()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000


def _commit() -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    head = [git, "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(head, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
