"""The priority of a process, as Linux has it."""

import os
from pathlib import Path

import pytest

LINUX = pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system does not weigh sessions")


def ours(process: int) -> bool:
    """Tell whether a process runs on this machine and may be lowered by us."""
    comm = Path(f"/proc/{process}/comm")
    return comm.exists() and os.geteuid() in {0, comm.stat().st_uid}


def priority(process: int) -> tuple[int, str]:
    """Return the niceness of a process and that of its session; an empty text for the first session."""
    return os.getpriority(os.PRIO_PROCESS, process), autogroup(process)


def autogroup(process: int) -> str:
    """Return how the system weighs the session of a process: a niceness; nothing for the first session."""
    return "".join(Path(f"/proc/{process}/autogroup").read_text(encoding="ascii").split()[-1:])
