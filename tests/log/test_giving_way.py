"""Work that can wait lowers itself and the server's processes for it, and nobody else."""

import os
import subprocess
import sys
import threading

import psycopg
import pytest

from shared.runtime.low_priority import NICENESS, leaving_room, server_gives_way
from tests.support.priorities import LINUX, autogroup, ours
from tests.support.source_tree import ROOT
from tests.support.waiting import wait_until

STANDING = """
import os
from pathlib import Path
from shared.runtime.low_priority import give_way
give_way()
print(os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0) == os.getpid(), Path('/proc/self/autogroup').read_text())
"""


@LINUX
def test_a_low_priority_child_leaves_its_parent_unchanged() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0), autogroup(os.getpid())
    done = subprocess.run([sys.executable, "-c", STANDING], cwd=ROOT, capture_output=True, text=True, check=True)
    niceness, alone, *_, weighed = done.stdout.split()
    assert (niceness, alone, weighed) == (str(NICENESS), "True", str(NICENESS))
    assert (os.getpriority(os.PRIO_PROCESS, 0), autogroup(os.getpid())) == before


@LINUX
def test_one_connection_is_lowered_and_no_other(database_url: str) -> None:
    with psycopg.connect(database_url) as patient, psycopg.connect(database_url) as other:
        if not ours(patient.info.backend_pid):
            pytest.skip("the server runs elsewhere, or as somebody whose processes are not ours to lower")
        server_gives_way(patient)
        assert autogroup(patient.info.backend_pid) == str(NICENESS)
        assert os.getpriority(os.PRIO_PROCESS, patient.info.backend_pid) == NICENESS
        assert autogroup(other.info.backend_pid) == "0"
        assert os.getpriority(os.PRIO_PROCESS, other.info.backend_pid) == 0


def test_a_process_that_is_no_servers_is_left_alone(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with psycopg.connect(database_url) as conn:
        monkeypatch.setattr(type(conn.info), "backend_pid", property(lambda _: os.getpid()))
        server_gives_way(conn)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


@LINUX
@pytest.mark.skipif((os.cpu_count() or 1) == 1, reason="there is one core only")
def test_a_low_priority_process_frees_a_core_while_others_are_busy(database_url: str) -> None:
    every = os.sched_getaffinity(0)
    with (
        psycopg.connect(database_url) as own,
        psycopg.connect(database_url) as patient,
        psycopg.connect(database_url) as other,
    ):
        if not ours(patient.info.backend_pid):
            pytest.skip("the server runs elsewhere, or as somebody whose processes are not ours to lower")
        server_gives_way(patient)

        def cores() -> list[set[int]]:
            """Return where the patient one, what this thread would start, and the other may run."""
            processes = (patient.info.backend_pid, threading.get_native_id(), other.info.backend_pid)
            return [os.sched_getaffinity(process) for process in processes]

        def asked_once_more() -> bool:
            other.execute("SELECT count(*) FROM generate_series(1, 20000)")
            return cores() == [every - {min(every)}, every - {min(every)}, every]

        with leaving_room(lambda: psycopg.connect(database_url), own):
            wait_until(asked_once_more)
            wait_until(lambda: cores() == [every, every, every])
            wait_until(asked_once_more)
        assert os.sched_getaffinity(0) == every
