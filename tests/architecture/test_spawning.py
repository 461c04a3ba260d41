"""Processes that are spawned load what they are given to run, not the whole program."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from projections.engine.projection import Projection
from projections.registry import REGISTRY

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import multiprocessing
import os
from contextlib import nullcontext

from shared.runtime.spawn import without_main_module

print("loaded", flush=True)
if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=os.getpid)
    with {context}():
        child.start()
    child.join(60)
    print(child.exitcode, __import__("sys").modules["__main__"].__file__, flush=True)
"""


def said(tmp_path: Path, context: str) -> list[str]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(context=context), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        check=True,
        capture_output=True,
        text=True,
        timeout=90,
    )
    return done.stdout.splitlines()


def test_a_spawned_process_does_not_load_the_main_module(tmp_path: Path) -> None:
    assert said(tmp_path, "without_main_module") == ["loaded", f"0 {tmp_path / 'program.py'}"]


def test_without_it_a_spawned_process_does(tmp_path: Path) -> None:
    assert said(tmp_path, "nullcontext")[:2] == ["loaded", "loaded"]


def loaded(code: str) -> list[str]:
    """Return which of the heavy libraries a process has, and how many threads, after running some code."""
    tell = "import os, sys; print(*sorted({'numpy', 'eventsourcing', 'fastapi', 'prophet'} & {*sys.modules})); "
    tell += "print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
        timeout=90,
        env={name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS")},
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("projection", REGISTRY.values(), ids=list(REGISTRY))
def test_a_projection_travels_by_name(projection: Projection) -> None:
    assert pickle.loads(pickle.dumps(projection)) is projection  # noqa: S301 - our own


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not list threads")
def test_a_replaying_process_loads_the_projection_it_replays_and_no_other() -> None:
    code = f"import pickle, projections.engine.replayer; pickle.loads({pickle.dumps(REGISTRY['sales'])!r})"
    assert loaded(code) == ["", "1"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not list threads")
def test_matrices_get_no_threads_of_their_own() -> None:
    assert loaded("import projections.registry") == ["numpy", "1"]
