"""An installed SmartMarket has all its files, not only its Python."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.source_tree import ROOT, ROOT_PACKAGE, SIDES, modules

JUNK = shutil.ignore_patterns("__pycache__", "*.pyc")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the wheel that the image installs."""
    source = tmp_path_factory.mktemp("source")
    for side in (*SIDES, ROOT_PACKAGE):
        shutil.copytree(ROOT / side, source / side, ignore=JUNK)
    for name in ("pyproject.toml", "LICENSE", *(path.name for path in ROOT.glob("*.py"))):
        shutil.copy(ROOT / name, source)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        "dist",
        ".",
    ]
    done = subprocess.run(pip, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(ZipFile(next((source / "dist").glob("*.whl"))).namelist())


def test_the_wheel_holds_every_module(wheel: set[str]) -> None:
    assert {path.as_posix() for path in modules()} <= wheel


def test_the_wheel_holds_schemas_and_texts(wheel: set[str]) -> None:
    others = {p for side in SIDES for p in (ROOT / side).rglob("*") if p.is_file() and p.suffix not in {".py", ".pyc"}}
    assert {path.relative_to(ROOT).as_posix() for path in others} <= wheel


def test_the_wheel_holds_no_tests(wheel: set[str]) -> None:
    assert {name for name in wheel if Path(name).parts[0] in {"tests", "bench"}} == set()
