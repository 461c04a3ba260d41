"""Processes stop when they are asked to, however many signals arrive, and leave nothing behind."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.app_processes import environment, free_port
from tests.support.figures import report
from tests.support.servers import Services
from tests.support.waiting import PATIENCE

# 40 of each kind and one of each process in CI, 200 of everything by `make faults`.
KILLS = int(os.environ.get("SMARTMARKET_FAULT_KILLS", "20"))
STOPS = max(40, KILLS)
STOPS_OF_PROCESSES = max(1, KILLS) if KILLS >= 200 else 1
SEED = 13
ENDS_WITHIN = 10.0
# For a process that did not end to write its stacks before it is killed.
STACKS_WITHIN = 1.0
ROOT = Path(__file__).parents[2]

# The main thread sets and clears the event all the time: a handler that set it would find its lock taken.
ONE_PROCESS = """
import threading
from shared.runtime.signals import stopping_on_signals

stopped, busy = threading.Event(), threading.Event()
def stop():
    busy.set()
    stopped.set()

with stopping_on_signals(stop):
    print("started", flush=True)
    while not stopped.is_set():
        busy.set()
        busy.clear()
"""
SUPERVISOR = """
import os, threading
from shared.runtime.signals import stopping_on_signals
from shared.runtime.supervisor import Program, Supervisor

stopped = threading.Event()
with stopping_on_signals(stopped.set):
    children = Supervisor([Program(["child"])] * 2, os.environ)
    try:
        children.start()
        print("started", flush=True)
        children.watch(stopped)
    finally:
        children.stop()
"""
# In place of the program's own commands, which take seconds to load: `smartmarket child`, a process like the others.
CHILD = """
import faulthandler, os, signal, sys
for ignored_under_nohup in (signal.SIGINT, signal.SIGHUP):
    signal.signal(ignored_under_nohup, signal.SIG_DFL)
faulthandler.register(signal.SIGUSR1, all_threads=True)
if os.environ.get("STOPS_CHILD") and sys.argv[:1] == ["-m"]:
    import smartmarket
    def main():
        import threading
        from shared.runtime.signals import stopping_on_signals
        from shared.runtime.supervisor import end_with_parent
        stopped = threading.Event()
        with stopping_on_signals(stopped.set):
            end_with_parent(sys.stdin.fileno())
            stopped.wait()
        return 0
    smartmarket.main = main
"""


def stopped(command: Sequence[str], env: dict[str, str], number: int) -> tuple[int, float, list[psutil.Process]]:
    """Start a command, send it 2 to 5 signals at random moments; returns exit code, seconds, and what it left.

    The stacks of what does not end in time are written to this process's stderr.
    """
    chance = random.Random(number)  # noqa: S311 - no secret
    process = psutil.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "started\n"
    time.sleep(chance.uniform(0, 0.05))
    family = process.children(recursive=True)
    began = time.monotonic()
    for _ in range(chance.randint(2, 5)):
        if process.poll() is None:
            process.send_signal(chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
        time.sleep(chance.uniform(0, 0.05))
    try:
        code = process.wait(ENDS_WITHIN)
    except psutil.TimeoutExpired:
        for each in (process, *family):
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGUSR1)
        time.sleep(STACKS_WITHIN)
        for each in (process, *family):
            each.kill()
        code = process.wait(PATIENCE)
    process.stdout.close()
    return code, time.monotonic() - began, [child for child in family if child.is_running()]


@pytest.mark.parametrize("program", [ONE_PROCESS, SUPERVISOR], ids=["one process", "a supervisor"])
def test_any_signals_at_any_moment_end_it_cleanly(tmp_path: Path, program: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(CHILD, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "STOPS_CHILD": "1"}
    command = [sys.executable, "-c", program]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: stopped(command, env, number), range(STOPS)))
    assert {code for code, _, _ in found} == {0}
    assert max(seconds for _, seconds, _ in found) < ENDS_WITHIN
    assert [left for _, _, left in found if left] == []


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("role", ["api", "policies", "worker", "projector", "scheduler"])
def test_every_process_exits_with_0_on_signals(database_url: str, services: Services, role: str) -> None:
    chance = random.Random(SEED)  # noqa: S311 - moments of signals
    took = [_stopped_process(database_url, services, role, chance) for _ in range(STOPS_OF_PROCESSES)]
    report(f"{role}: {len(took)} stops (seed {SEED}), each exited with 0, after {max(took):.1f} s at most")


def _stopped_process(database_url: str, services: Services, role: str, chance: random.Random) -> float:
    """Start a process and send it 2 to 5 signals; returns the seconds until it exited with 0."""
    env = {**environment(database_url, services, free_port()), "SMARTMARKET_LOG_LEVEL": "INFO"}
    process = psutil.Popen(
        [sys.executable, "-m", "smartmarket", role], env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    lines = iter(process.stderr.readline, "")
    assert any('"message":"process started"' in line for line in lines)
    rest = threading.Thread(target=lambda: list(lines))  # so that the process never waits for room in the pipe
    rest.start()
    began = time.monotonic()
    for _ in range(chance.randint(2, 5)):
        if process.poll() is None:
            process.send_signal(chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP]))
        time.sleep(chance.uniform(0, 0.05))
    assert process.wait(ENDS_WITHIN) == 0
    took = time.monotonic() - began
    rest.join()
    process.stderr.close()
    return took
