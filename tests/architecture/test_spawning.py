"""Processes that are spawned load what they are given to run, not the whole program."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import multiprocessing
import os
from contextlib import nullcontext

from shared.spawning import only_what_is_needed

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
        [sys.executable, str(program)], cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}, check=True,
        capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_a_spawned_process_does_not_load_the_main_module(tmp_path: Path) -> None:
    assert said(tmp_path, "only_what_is_needed") == ["loaded", f"0 {tmp_path / 'program.py'}"]


def test_without_it_a_spawned_process_does(tmp_path: Path) -> None:
    assert said(tmp_path, "nullcontext")[:2] == ["loaded", "loaded"]
