"""Looking at embedded servers from outside, by other means than those they are found by themselves."""

import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import redis

from shared.embedded.servers import Endpoints

ROOT = Path(__file__).parents[2]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def ask(database_url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres/data/postmaster.pid").read_text().split()[0]))


def all_pids(data_dir: Path, endpoints: Endpoints) -> set[int]:
    with redis.Redis.from_url(endpoints.redis_url) as client:
        pids = {postmaster(data_dir).pid, int(client.info("server")["process_id"])}
    return pids | {child.pid for child in postmaster(data_dir).children(recursive=True)}


def capabilities(pid: int) -> set[str]:
    """Return the capabilities (Linux) of a process that may hold these two and no others."""
    status = dict(line.split(":\t") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    bits = int(status["CapPrm"], 16)
    names = {1: "dac_override", 2: "dac_read_search"}
    return {names.get(bit, f"number {bit}") for bit in range(64) if bits & 1 << bit}


def still_alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE}


def occupy(stack: ExitStack, port: int) -> int:
    """Keep the port from others; somebody else doing so serves as well."""
    holder = stack.enter_context(socket.socket())
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass
    return port
