"""The priority of a process, as Linux has it."""

import os
from pathlib import Path

import pytest

LINUX = pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system does not weigh sessions")


def ours(process: int) -> bool:
    """Tell whether a process runs on this machine and may be lowered by us."""
    comm = Path(f"/proc/{process}/comm")
    return comm.exists() and os.geteuid() in {0, comm.stat().st_uid}


def autogroup(process: int) -> str:
    """Return how the system weighs the session of a process: a niceness; nothing for the first session."""
    return "".join(Path(f"/proc/{process}/autogroup").read_text(encoding="ascii").split()[-1:])
