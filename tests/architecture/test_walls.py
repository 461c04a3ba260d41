"""Each wall of the layout stops what it is there to stop, shown on a house of empty rooms."""

import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import copy

import pytest

from tests.support.source_tree import ROOT

# What each module of a tidy house imports.
ROOMS = {
    "write_side/sales/aggregate": "import shared.domain.events.sales, shared.domain.rules.rfm, shared.errors",
    "write_side/sales/policy": "import shared.domain.events.sales",
    "write_side/sales/router": "import fastapi, shared.eventstore.store, shared.http.app, write_side.sales.aggregate",
    "read_side/admin": "import psycopg, shared.eventstore.store, shared.http.app",
    "read_side/sales": "import psycopg, shared.http.app",
    "projections/runner": "import eventsourcing.persistence, shared.eventstore.store",
    "projections/sales/projector": "import shared.domain.events.sales",
    "shared/errors": "",
    "shared/event_codec": "import shared.domain.events.sales",
    "shared/event_store": "import eventsourcing.postgres, shared.errors, shared.eventstore.codec, shared.eventstore.reader",
    "shared/domain/events/sales": "",
    "shared/http": "import fastapi, shared.errors, shared.eventstore.store",
    "shared/log_reader": "import psycopg, shared.eventstore.codec",
    "shared/jobs": "import kombu, shared.eventstore.store",
    "shared/domain/rules/rfm": "",
}


@pytest.fixture
def container(tmp_path: Path) -> Path:
    for room, imports in ROOMS.items():
        module = (tmp_path / room).with_suffix(".py")
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(imports)
        for folder in module.relative_to(tmp_path).parents[:-1]:
            (tmp_path / folder / "__init__.py").touch()
    copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def inspect(container: Path) -> set[str]:
    """Return the ids of the broken contracts."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=container, capture_output=True, text=True, check=False, env={"COLUMNS": "500"})
    walls = tomllib.loads((container / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    broken = {wall["id"] for wall in walls if f"{wall['name']} BROKEN" in done.stdout}
    kept = {wall["id"] for wall in walls if f"{wall['name']} KEPT" in done.stdout}
    assert broken | kept == {wall["id"] for wall in walls}, done.stdout + done.stderr
    return broken


def test_a_tidy_house_breaks_no_wall(container: Path) -> None:
    assert inspect(container) == set()


@pytest.mark.parametrize(
    ("room", "code", "wall"),
    [
        ("write_side/sales/router", "import read_side.sales", "sides"),
        ("read_side/sales", "import projections.sales.projector", "sides"),
        ("projections/sales/projector", "import write_side.sales.aggregate", "sides"),
        ("shared/http", "import read_side.sales", "sides"),
        ("shared/http", "import smartmarket", "root"),
        ("projections/runner", "def later():\n    import smartmarket", "root"),
        ("write_side/sales/aggregate", "import fastapi", "pure"),
        ("write_side/sales/aggregate", "import shared.http.app", "pure"),
        ("write_side/sales/policy", "import kombu", "pure"),
        ("shared/domain/events/sales", "import psycopg", "pure"),
        ("shared/domain/rules/rfm", "import prophet", "pure"),
        ("read_side/sales", "import shared.domain.events.sales", "read_side"),
        ("read_side/sales", "import shared.eventstore.store", "read_side"),
        ("read_side/admin", "import shared.jobs.queue", "read_side"),
        ("write_side/sales/router", "import eventsourcing.domain", "recorder"),
        ("projections/sales/projector", "import eventsourcing.persistence", "recorder"),
        ("shared/errors", "import shared.http.app", "shared"),
        ("shared/helpers", "", "shared"),
    ],
)
def test_a_breach_is_found(container: Path, room: str, code: str, wall: str) -> None:
    with (container / room).with_suffix(".py").open("a") as module:
        module.write(f"\n{code}\n")
    assert wall in inspect(container)


def test_two_rooms_that_need_each_other_are_found(container: Path) -> None:
    (container / "projections/sales/projector.py").write_text("import projections.engine.follower")
    (container / "projections/engine/follower.py").write_text(
        "import eventsourcing.persistence, projections.sales.projector"
    )
    assert inspect(container) == {"cycles"}
