"""Spawned processes load what they are given to run, not the whole program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from projections.engine.projection import Projection, load
from projections.registry import REGISTRY

REPOSITORY = Path(__file__).parents[2]
# Runs as `sitecustomize` of the program: its command spawns a process, which says what it has loaded.
PROBE = """
import multiprocessing, os, sys

def report(pipe):
    pipe.send([name for name in {heavy!r} if name in sys.modules])

def spawn():
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=report, args=(theirs,))
    child.start()
    print("loaded:", *ours.recv())
    child.join()
    return 0

if os.environ.pop("PROBE", None):
    import smartmarket.cli
    smartmarket.cli.run = spawn
"""
HEAVY = ["eventsourcing", "fastapi", "numpy", "prophet", "psycopg", "pydantic", "smartmarket.cli", "typer"]
PROGRAMS = {
    "python -m smartmarket": [sys.executable, "-m", "smartmarket"],
    "smartmarket": [str(Path(sys.executable).with_name("smartmarket"))],
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
def test_a_spawned_process_does_not_load_the_program(tmp_path: Path, program: list[str]) -> None:
    (tmp_path / "sitecustomize.py").write_text(PROBE.format(heavy=HEAVY), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{REPOSITORY}", "PROBE": "1"}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("loaded:\n", "", 0)


def test_the_entry_point_loads_no_heavy_library() -> None:
    code = f"import smartmarket.cli, sys; print([name for name in {HEAVY[:6]!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


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
    assert load(projection.path) is projection


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not list threads")
def test_a_replaying_process_loads_the_projection_it_replays_and_no_other() -> None:
    code = f"import projections.engine.replayer as r; r.load({REGISTRY['sales'].path!r})"
    assert loaded(code) == ["", "1"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not list threads")
def test_the_parent_of_api_processes_loads_no_application() -> None:
    assert loaded("import smartmarket.api_start") == ["eventsourcing", "1"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not list threads")
def test_matrices_get_no_threads_of_their_own() -> None:
    assert loaded("import projections.registry") == ["numpy", "1"]
