"""What CI reports: a test that passes only on the second try is named, and fails the nightly run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT

# A make whose tests fail as given: the first run, and every later one.
MAKE = """#!/usr/bin/env bash
[ "$1" = test ] || exit 0
runs=$(cat runs 2>/dev/null || echo 0); echo $((runs + 1)) > runs; echo "$@" >> asked
[ "$runs" -eq 0 ] && {first} || {later}
"""
FAILED = "FAILED tests/log/test_x.py::test_y - AssertionError"
FAILS = f"{{ echo '{FAILED}'; echo '=== 1 failed, 9 passed in 3.21s ==='; exit 2; }}"
PASSES = "{ echo '=== 10 passed in 3.21s ==='; exit 0; }"
ENDS_EARLY = "exit 2"


@pytest.fixture
def ci(tmp_path: Path) -> Path:
    """A repository with nothing in it but CI."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    return tmp_path


def run(ci: Path, first: str, later: str, **environment: str) -> subprocess.CompletedProcess[str]:
    make = ci / "make"
    make.write_text(MAKE.replace("{first}", first).replace("{later}", later))
    make.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if name not in {"FLAKY", "MAKEFLAGS"}}
    path = {"PATH": f"{ci}:{os.environ['PATH']}"}
    command = ["bash", ".ci/run"]
    return subprocess.run(
        command, cwd=ci, env=inherited | path | environment, capture_output=True, text=True, check=False
    )


def test_a_test_that_passes_on_the_second_try_is_named_in_the_summary(ci: Path) -> None:
    done = run(ci, FAILS, PASSES)
    assert done.returncode == 0
    assert "FLAKY: tests/log/test_x.py::test_y (failed first, passed when run again)" in done.stdout
    assert "--last-failed" in (ci / "asked").read_text().splitlines()[1]


def test_a_flaky_test_fails_the_nightly_run(ci: Path) -> None:
    done = run(ci, FAILS, PASSES, FLAKY="fail")
    assert done.returncode == 1
    assert "FLAKY: tests/log/test_x.py::test_y" in done.stdout
    assert "A check failed" in done.stdout


def test_a_test_that_fails_twice_is_a_failure_not_a_flake(ci: Path) -> None:
    done = run(ci, FAILS, FAILS)
    assert done.returncode == 2
    assert "FLAKY" not in done.stdout


def test_a_run_that_did_not_end_is_repeated_whole_and_named(ci: Path) -> None:
    done = run(ci, ENDS_EARLY, PASSES)
    assert done.returncode == 0
    assert "FLAKY: the whole run of test" in done.stdout
    assert (ci / "asked").read_text().splitlines() == ["test", "test"]


def test_a_run_without_flakes_speaks_of_none(ci: Path) -> None:
    done = run(ci, PASSES, PASSES, FLAKY="fail")
    assert (done.returncode, (ci / "runs").read_text().strip()) == (0, "1")
    assert "FLAKY" not in done.stdout


def test_the_nightly_workflow_fails_on_flakes() -> None:
    assert "FLAKY: fail" in (ROOT / ".github/workflows/nightly.yml").read_text("utf-8")
