"""Work that can wait lowers itself and the server's processes for it, and nobody else."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from shared.giving_way import NICENESS, server_gives_way
from tests.architecture.conftest import ROOT

STANDING = """
import os
from pathlib import Path
from shared.giving_way import give_way
give_way()
print(os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0) == os.getpid(), Path('/proc/self/autogroup').read_text())
"""
LINUX = pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system does not weigh sessions")


def ours(process: int) -> bool:
    """Tell whether a process runs on this machine and may be lowered by us."""
    comm = Path(f"/proc/{process}/comm")
    return comm.exists() and os.geteuid() in {0, comm.stat().st_uid}


def autogroup(process: int) -> str:
    """Return how the system weighs the session of a process: a niceness; nothing for the first session."""
    return "".join(Path(f"/proc/{process}/autogroup").read_text(encoding="ascii").split()[-1:])


@LINUX
def test_a_process_gives_way_in_a_session_of_its_own_and_whoever_started_it_does_not() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0), autogroup(os.getpid())
    done = subprocess.run([sys.executable, "-c", STANDING], cwd=ROOT, capture_output=True, text=True, check=True)
    niceness, alone, *_, weighed = done.stdout.split()
    assert (niceness, alone, weighed) == (str(NICENESS), "True", str(NICENESS))
    assert (os.getpriority(os.PRIO_PROCESS, 0), autogroup(os.getpid())) == before


@LINUX
def test_the_server_gives_way_for_one_connection_and_no_other(template: str) -> None:
    with psycopg.connect(template) as patient, psycopg.connect(template) as other:
        if not ours(patient.info.backend_pid):
            pytest.skip("the server runs elsewhere, or as somebody whose processes are not ours to lower")
        server_gives_way(patient)
        assert autogroup(patient.info.backend_pid) == str(NICENESS)
        assert os.getpriority(os.PRIO_PROCESS, patient.info.backend_pid) == NICENESS
        assert autogroup(other.info.backend_pid) == "0"
        assert os.getpriority(os.PRIO_PROCESS, other.info.backend_pid) == 0


def test_a_process_that_is_no_servers_is_left_alone(monkeypatch: pytest.MonkeyPatch, template: str) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with psycopg.connect(template) as conn:
        monkeypatch.setattr(type(conn.info), "backend_pid", property(lambda _: os.getpid()))
        server_gives_way(conn)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
