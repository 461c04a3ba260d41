"""An installed SmartMarket has all its files, not only its Python, and the same source gives the same wheel."""

import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.source_tree import ROOT, SIDES, modules
from tests.support.wheel import build, copy_source


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source."""
    return build(ROOT, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def wheel(built: Path) -> set[str]:
    """The names of the files in the wheel."""
    with ZipFile(built) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_module(wheel: set[str]) -> None:
    assert {path.as_posix() for path in modules()} <= wheel


def test_the_wheel_holds_schemas_and_texts(wheel: set[str]) -> None:
    others = {p for side in SIDES for p in (ROOT / side).rglob("*") if p.is_file() and p.suffix not in {".py", ".pyc"}}
    assert {path.relative_to(ROOT).as_posix() for path in others} <= wheel


def test_the_wheel_holds_no_tests(wheel: set[str]) -> None:
    assert {name for name in wheel if Path(name).parts[0] in {"tests", "bench"}} == set()


def test_the_same_source_in_another_folder_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another folder"
    elsewhere.mkdir()
    copy_source(ROOT, elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
        path.chmod(0o700)
    again = build(elsewhere, tmp_path / "built")
    assert again.name == built.name
    assert again.read_bytes() == built.read_bytes()
