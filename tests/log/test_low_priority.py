"""Background work lowers its own priority and that of the server's processes for it, and of no other process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from projections.engine.follower import connect
from shared.postgres.database import PROJECTOR, READER_NAME
from shared.runtime.low_priority import NICENESS, is_low, lower_server_priority
from shared.runtime.room_for_readers import room_for_readers
from tests.support.priorities import LINUX, ours, priority
from tests.support.source_tree import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("lowered")

STANDING = """
import os
from pathlib import Path
from shared.runtime.low_priority import lower_priority
lower_priority()
print(os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0) == os.getpid(), Path('/proc/self/autogroup').read_text())
"""


@LINUX
def test_a_low_priority_child_leaves_its_parent_unchanged() -> None:
    before = priority(os.getpid())
    done = subprocess.run([sys.executable, "-c", STANDING], cwd=ROOT, capture_output=True, text=True, check=True)
    niceness, alone, *_, weighed = done.stdout.split()
    assert (niceness, alone, weighed) == (str(NICENESS), "True", str(NICENESS))
    assert priority(os.getpid()) == before


@LINUX
def test_one_connection_is_lowered_and_no_other(database_url: str) -> None:
    with psycopg.connect(database_url) as patient, psycopg.connect(database_url) as other:
        if not ours(patient.info.backend_pid):
            pytest.skip("the server runs elsewhere, or as somebody whose processes are not ours to lower")
        before = priority(other.info.backend_pid)
        lower_server_priority(patient)
        assert priority(patient.info.backend_pid) == (NICENESS, str(NICENESS))
        assert priority(other.info.backend_pid) == before != (NICENESS, str(NICENESS))


def test_a_process_that_is_no_servers_is_left_alone(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with psycopg.connect(database_url) as conn:
        monkeypatch.setattr(type(conn.info), "backend_pid", property(lambda _: os.getpid()))
        lower_server_priority(conn)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


@contextmanager
def low_priority_child() -> Iterator[subprocess.Popen[bytes]]:
    waiting = "from shared.runtime.low_priority import lower_priority; lower_priority(); input()"
    child = subprocess.Popen([sys.executable, "-c", waiting], cwd=ROOT, stdin=subprocess.PIPE)
    try:
        wait_until(lambda: is_low(child.pid))
        yield child
    finally:
        child.communicate(b"\n")


@LINUX
@pytest.mark.skipif((os.cpu_count() or 1) == 1, reason="there is one core only")
def test_low_priority_work_leaves_a_core_to_requests_while_they_read(database_url: str) -> None:
    every = os.sched_getaffinity(0)
    with (
        psycopg.connect(database_url) as patient,
        psycopg.connect(database_url, application_name=READER_NAME, autocommit=True) as other,
        low_priority_child() as child,
    ):
        if not ours(patient.info.backend_pid):
            pytest.skip("the server runs elsewhere, or as somebody whose processes are not ours to lower")
        lower_server_priority(patient)

        def cores() -> list[set[int]]:
            """Return the cores of the low-priority connection, of the low-priority child and of the reader."""
            processes = (patient.info.backend_pid, child.pid, other.info.backend_pid)
            return [os.sched_getaffinity(process) for process in processes]

        def read_again() -> bool:
            other.execute("SELECT 1")
            return cores() == [every - {min(every)}, every - {min(every)}, every]

        with room_for_readers(lambda: connect(database_url, role=PROJECTOR)):
            wait_until(read_again)
            wait_until(lambda: cores() == [every, every, every])
            wait_until(read_again)
        assert cores()[2] == every
        assert os.sched_getaffinity(0) == every
