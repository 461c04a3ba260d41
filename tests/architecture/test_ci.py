"""What CI runs and reports: a test that passes only on the second try is named, and so is what was left out."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT

# A make whose tests fail as given: the first run, and every later one.
MAKE = """#!/usr/bin/env bash
echo "$1" >> targets; [ "$1" = "$breaks" ] && exit 2
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
    known = {"PATH": f"{ci}:{os.environ['PATH']}", "NODE": "true", "CHROMIUM": "bash", "breaks": ""}
    known["BROWSER_TESTS"] = "1"
    command = ["bash", ".ci/run"]
    return subprocess.run(
        command, cwd=ci, env=inherited | known | environment, capture_output=True, text=True, check=False
    )


def targets(ci: Path) -> set[str]:
    """Return what was made."""
    return set((ci / "targets").read_text().split())


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


def test_types_are_checked_and_pages_are_tried_where_node_and_chromium_are(ci: Path) -> None:
    done = run(ci, PASSES, PASSES)
    assert done.returncode == 0
    assert {"lint", "test", "test-types", "test-browser"} <= targets(ci)
    assert "LEFT OUT: make test-browser" not in done.stdout


@pytest.mark.parametrize("breaks", ["test-types", "test-browser"])
def test_broken_types_or_pages_fail_the_run(ci: Path, breaks: str) -> None:
    assert run(ci, PASSES, PASSES, breaks=breaks).returncode == 2


@pytest.mark.parametrize(
    ("environment", "reason", "missing"),
    [
        ({"NODE": "false"}, "there is no node of version 20 or newer", {"test-types", "test-browser"}),
        ({"breaks": "web/node_modules"}, "npm could not install the packages", {"test-types", "test-browser"}),
        ({"CHROMIUM": "/nowhere/chromium"}, "there is no Chromium", {"test-browser"}),
    ],
    ids=["no node", "no packages", "no Chromium"],
)
def test_ci_names_what_is_left_out_with_its_reason(
    ci: Path, environment: dict[str, str], reason: str, missing: set[str]
) -> None:
    done = run(ci, PASSES, PASSES, **environment)
    assert done.returncode == 0
    assert not missing & targets(ci)
    for name in missing:
        assert f"LEFT OUT: make {name}: {reason}" in done.stdout


@pytest.mark.parametrize(("user", "installs"), [("0", True), ("1000", False)])
def test_chromium_is_installed_where_packages_may_be_installed(ci: Path, user: str, *, installs: bool) -> None:
    tools = ci / "tools"
    tools.mkdir()
    browsers = {"chromium", "chromium-browser", "google-chrome", "apt-get", "id"}
    for tool in (tool for folder in os.get_exec_path() for tool in Path(folder).glob("*")):
        if tool.name not in browsers and not (tools / tool.name).exists():
            (tools / tool.name).symlink_to(tool)
    browser = ci / "chromium"
    install = f'echo "$@" >> {ci}/apt; [ "$2" = install ] && ln -s /bin/true {browser}; true'
    for name, script in (("apt-get", install), ("id", f"echo {user}")):
        (ci / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (ci / name).chmod(0o755)
    done = run(ci, PASSES, PASSES, PATH=f"{ci}:{tools}", CHROMIUM="")
    assert done.returncode == 0
    assert (ci / "apt").exists() == installs
    assert ("test-browser" in targets(ci)) == installs
    assert ("LEFT OUT: make test-browser" in done.stdout) != installs
